#pragma once

#include "net/buffer.hpp"
#include "net/packet.hpp"
#include "net/telnet.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

/// Streams of bytes cut anywhere, for tests of what must not depend on the cut. Pure; any thread.
namespace bytes {

using Pieces = std::vector<std::string_view>;

/// Every way that is tried to cut `whole`: not at all, at each place into two, and into single bytes.
inline std::vector<Pieces> cuts(std::string_view whole) {
    std::vector<Pieces> all{{whole}};
    for (std::size_t at = 1; at < whole.size(); ++at) all.push_back({whole.substr(0, at), whole.substr(at)});
    all.emplace_back();
    for (std::size_t at = 0; at < whole.size(); ++at) all.back().push_back(whole.substr(at, 1));
    return all;
}

/// What has become of a stream.
struct Decoded {
    std::vector<std::string> packets;
    std::string answers;            ///< telnet's
    boost::system::error_code end;  ///< why there was nothing more

    bool operator==(const Decoded&) const = default;
};

/// Decodes a stream as it arrives, with what sockets decode it with.
class Decoder {
public:
    Decoder(net::Packet mode, std::size_t max_packet) : mode_(mode), framer_(mode, max_packet) {}

    /// A piece has come. No socket reads on after an error.
    void feed(std::string_view piece) {
        if (decoded_.end != net::Error::incomplete) return;
        const auto space = bytes_.space(piece.size());
        piece.copy(space.data(), piece.size());
        bytes_.filled(mode_ == net::Packet::line ? telnet_.run(space, decoded_.answers) : piece.size());
        take_all(false);
    }
    void end() {
        if (decoded_.end == net::Error::incomplete) take_all(true);
    }
    const Decoded& decoded() const { return decoded_; }

private:
    void take_all(bool ended) {
        for (;;) {
            const auto packet = framer_.next(bytes_, ended);
            decoded_.end = packet.error();
            if (!packet) break;
            decoded_.packets.emplace_back(*packet);
        }
        EXPECT_EQ(framer_.next(bytes_, ended).error(), decoded_.end) << "asked again, it says the same";
    }

    net::Packet mode_;
    net::Framer framer_;
    net::telnet::Filter telnet_;
    net::Buffer bytes_;
    Decoded decoded_{{}, {}, net::Error::incomplete};
};

/// Decodes a whole stream, which arrives in pieces and then ends.
inline Decoded decode(net::Packet mode, std::size_t max_packet, const Pieces& pieces) {
    Decoder decoder(mode, max_packet);
    for (const auto piece : pieces) decoder.feed(piece);
    decoder.end();
    return decoder.decoded();
}

/// Decodes a stream cut in every way, expects the same of all, and returns it.
inline Decoded decode_cut_anywhere(net::Packet mode, std::size_t max_packet, std::string_view whole) {
    const auto at_once = decode(mode, max_packet, {whole});
    for (const auto& pieces : cuts(whole)) {
        const auto decoded = decode(mode, max_packet, pieces);
        const auto first = pieces.empty() ? 0 : pieces.front().size();
        EXPECT_EQ(decoded.packets, at_once.packets) << "cut after " << first << " bytes";
        EXPECT_EQ(decoded.end, at_once.end) << "cut after " << first << " bytes";
        // How much of a packet that is too long was looked at depends on the cut.
        if (decoded.end != net::Error::too_long) {
            EXPECT_EQ(decoded.answers, at_once.answers) << "cut after " << first << " bytes";
        }
    }
    return at_once;
}

/// `size` as a big-endian header of `length` bytes.
inline std::string header(std::size_t size, std::size_t length) {
    std::string bytes;
    for (std::size_t i = length; i-- > 0;) bytes += static_cast<char>(size >> (8 * i) & 0xFF);
    return bytes;
}

}  // namespace bytes
