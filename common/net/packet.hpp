#pragma once

#include "net/buffer.hpp"
#include "net/error.hpp"

#include <array>
#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

/// Where packets begin and end in a stream of bytes: gen_tcp's option `packet`. TCP itself knows no packets; what one
/// side sends at once may arrive in pieces cut anywhere, or together with what came before and after.
/// Everything here is pure bytes: no sockets; one thread at a time for each object.
namespace net {

enum class Packet {
    raw,   ///< whatever one read brings
    line,  ///< up to and including a line feed (telnet's commands are taken out before: see telnet::Filter)
    one,   ///< after a header of 1 byte that holds the length
    two,   ///< of 2 bytes, big-endian
    four,  ///< of 4 bytes, big-endian
};

/// The modes as options name them, in the enum's order.
inline constexpr std::array<std::string_view, 5> packet_names{"raw", "line", "1", "2", "4"};

constexpr std::string_view to_string(Packet mode) {
    return packet_names[static_cast<std::size_t>(mode)];
}

/// Bytes of the length header.
constexpr std::size_t header_size(Packet mode) {
    return std::array<std::size_t, 5>{0, 0, 1, 2, 4}[static_cast<std::size_t>(mode)];
}

/// Takes packets out of a stream of bytes, and makes bytes of packets.
class Framer {
public:
    /// `max_packet` limits what a packet holds, in bytes, without its header or line ending. raw has no limit to keep.
    Framer(Packet mode, std::size_t max_packet) : mode_(mode), header_(header_size(mode)), max_packet_(max_packet) {}

    Packet mode() const { return mode_; }
    std::size_t max_packet() const { return max_packet_; }

    /// Takes the next packet from the front of `in`: without its header; a line with its ending. `ended`: no more bytes
    /// will come; then an unfinished line is a packet, too.
    /// Errors: incomplete (come again with more), too_long, and at the end closed, or cut_short inside a frame.
    result<std::string_view> next(Buffer& in, bool ended);

    /// The same for all that are there, but for no more than `most`: adds them to `packets`. Why it did not go on.
    boost::system::error_code next_all(Buffer& in, bool ended, std::size_t most,
                                       std::vector<std::string_view>& packets);

    /// Appends one packet to `out`, given in pieces (Erlang's iodata), with its header.
    /// A frame longer than its header can say is a std::length_error, and nothing is appended.
    void put(std::initializer_list<std::string_view> pieces, Buffer& out) {
        std::size_t size = header_;
        for (const auto piece : pieces) size += piece.size();
        char* to = out.space(size).data();
        if (header_ > 0) to = write_header(size - header_, to);
        for (const auto piece : pieces) {
            if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
            to += piece.size();
        }
        out.filled(size);
        fresh_ += size;
    }

    /// Call before `out` is written or appended to otherwise: doubles telnet's 255 in the lines put since the last
    /// call. All at once, because there are hardly ever any: a search in every line costs as much as all the rest.
    void escape(Buffer& out);

private:
    void next_whole_lines(Buffer& in, std::size_t most, std::vector<std::string_view>& packets);
    result<std::string_view> next_line(Buffer& in, bool ended);
    result<std::string_view> next_frame(Buffer& in, bool ended) const;
    char* write_header(std::size_t size, char* to) const;

    Packet mode_;
    std::size_t header_;
    std::size_t max_packet_;
    std::size_t searched_ = 0;  // so many bytes of the line that is coming are known to hold no line feed
    std::size_t fresh_ = 0;     // so many bytes were put and not escaped yet
};

}  // namespace net
