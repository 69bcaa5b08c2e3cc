#pragma once

#include <boost/asio/buffer.hpp>

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
/// A line is encoded once for all members that read the same dialect, and appended to one log of bytes. A member has
/// only a place in that log. When the member's socket can take more, everything from that place to the end goes out in
/// one gathered write: nothing is allocated or copied for a member and a line. (Measured against a queue of lines for
/// each member: half the CPU; against a write for each line: a twentieth.)
///
/// Pure; one thread at a time for a log and all its readers.
namespace chat {

/// A log of bytes that forgets what every reader has passed, and more: a reader that falls further behind than
/// `max_backlog` is *overrun*. So memory has a bound, whatever readers do: max_backlog plus two chunks.
class SharedLog {
public:
    /// A place: bytes since the beginning of the log. 64 bits of bytes never run out.
    using Position = std::uint64_t;

    static constexpr std::size_t chunk_size = 16 * 1024;

    /// Somebody who reads the log: what has not been passed by a Reader stays. Begins at the log's end. The log must
    /// outlive it.
    class Reader {
    public:
        /// `owner` is the caller's word for who reads; overrun() tells it back.
        Reader(SharedLog& log, std::uint64_t owner);
        ~Reader();
        Reader(const Reader&) = delete;
        Reader& operator=(const Reader&) = delete;

        Position position() const { return position_; }
        /// How many bytes lie ahead.
        std::size_t behind() const { return static_cast<std::size_t>(log_.end() - position_); }
        /// Some of those bytes are gone: the reader can never go on, only be destroyed.
        bool is_overrun() const { return position_ < log_.begin(); }
        /// Goes forward by at most behind() bytes.
        void advance(std::size_t bytes) { position_ += bytes; }
        SharedLog& log() { return log_; }
        const SharedLog& log() const { return log_; }

    private:
        friend class SharedLog;
        SharedLog& log_;
        std::uint64_t owner_;
        std::size_t
            slot_;  // its index in log_.readers_, so that leaving costs the same among ten as among ten thousand
        Position position_;
    };

    explicit SharedLog(std::size_t max_backlog) : max_backlog_(max_backlog) {}

    /// Every chunk_size bytes it also looks who is overrun, and lets go of what nobody needs.
    void append(std::string_view bytes);

    Position begin() const { return begin_; }
    Position end() const { return end_; }

    /// Bytes that it holds because somebody has not read them yet, as far as append() has looked; nobody is to blame
    /// for the two chunks that every log has.
    std::size_t kept() const { return chunks_.size() > 2 ? (chunks_.size() - 2) * chunk_size : 0; }

    /// The bytes from `from` up to `to`, in order, as at most `room.size()` pieces: how many were filled in. They stay
    /// valid until the next append or the last Reader at or before `from` moves on. Not for places before begin().
    std::size_t gather(Position from, Position to, std::span<boost::asio::const_buffer> room) const;

    /// The owners that have been overrun since the last call: they are to be cut off.
    std::vector<std::uint64_t> take_overrun() { return std::exchange(overrun_, {}); }

private:
    void forget();

    using Chunk = std::array<char, chunk_size>;

    std::size_t max_backlog_;
    std::deque<std::unique_ptr<Chunk>> chunks_;  // the first one begins at begin_
    Position begin_ = 0;                         // a multiple of chunk_size
    Position end_ = 0;
    std::vector<Reader*> readers_;
    std::vector<std::uint64_t> overrun_;
};

/// What is still to be written to one member: its part of a room's log, and among it what is meant for it alone
/// (answers, history), in the order in which it came about.
class Outbox {
public:
    /// For somebody who is in no room yet; `owner` as in SharedLog::Reader.
    explicit Outbox(std::uint64_t owner) : owner_(owner) {}

    /// From here on it hears this log. What it had not been sent of the one before is kept (a copy, once).
    void enter(SharedLog& log);
    /// It hears no log any more. What it had not been sent is kept.
    void leave();

    /// For this member alone, after everything that is in the log now.
    void add(std::string_view own);
    /// Nothing of all this any more; it hears no log.
    void clear();

    bool empty() const { return patches_.empty() && log_bytes() == 0; }
    /// How many bytes are to be written.
    std::size_t size() const;
    /// How many of them are for this member alone, and in memory for it alone.
    std::size_t own_size() const;
    /// It reads too slowly: some of what it was to be sent is gone, so that the rest would make no sense.
    bool is_overrun() const { return reader_ && reader_->is_overrun(); }

    /// What is to be written, as at most `room.size()` pieces, valid as SharedLog::gather says. Not when overrun.
    std::size_t gather(std::span<boost::asio::const_buffer> room) const;
    /// `bytes` of what gather() gave have been written.
    void consume(std::size_t bytes);

private:
    // Before the log's bytes from `at` on, `own` goes out.
    struct Patch {
        SharedLog::Position at;
        std::string own;
    };

    std::size_t log_bytes() const { return reader_ ? reader_->behind() : 0; }
    SharedLog::Position position() const { return reader_ ? reader_->position() : 0; }

    std::uint64_t owner_;
    std::optional<SharedLog::Reader> reader_;
    std::vector<Patch> patches_;  // in the log's order; mostly none
    std::size_t written_ = 0;     // of the first patch's own bytes, when the reader stands at it
};

}  // namespace chat
