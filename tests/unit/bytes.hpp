#pragma once

#include "net/packet.hpp"

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

/// What a decoder has made of a stream.
struct Decoded {
    std::vector<std::string> packets;
    std::vector<std::string> answers;  ///< telnet's, as they stood after each packet and at the end
    boost::system::error_code end;     ///< why there was nothing more

    bool operator==(const Decoded&) const = default;
};

/// Takes all whole packets out of `decoder`.
inline void take_all(net::Decoder& decoder, Decoded& decoded) {
    for (;;) {
        const auto packet = decoder.next();
        decoded.end = packet.error();
        if (!packet) return;
        decoded.packets.emplace_back(*packet);
        decoded.answers.emplace_back(decoder.answers());
    }
}

/// Gives `bytes` to a decoder that wants more, in as many reads as its space asks for.
inline void feed(net::Decoder& decoder, std::string_view bytes, Decoded& decoded) {
    while (!bytes.empty() && decoded.end == net::Error::incomplete) {
        const auto space = decoder.space();
        ASSERT_FALSE(space.empty());
        const auto size = std::min(space.size(), bytes.size());
        std::memcpy(space.data(), bytes.data(), size);
        decoder.filled(size);
        bytes.remove_prefix(size);
        take_all(decoder, decoded);
    }
}

/// Decodes a whole stream, which arrives in pieces and then ends.
inline Decoded decode(net::Packet mode, std::size_t max_packet, const Pieces& pieces) {
    net::Decoder decoder(mode, max_packet);
    Decoded decoded;
    take_all(decoder, decoded);
    for (const auto piece : pieces) feed(decoder, piece, decoded);
    if (decoded.end == net::Error::incomplete) {
        decoder.end();
        take_all(decoder, decoded);
    }
    decoded.answers.emplace_back(decoder.answers());
    return decoded;
}

/// Decodes a stream cut in every way, expects the same of all, and returns it.
inline Decoded decode_cut_anywhere(net::Packet mode, std::size_t max_packet, std::string_view whole) {
    const auto at_once = decode(mode, max_packet, {whole});
    for (const auto& pieces : cuts(whole)) {
        const auto decoded = decode(mode, max_packet, pieces);
        EXPECT_EQ(decoded.packets, at_once.packets) << "cut after " << pieces.front().size() << " bytes";
        EXPECT_EQ(decoded.answers, at_once.answers) << "cut after " << pieces.front().size() << " bytes";
        EXPECT_EQ(decoded.end, at_once.end) << "cut after " << pieces.front().size() << " bytes";
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
