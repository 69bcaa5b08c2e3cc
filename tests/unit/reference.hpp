#pragma once

#include "net/error.hpp"
#include "net/packet.hpp"
#include "net/telnet.hpp"

#include <random>
#include <string>
#include <string_view>
#include <vector>

/// What a stream of bytes means, worked out slowly and plainly, all of it at once: for tests of what does it fast and
/// in pieces. Pure; any thread.
namespace reference {

struct Meaning {
    std::vector<std::string> packets;
    std::string answers;            ///< telnet's
    boost::system::error_code end;  ///< why there is nothing more
};

/// RFC 854 and 855, a byte at a time: `data` without commands, CR NUL as CR LF.
struct Telnet {
    std::string data, answers;

    explicit Telnet(std::string_view stream) {
        const auto at = [&](std::size_t i) { return i < stream.size() ? static_cast<unsigned char>(stream[i]) : -1; };
        std::size_t i = 0;
        while (i < stream.size()) {
            if (at(i) != 255) {
                const bool is_line_end = at(i) == 0 && data.ends_with('\r');
                data += is_line_end ? '\n' : stream[i];
                i += 1;
            } else if (at(i + 1) == 255) {
                data += '\xff';
                i += 2;
            } else if (at(i + 1) == 250) {
                i = after_subnegotiation(stream, i + 2);
            } else if (at(i + 1) >= 251) {
                if (at(i + 2) >= 0 && at(i + 1) == 253) answers += {'\xff', '\xfc', stream[i + 2]};
                if (at(i + 2) >= 0 && at(i + 1) == 251) answers += {'\xff', '\xfe', stream[i + 2]};
                i += 3;
            } else {
                i += 2;
            }
        }
    }

private:
    /// To IAC SE, or as far as a subnegotiation is believed: a command in it counts as one byte.
    static std::size_t after_subnegotiation(std::string_view stream, std::size_t i) {
        for (std::size_t held = 0; i < stream.size();) {
            if (stream[i] == '\xff') {
                i += 2;
                if (i <= stream.size() && stream[i - 1] == '\xf0') break;
                held += 1;
            } else {
                i += 1;
                held += 1;
            }
            if (held >= net::telnet::max_subnegotiation) break;
        }
        return i;
    }
};

inline Meaning of_lines(std::string_view stream, std::size_t max_packet) {
    const Telnet telnet(stream);
    Meaning meaning{{}, telnet.answers, net::Error::closed};
    std::string line;
    const auto is_too_long = [&] {
        std::string_view content = line;
        if (content.ends_with('\n')) content.remove_suffix(1);
        if (content.ends_with('\r')) content.remove_suffix(1);
        return content.size() > max_packet;
    };
    for (const char byte : telnet.data) {
        line += byte;
        if (is_too_long()) {
            meaning.end = net::Error::too_long;
            return meaning;
        }
        if (byte != '\n') continue;
        meaning.packets.push_back(line);
        line.clear();
    }
    if (!line.empty()) meaning.packets.push_back(line);
    return meaning;
}

inline Meaning of_frames(std::string_view stream, std::size_t header, std::size_t max_packet) {
    Meaning meaning;
    for (;;) {
        if (stream.empty()) return meaning.end = net::Error::closed, meaning;
        if (stream.size() < header) return meaning.end = net::Error::cut_short, meaning;
        std::size_t size = 0;
        for (std::size_t i = 0; i < header; ++i) size = size * 256 + static_cast<unsigned char>(stream[i]);
        if (size > max_packet) return meaning.end = net::Error::too_long, meaning;
        if (stream.size() < header + size) return meaning.end = net::Error::cut_short, meaning;
        meaning.packets.emplace_back(stream.substr(header, size));
        stream.remove_prefix(header + size);
    }
}

/// Of a stream that comes and then ends. For raw there is one packet at the most: all of it.
inline Meaning meaning(net::Packet mode, std::size_t max_packet, std::string_view stream) {
    if (mode == net::Packet::line) return of_lines(stream, max_packet);
    if (mode != net::Packet::raw) return of_frames(stream, net::header_size(mode), max_packet);
    Meaning all{{}, {}, net::Error::closed};
    if (!stream.empty()) all.packets.emplace_back(stream);
    return all;
}

/// Bytes as bad as they come: line ends and telnet's commands everywhere, small numbers (lengths) among them.
inline std::string random_stream(std::mt19937& random) {
    static constexpr std::string_view special(
        "\n\r\0\xff\xff\xfd\xfb\xfe\xfa\xf0\xf4\x06\x01\x02\x03"
        "ab",
        17);
    std::string stream(random() % 120, '\0');
    for (auto& byte : stream)
        byte = random() % 8 == 0 ? static_cast<char>(random()) : special[random() % special.size()];
    if (random() % 8 == 0) stream += "\xff\xfa" + std::string(random() % 1100, 'x') + "\n";
    return stream;
}

/// A stream cut anywhere.
inline std::vector<std::string_view> random_pieces(std::string_view stream, std::mt19937& random) {
    std::vector<std::string_view> pieces;
    while (!stream.empty()) {
        const auto size = 1 + random() % (random() % 2 == 0 ? 3 : 60);
        pieces.push_back(stream.substr(0, size));
        stream.remove_prefix(pieces.back().size());
    }
    return pieces;
}

}  // namespace reference
