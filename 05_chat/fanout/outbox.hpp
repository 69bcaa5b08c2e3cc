#pragma once

#include "05_chat/fanout/shared_log.hpp"

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace chat {

/// What is still to be written to one member: first bytes that are in memory for this member alone, then the member's
/// part of a room's log. Before something is added for this member alone (an answer, history), what it has not yet read
/// of the log is copied, so the order is kept. That is rare, and nothing else is ever copied. Pure; one thread at a
/// time for a log and all that read it.
class Outbox {
public:
    /// For a member that is in no room yet; `owner` as in SharedLog::Reader.
    explicit Outbox(std::uint64_t owner) : owner_(owner) {}

    /// From here on the member hears this log. What is unsent of the log before is kept. Where the member is overrun,
    /// nothing is kept: whoever does not want to leave lines out asks first.
    void enter(SharedLog& log);
    /// The member hears no log any more. What is unsent is kept, likewise.
    void leave();

    /// For this member alone, after everything that is in the log now.
    void add(std::string_view own);
    /// Nothing is to be written any more; the member hears no log.
    void clear();

    bool empty() const { return size() == 0; }
    /// Bytes to be written.
    std::size_t size() const { return own_.size() - own_written_ + (reader_ ? reader_->behind() : 0); }
    /// Bytes that are in memory for this member alone.
    std::size_t own_size() const { return own_.size(); }
    /// The member reads too slowly: a part of what is to be written is gone, and without it the rest makes no sense.
    bool is_overrun() const { return reader_ && reader_->is_overrun(); }

    /// What is to be written, as at most `room.size()` pieces. They are valid as SharedLog::gather says, and until the
    /// outbox changes. Not when overrun.
    std::size_t gather(std::span<boost::asio::const_buffer> room) const;
    /// `bytes` of what gather() gave have been written.
    void consume(std::size_t bytes);

private:
    void copy_unsent();

    std::uint64_t owner_;
    std::string own_;
    std::size_t own_written_ = 0;
    std::optional<SharedLog::Reader> reader_;  // stands behind own_
};

}  // namespace chat
