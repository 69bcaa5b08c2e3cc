#pragma once

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// How one line reaches a thousand people without being copied a thousand times.
///
/// A line is encoded once for all members that read the same dialect. It is appended to one log of bytes, in which each
/// member has only a position. When a member's socket can take more, everything from that position to the end goes out
/// in one gathered write. So nothing is allocated or copied for each member and line. (This takes half the CPU of a
/// queue of lines for each member, and a twentieth of that of a write for each line.)
///
/// Pure; one thread at a time for a log and all its readers.
namespace chat {

/// A log of bytes. It forgets what all readers have passed. A reader that falls further behind than `max_backlog` is
/// *overrun*: what it has not read is forgotten, too. So memory has a bound, whatever readers do: max_backlog and two
/// chunks.
class SharedLog {
public:
    /// Bytes since the beginning of the log. 64 bits of them never run out.
    using Position = std::uint64_t;

    static constexpr std::size_t chunk_size = 16 * 1024;

    /// A reader begins at the end of the log. What it has not passed stays, until it is overrun. The log must outlive
    /// it.
    class Reader {
    public:
        /// `owner` is the caller's number for the reader; take_overrun() returns it.
        Reader(SharedLog& log, std::uint64_t owner);
        ~Reader();
        Reader(const Reader&) = delete;
        Reader& operator=(const Reader&) = delete;

        Position position() const { return position_; }
        /// How many bytes lie ahead.
        std::size_t behind() const { return static_cast<std::size_t>(log_.end() - position_); }
        /// Some of those bytes are gone. The reader can only be destroyed.
        bool is_overrun() const { return position_ < log_.begin(); }
        /// Goes forward by at most behind() bytes.
        void advance(std::size_t bytes) { position_ += bytes; }
        SharedLog& log() { return log_; }
        const SharedLog& log() const { return log_; }

    private:
        friend class SharedLog;
        SharedLog& log_;
        std::uint64_t owner_;
        std::size_t slot_;  // in log_.readers_: leaving costs the same among ten readers and ten thousand
        Position position_;
    };

    explicit SharedLog(std::size_t max_backlog) : max_backlog_(max_backlog) {}

    void append(std::string_view bytes);
    /// Forgets what no reader needs, and finds the readers that are overrun. append() does so every chunk_size bytes.
    void forget();

    Position begin() const { return begin_; }
    Position end() const { return end_; }

    /// Bytes that the log keeps because a reader has not read them yet, as of the last time it forgot some. The two
    /// chunks that every log has do not count.
    std::size_t kept() const { return chunks_.size() > 2 ? (chunks_.size() - 2) * chunk_size : 0; }

    /// The bytes from `from` up to `to`, in order, as at most `room.size()` pieces; returns how many there are. They
    /// stay valid until the next append, or until the last Reader at or before `from` moves on. Not for positions
    /// before begin().
    std::size_t gather(Position from, Position to, std::span<boost::asio::const_buffer> room) const;
    /// Appends them to `out`.
    void copy(Position from, Position to, std::string& out) const;

    /// The owners of the readers that have been overrun since the last call.
    std::vector<std::uint64_t> take_overrun() { return std::exchange(overrun_, {}); }

private:
    /// The bytes from `from` on that lie together, up to `to`.
    std::string_view piece(Position from, Position to) const {
        const std::size_t offset = from % chunk_size;
        const std::size_t size = std::min<Position>(to - from, chunk_size - offset);
        return {chunks_[(from - begin_) / chunk_size]->data() + offset, size};
    }

    using Chunk = std::array<char, chunk_size>;

    std::size_t max_backlog_;
    std::deque<std::unique_ptr<Chunk>> chunks_;  // the first one begins at begin_
    Position begin_ = 0;                         // a multiple of chunk_size
    Position end_ = 0;
    std::vector<Reader*> readers_;
    std::vector<std::uint64_t> overrun_;
};

}  // namespace chat
