#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/fanout/backlog.hpp"
#include "05_chat/fanout/outbox.hpp"
#include "net/socket.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

/// The bytes of the chat on their way out: one writer for each connection, and nobody waits for it. The loop's thread
/// only.
namespace chat {

class Subscribers;

/// A connection and what is still to be written to it. Callers add to its outbox and go on; a coroutine of its own
/// writes, as fast as the peer reads. A peer that is more than max_backlog behind is cut off. A burst is not held
/// against a peer: bytes count only after the system was offered them.
class Writer : public std::enable_shared_from_this<Writer> {
public:
    /// `owner` is a number that no other writer has. `backlog` outlives the writer.
    Writer(net::Socket socket, std::uint64_t owner, Backlog& backlog);
    ~Writer();

    net::Socket& socket() { return socket_; }
    std::uint64_t owner() const { return owner_; }

    /// Starts the coroutine that writes. Once.
    void start();
    /// For this peer alone, after everything that was to be written before.
    void add(std::string_view bytes);
    /// The writer hears no subscribers' log any more.
    void leave();
    /// There is more to write. The system gets at once what it takes at once. Only for the rest the coroutine is woken:
    /// that costs as much again.
    void write_now();
    /// The connection ends now, whatever is still to be written. A peer with last words may still get the rest of the
    /// line that it has begun to read, and then these words, if it reads them during finish().
    void cut_off(std::string why);
    /// Why it was cut off; empty when it was not.
    const std::string& why_cut_off() const { return why_cut_off_; }
    /// Makes the last words, for a peer that reads lines.
    using LastWords = std::string (*)(std::string_view why);
    void set_last_words(LastWords words) { last_words_ = words; }

    /// Bytes that are still to be written.
    std::size_t backlog() const { return outbox_.size(); }
    /// Waits until no more than so many bytes are still to be written, or the writer has ended. A session waits here
    /// before it reads on: a peer that does not read its answers is not read, either. One caller at a time.
    net::awaitable<void> eased(std::size_t at_most);
    /// Ends that wait early.
    void wait_no_longer();

    /// Nothing more comes. What is left is written, and our direction ended; `within` later everything is. The peer may
    /// still send: resetting the connection would destroy what is on its way.
    void end(std::chrono::milliseconds within);
    /// The same, and waits for the peer to end its direction. What it sends is dropped.
    net::awaitable<void> finish(std::chrono::milliseconds within);

private:
    friend Subscribers;
    static net::awaitable<void> write(std::shared_ptr<Writer> writer);
    bool has_to_write() const;
    net::result<std::size_t> write_some();
    std::string rest_of_line() const;
    void count();
    void wake();

    net::Socket socket_;
    std::uint64_t owner_;
    Backlog& backlog_;
    Backlog::Part waiting_;  // ours of it
    Outbox outbox_;
    Subscribers* subscribers_ = nullptr;  // among whom it hears a log; null: it hears none
    Notify more_;
    Notify written_;                   // for finish() and eased()
    std::optional<Deadline> the_end_;  // after end()
    bool is_awaited_ = false;          // somebody is in eased()
    bool is_awake_ = true;             // the coroutine will look at the outbox
    bool is_full_ = false;             // the system takes nothing more; the coroutine waits for the peer to read
    bool has_ended_ = false;           // the coroutine has
    bool is_in_line_ = false;          // the last byte written did not end a line
    std::string why_cut_off_;
    LastWords last_words_ = nullptr;
};

/// Those who hear the same: a log, and the writers that read it.
class Subscribers {
public:
    /// `backlog` outlives them.
    Subscribers(net::Executor executor, Backlog& backlog);

    /// From here on the writer hears this log. What it was still to be sent of another one comes first.
    void enter(Writer& writer);
    void leave(Writer& writer);
    bool has(const Writer& writer) const { return writer.subscribers_ == this; }
    bool empty() const { return writers_.empty(); }

    void append(std::string_view bytes);

private:
    void flush();
    void write_now();

    SharedLog log_;
    std::unordered_map<std::uint64_t, Writer*> writers_;  // by owner; empty before the subscribers are destroyed
    std::size_t max_unwritten_;
    SharedLog::Position offered_ = 0;  // the writers have been offered everything before this
    Backlog& backlog_;
    Backlog::Part waiting_;  // the log's of it
    Coalesced flush_;
};

}  // namespace chat
