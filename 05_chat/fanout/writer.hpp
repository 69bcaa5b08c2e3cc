#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/fanout/backlog.hpp"
#include "05_chat/fanout/shared_log.hpp"
#include "net/async_socket.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

/// The bytes of the chat on their way out: one writer for each connection, which nobody else waits for.
/// The loop's thread only.
namespace chat {

class Subscribers;

/// A connection and what is still to be written to it. Whoever has something to say adds it to the outbox and goes on;
/// a coroutine of its own writes, as fast as the peer reads. A peer that falls further behind than max_backlog is cut
/// off; a burst is no falling behind, and is counted only when the system has been offered it.
class Writer : public std::enable_shared_from_this<Writer> {
public:
    /// `owner` is whose writer it is: a number nobody else has. `all` is what waits for everybody; it outlives the
    /// writer.
    Writer(net::AsyncSocket socket, std::uint64_t owner, std::size_t max_backlog, Backlog* all = nullptr);
    ~Writer();

    net::AsyncSocket& socket() { return socket_; }
    std::uint64_t owner() const { return owner_; }

    /// Starts the writer. Once.
    void start();
    /// For this peer alone, after everything that it was sent before.
    void add(std::string_view bytes);
    /// It hears no audience any more.
    void leave();
    /// There is more to write. What the system takes at once it is given here and now; for the rest the writer is
    /// woken, which costs as much as a coroutine.
    void write_now();
    /// The connection ends now, whatever is still to be written. A peer that reads lines, and so has last words, may
    /// still be sent them, after the rest of the line that it has begun to read, if it takes them: see finish().
    void cut_off(std::string why);
    /// Why it was cut off; empty when it was not.
    const std::string& why_cut_off() const { return why_cut_off_; }
    using LastWords = std::string (*)(std::string_view why);
    void set_last_words(LastWords words) { last_words_ = words; }

    /// Bytes that are left to be written.
    std::size_t backlog() const { return outbox_.size(); }
    /// Waits until no more than so many bytes are left to be written, or it ends: whoever does not read what they asked
    /// for is not read either. One at a time.
    net::awaitable<void> eased(std::size_t at_most);
    /// Ends that wait, where somebody is in it: they have to go.
    void wait_no_longer();

    /// Writes what is left and ends our direction; waits for that, and for the peer to end its own, `within` at most.
    net::awaitable<void> finish(std::chrono::milliseconds within);

private:
    friend Subscribers;
    friend Backlog;
    static net::awaitable<void> write(std::shared_ptr<Writer> writer);
    bool has_to_write() const;
    net::result<std::size_t> write_some();
    std::string rest_of_line() const;
    void count();
    void wake();

    net::AsyncSocket socket_;
    std::uint64_t owner_;
    std::size_t max_backlog_;
    Outbox outbox_;
    Subscribers* subscribers_ = nullptr;  // what it hears; null: nothing but what is added
    Notify more_;
    Notify written_;           // for finish() and eased()
    bool is_awaited_ = false;  // somebody is in eased()
    bool is_awake_ = true;     // the writer will look at the outbox
    bool is_full_ = false;     // the system has taken all it takes; the writer waits for the peer to read
    bool is_finishing_ = false;
    bool has_ended_ = false;   // the writer has
    bool is_in_line_ = false;  // the last byte written did not end a line
    std::string why_cut_off_;
    LastWords last_words_ = nullptr;

    Backlog* all_;
    std::size_t counted_ = 0;  // there, of ours
    std::optional<Backlog::Place> place_;
    Backlog::Clock::time_point behind_since_;
};

/// Those who hear the same: a log, and the writers that stand somewhere in it.
class Subscribers {
public:
    Subscribers(net::Executor executor, std::size_t max_backlog, Backlog* all = nullptr);
    /// Nobody may be in it.
    ~Subscribers();

    /// From here on the writer hears this; what it had not been sent of another audience comes first.
    void enter(Writer& writer);
    void leave(Writer& writer);
    bool has(const Writer& writer) const { return writer.subscribers_ == this; }
    bool empty() const { return writers_.empty(); }

    void append(std::string_view bytes);

private:
    void turn();
    void write_now();

    SharedLog log_;
    std::unordered_map<std::uint64_t, Writer*> writers_;
    std::size_t max_unwritten_;
    SharedLog::Position offered_ = 0;  // up to here everybody has been offered it
    Backlog* all_;
    std::size_t counted_ = 0;  // there, of ours
    Coalesced turn_;
};

}  // namespace chat
