// libFuzzer: a stream decoded in pieces gives what it gives at once, in every packet mode, within the decoder's memory;
// and what the outbox makes of the packets decodes to the same packets.

#include "fuzz/fuzz.hpp"
#include "net/packet.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace {

using fuzz::require;
using net::Packet;

struct Decoded {
    std::vector<std::string> packets;
    std::vector<std::size_t> answered;  // how many bytes of telnet's answers belong before each packet
    std::string answers;
    boost::system::error_code end;
    bool operator==(const Decoded&) const = default;
};

/// Reads into memory of the decoder's own, or into `lent`, which is used for something else between two reads.
Decoded decode(Packet mode, std::size_t max_packet, std::string_view stream, const std::function<std::size_t()>& size,
               std::span<char> lent = {}) {
    net::Decoder decoder(mode, max_packet);
    const auto give_back = [&] {
        decoder.keep();
        std::ranges::fill(lent, '\n');
    };
    Decoded decoded;
    for (bool ended = false;;) {
        const auto packet = decoder.next();
        if (packet) {
            const auto ending = packet->ends_with("\r\n")                            ? 2
                                : packet->ends_with('\n') || packet->ends_with('\r') ? 1
                                                                                     : 0;
            const auto content = packet->size() - (mode == Packet::line ? ending : 0);
            require(mode == Packet::raw || content <= max_packet, "no packet is longer than the limit");
            decoded.packets.emplace_back(*packet);
            decoded.answered.push_back(decoder.answers().size());
            if (!lent.empty() && decoded.packets.size() % 3 == 0) give_back();
            continue;
        }
        decoded.end = packet.error();
        if (packet.error() != net::Error::incomplete) break;
        require(!ended, "after the end nothing is incomplete");
        if (!lent.empty()) give_back();
        const auto space = lent.empty() ? decoder.space() : decoder.space_in(lent);
        require(!space.empty(), "there is space");
        require(space.size() <= max_packet + sizeof(std::uint32_t) + net::read_size, "and not too much");
        const auto read = std::min({space.size(), stream.size(), size()});
        if (read == 0) {
            decoder.end();
            ended = true;
            continue;
        }
        std::memcpy(space.data(), stream.data(), read);
        decoder.filled(read);
        stream.remove_prefix(read);
    }
    // How much of a packet that is too long was looked at depends on the cut; what telnet asked in it is not answered.
    if (decoded.end == net::Error::too_long)
        decoder.answers().resize(decoded.answered.empty() ? 0 : decoded.answered.back());
    decoded.answers = decoder.answers();
    return decoded;
}

std::string encode(Packet mode, const std::vector<std::string>& packets) {
    net::Outbox outbox(mode);
    for (const auto& packet : packets) outbox.put({packet});
    std::string wire;
    while (!outbox.empty()) {
        net::Outbox::Buffers buffers;
        const auto used = outbox.gather(buffers);
        const auto before = wire.size();
        for (std::size_t i = 0; i < used; ++i)
            wire.append(static_cast<const char*>(buffers[i].data()), buffers[i].size());
        outbox.written(wire.size() - before);
    }
    return wire;
}

std::string joined(const std::vector<std::string>& packets) {
    std::string all;
    for (const auto& packet : packets) all += packet;
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto mode = static_cast<Packet>(fuzz::take_byte(input) % net::packet_names.size());
    const std::size_t limits[]{1, 5, 255, 65536, 1 << 20};
    const std::size_t max_packet = limits[fuzz::take_byte(input) % std::size(limits)];
    fuzz::Sizes sizes(fuzz::take_byte(input));
    // Short inputs are fuzzed faster; repeated, they meet the decoder's larger buffers, too.
    std::string stream;
    for (int times = 1 + fuzz::take_byte(input) % 16; times > 0; --times) stream += input;

    const auto at_once = decode(mode, max_packet, stream, [] { return SIZE_MAX; });
    const auto in_pieces = decode(mode, max_packet, stream, [&] { return sizes.next(); });
    // Short, so that long packets do not fit: then the decoder takes memory of its own.
    std::string lent(net::read_size + 1000, '\0');
    const auto lent_pieces = decode(mode, max_packet, stream, [&] { return sizes.next(); }, lent);
    if (mode == Packet::raw) {
        require(joined(at_once.packets) == stream, "raw bytes come through unchanged");
        require(joined(in_pieces.packets) == stream, "raw bytes come through in pieces");
        require(joined(lent_pieces.packets) == stream, "raw bytes come through lent memory");
        return 0;
    }
    require(in_pieces == at_once, "pieces decode to what the whole does");
    require(lent_pieces == at_once, "pieces in lent memory decode to what the whole does");
    if (stream.size() <= 1000) {
        const auto byte_by_byte = decode(mode, max_packet, stream, [] { return std::size_t{1}; });
        require(byte_by_byte == at_once, "single bytes decode to what the whole does");
    }
    const auto again = decode(mode, max_packet, encode(mode, at_once.packets), [] { return SIZE_MAX; });
    require(again.packets == at_once.packets, "what the outbox makes of packets decodes to them");
    require(again.end == net::Error::closed && again.answers.empty(), "and to nothing else");
    return 0;
}
