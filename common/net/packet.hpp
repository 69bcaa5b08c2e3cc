#pragma once

#include "net/error.hpp"
#include "net/telnet.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// Where packets begin and end in a stream of bytes: gen_tcp's option `packet`. TCP itself knows no packets; what one
/// side sends at once may arrive in pieces cut anywhere, or together with what came before and after.
/// Everything here is pure bytes: no sockets; one thread at a time for each object.
namespace net {

enum class Packet {
    raw,   ///< whatever one read brings
    line,  ///< up to and including a line feed, telnet's commands taken out; CR NUL ends a line too and becomes CR LF
    one,   ///< after a header of 1 byte that holds the length
    two,   ///< of 2 bytes, big-endian
    four,  ///< of 4 bytes, big-endian
};

/// The modes as options name them, in the enum's order.
inline constexpr std::array<std::string_view, 5> packet_names{"raw", "line", "1", "2", "4"};

std::string_view to_string(Packet mode);

/// Bytes of the length header: 0 for raw and line.
std::size_t header_size(Packet mode);

/// How much one read asks for where a client sends much. Less costs dearly: a sixteenth of it, four times the work.
inline constexpr std::size_t read_size = 64 * 1024;

/// What one thread needs to lend to all its decoders: an unfinished packet and one read after it.
inline constexpr std::size_t lent_size = 2 * read_size;

/// And where a client sends little, as most do: a buffer that size is what an idle connection costs.
inline constexpr std::size_t small_read_size = 512;

/// Cuts the bytes that arrive into packets.
/// Memory of its own: small_read_size; read_size from the first read that fills its buffer to a series of small ones;
/// and up to `max_packet` more while a packet is longer than that. With lent memory: none but for an unfinished packet.
class Decoder {
public:
    /// `max_packet` limits what a packet holds, in bytes, without its header or line ending. raw has no limit to keep.
    Decoder(Packet mode, std::size_t max_packet);

    /// The next whole packet, without its header; a line with its ending. The view is valid until space() is called.
    /// Else Error::incomplete (call space(), read, call filled()); and for good: Error::too_long, or after end()
    /// Error::cut_short (inside a frame) or Error::closed. An unfinished last line is a packet.
    result<std::string_view> next() {
        // What happens a million times a second is in sight of the caller's compiler.
        if (mode_ == Packet::line && searched_ < clean_) {
            const char* const unsearched = bytes_ + searched_;
            const void* const found = std::memchr(unsearched, '\n', clean_ - searched_);
            const char* const line = bytes_ + begin_;
            const auto size = static_cast<std::size_t>(static_cast<const char*>(found) - line);
            if (found != nullptr && size <= max_packet_) return take(0, size + 1);
        }
        if (begin_ == end_ && goes_on()) return Error::incomplete;
        return next_of_any_kind();
    }

    /// Where the next bytes go: never empty. Only after next() said incomplete.
    std::span<char> space();
    /// The same in memory that the caller lends, for a read that is done at once. From here on whatever next() returns
    /// lies there, until keep().
    std::span<char> space_in(std::span<char> lent);
    /// Moves what is left to memory of our own: before somebody else uses what was lent.
    void keep();
    /// `size` bytes have come into space().
    void filled(std::size_t size);
    /// No more bytes will come.
    void end();

    /// Whether more bytes can bring more packets: not after end(), nor after a packet that is too long.
    bool goes_on() const { return !ended_ && !broken_; }

    /// Telnet's answers to what next() has gone past so far, to be sent before any later reply. The caller empties it.
    std::string& answers() { return answers_; }

private:
    result<std::string_view> next_of_any_kind();
    result<std::string_view> next_line();
    result<std::string_view> next_frame();
    std::string_view take(std::size_t header, std::size_t size) {
        const std::string_view packet(bytes_ + begin_ + header, size);
        searched_ = begin_ += header + size;
        return packet;
    }
    void make_room(std::size_t coming);
    std::span<char> after(std::size_t coming);

    Packet mode_;
    std::size_t max_packet_;
    telnet::Filter telnet_;
    std::string answers_;
    bool ended_ = false;
    boost::system::error_code broken_;  // why nothing more can be decoded

    // begin_ ≤ searched_ ≤ clean_ ≤ raw_ ≤ end_ ≤ capacity_: the packet that is coming starts at begin_; up to clean_
    // its bytes are data, and up to searched_ known to hold no line feed; from raw_ they are as they came, telnet's
    // commands and all. What lies between clean_ and raw_ was such a command.
    char* bytes_ = nullptr;  // own_, or what was lent
    std::unique_ptr<char[]> own_;
    std::size_t capacity_ = 0, begin_ = 0, searched_ = 0, clean_ = 0, raw_ = 0, end_ = 0;
    std::size_t reading_ = small_read_size;  // how much the next read asks for
    unsigned small_reads_ = 0;               // how many in a row would have done with small_read_size
};

/// Bytes that nobody has to clear.
struct Memory {
    std::unique_ptr<char[]> bytes;
    std::size_t size = 0;
};

/// Collects packets for one write: adds headers or telnet's doubled 255.
/// Memory: none while it is empty. What its packets take up is lent by the thread, which keeps as much as the largest
/// of its outboxes has needed, up to kept_capacity.
class Outbox {
public:
    /// A piece at least this long is not copied: it must stay where it is until the outbox is empty again, or keep().
    static constexpr std::size_t reference_from = 4096;

    /// How much memory a thread keeps for its outboxes, in bytes.
    static constexpr std::size_t kept_capacity = 256 * 1024;

    explicit Outbox(Packet mode) : mode_(mode), header_(header_size(mode)) {}

    /// Appends one packet, given in pieces (Erlang's iodata), with its framing.
    /// A frame longer than its header can say is a std::length_error, and nothing is appended.
    void put(std::initializer_list<std::string_view> pieces) {
        std::size_t size = 0;
        for (const auto piece : pieces) size += piece.size();
        if (memory_.size == 0) borrow();
        const bool fits = size < reference_from && size <= memory_.size - copied_;
        if (header_ > 0 || !fits) return put_any(pieces, size);
        char* to = memory_.bytes.get() + copied_;
        for (const auto piece : pieces) {
            if (!piece.empty()) std::memcpy(to, piece.data(), piece.size());
            to += piece.size();
        }
        copied_ += size;
    }

    /// Appends bytes as they are, copied.
    void put_bytes(std::string_view bytes) {
        if (!bytes.empty()) put_escaped(bytes);
    }

    bool empty() const { return copied_ == 0 && references_.empty(); }

    /// How many buffers one write takes at the most (Asio's own limit for a gathered write).
    static constexpr std::size_t max_buffers = 64;
    using Buffers = std::array<boost::asio::const_buffer, max_buffers>;

    /// The first bytes not written yet, as buffers for one gathered write; how many are used is returned.
    std::size_t gather(Buffers& buffers);

    /// The same where it is all in one place, as it mostly is: what one plain write takes. Else empty.
    std::string_view in_one_piece();

    /// `size` bytes were written.
    void written(std::size_t size);

    /// Copies what is left of the pieces that were not copied.
    void keep();

private:
    struct Reference {
        std::size_t at;  // how many copied bytes come before it
        std::string_view bytes;
    };

    /// Where there is room.
    void copy(std::string_view piece) {
        if (!piece.empty()) std::memcpy(memory_.bytes.get() + copied_, piece.data(), piece.size());
        copied_ += piece.size();
    }
    void put_any(std::initializer_list<std::string_view> pieces, std::size_t size);
    void put_escaped(std::string_view bytes);
    void borrow();
    void make_room(std::size_t coming);
    void escape() {
        if (escaped_ != copied_) escape_fresh();
    }
    void escape_fresh();

    Packet mode_;
    std::size_t header_;
    Memory memory_;                      // its first copied_ bytes are in use
    std::size_t copied_ = 0;             // of which the first escaped_ are as they go out
    std::size_t escaped_ = 0;            // (telnet's doubled 255)
    std::vector<Reference> references_;  // in order
    std::size_t written_ = 0;            // of everything
};

}  // namespace net
