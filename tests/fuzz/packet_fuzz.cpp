// libFuzzer: a stream that comes in pieces gives the packets that a slow and plain reader finds in it, in every packet
// mode; and what is made of the packets on the way out decodes to the same packets.

#include "fuzz/fuzz.hpp"
#include "net/buffer.hpp"
#include "net/packet.hpp"
#include "net/telnet.hpp"
#include "unit/reference.hpp"

#include <functional>
#include <string>
#include <vector>

namespace {

using fuzz::require;
using net::Packet;

/// As a socket does it. Between two reads the thread's memory is used for something else.
reference::Meaning decode(Packet mode, std::size_t max_packet, std::string_view stream,
                          const std::function<std::size_t()>& size) {
    net::Framer framer(mode, max_packet);
    net::telnet::Filter telnet;
    net::Buffer in;
    reference::Meaning decoded;
    for (bool ended = false;;) {
        const auto packet = framer.next(in, ended);
        if (packet) {
            decoded.packets.emplace_back(*packet);
            continue;
        }
        decoded.end = packet.error();
        if (packet.error() != net::Error::incomplete) break;
        require(!ended, "after the end nothing is incomplete");
        in.give_back();
        net::Buffer other;
        other.append(std::string(1000, '\n'));
        other.give_back();
        const auto piece = stream.substr(0, size());
        stream.remove_prefix(piece.size());
        ended = piece.empty();
        const auto space = in.space(piece.size());
        piece.copy(space.data(), piece.size());
        in.filled(mode == Packet::line ? telnet.run(space, decoded.answers) : piece.size());
    }
    return decoded;
}

void require_same(Packet mode, const reference::Meaning& decoded, const reference::Meaning& expected) {
    const auto joined = [](const std::vector<std::string>& packets) {
        std::string all;
        for (const auto& packet : packets) all += packet;
        return all;
    };
    require(decoded.end == expected.end, "it ends as it should");
    if (mode == Packet::raw)
        return require(joined(decoded.packets) == joined(expected.packets), "raw bytes come through");
    require(decoded.packets == expected.packets, "all packets are found");
    // How much of a packet that is too long was looked at depends on the cut.
    if (expected.end != net::Error::too_long) require(decoded.answers == expected.answers, "telnet is answered");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto mode = static_cast<Packet>(fuzz::take_byte(input) % net::packet_names.size());
    const std::size_t limits[]{1, 5, 255, 65536, 1 << 20};
    const std::size_t max_packet = limits[fuzz::take_byte(input) % std::size(limits)];
    fuzz::Sizes sizes(fuzz::take_byte(input));
    // Short inputs are fuzzed faster; repeated, they need larger buffers, too.
    std::string stream;
    for (int times = 1 + fuzz::take_byte(input) % 16; times > 0; --times) stream += input;

    const auto expected = reference::meaning(mode, max_packet, stream);
    require_same(mode, decode(mode, max_packet, stream, [] { return SIZE_MAX; }), expected);
    require_same(mode, decode(mode, max_packet, stream, [&] { return sizes.next(); }), expected);
    if (stream.size() <= 1000) require_same(mode, decode(mode, max_packet, stream, [] { return 1; }), expected);

    net::Buffer out;
    net::Framer framer(mode, max_packet);
    for (const auto& packet : expected.packets) framer.put({packet}, out);
    framer.escape(out);
    const auto again = decode(mode, max_packet, out.bytes(), [] { return SIZE_MAX; });
    require_same(mode, again, {expected.packets, "", net::Error::closed});
    return 0;
}
