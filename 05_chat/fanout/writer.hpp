#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/fanout/backlog.hpp"
#include "05_chat/fanout/outbox.hpp"
#include "net/async_socket.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

/// The bytes of the chat on their way out: one writer for each connection, and nobody waits for it. The loop's thread
/// only.
namespace chat {

class Writer;

/// Pieces of the outbox that one write gathers; mostly there is one.
inline constexpr std::size_t max_pieces = 8;

/// Those who hear the same. Each topic (a room) has a log, and the writers that read it.
class Subscribers {
public:
    /// `backlog` outlives them.
    Subscribers(net::Executor executor, Backlog& backlog) : executor_(std::move(executor)), backlog_(backlog) {}

    /// From here on the writer hears the topic of this name and no other. What is unsent of the one before comes first.
    /// A writer that was cut off hears nothing.
    void enter(Writer& writer, std::string_view name);
    /// The writer hears the topic of this name no more. Where it hears another one, nothing changes.
    void leave(Writer& writer, std::string_view name);
    /// Sends this to all that hear the topic of this name.
    void append(std::string_view name, std::string_view bytes);

private:
    friend Writer;
    struct Topic {
        Topic(const net::Executor& executor, Backlog& backlog);
        void write_now();
        void forget();
        void cut_off_overrun();

        SharedLog log;
        std::unordered_map<std::uint64_t, Writer*> writers;  // by owner; empty before the topic is destroyed
        SharedLog::Position offered = 0;                     // the writers have been offered everything before this
        Backlog::Part waiting;                               // the log's of it
        Coalesced flush;
    };

    net::Executor executor_;
    Backlog& backlog_;
    std::map<std::string, Topic, std::less<>> topics_;
};

/// A connection and what is still to be written to it. Callers add to its outbox and go on; a coroutine of its own
/// writes, as fast as the peer reads. A peer that is more than max_backlog behind is cut off. It is behind only by what
/// the system has refused to take, so a burst alone cuts nobody off.
class Writer : public std::enable_shared_from_this<Writer> {
public:
    /// `owner` is a number that no other writer has. `backlog` outlives the writer.
    Writer(net::AsyncSocket socket, std::uint64_t owner, Backlog& backlog);
    ~Writer();

    net::AsyncSocket& socket() { return socket_; }
    std::uint64_t owner() const { return owner_; }

    /// Starts the coroutine that writes. Once.
    void start();
    /// For this peer alone, after everything that was to be written before.
    void add(std::string_view bytes);
    /// The writer hears no topic any more. What is unsent is kept. A peer that has missed lines is cut off instead.
    void leave();
    /// Gives the system what it takes at once. Only for the rest the coroutine is woken, which costs as much again.
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
    /// Bytes that wait because the peer does not read: the system takes nothing more.
    std::size_t behind() const { return is_full_ ? outbox_.size() : 0; }
    /// Waits until no more than so many bytes are still to be written, or the writer has ended. A session waits here
    /// before it reads on: a peer that does not read its answers is not read, either. One caller at a time.
    net::awaitable<void> eased(std::size_t at_most);
    /// Ends that wait early.
    void wait_no_longer();

    /// Nothing more comes. What is left is written, then our direction is ended. After `within`, the receiving
    /// direction is ended too. Until then the peer may send, and must be read: a system resets the connection when
    /// bytes come that nobody will read, and what is on its way is lost.
    void end(std::chrono::milliseconds within);
    /// The same, and waits until the peer has ended its direction. What it sends is dropped.
    net::awaitable<void> finish(std::chrono::milliseconds within);

private:
    friend Subscribers;
    static net::awaitable<void> write(std::shared_ptr<Writer> writer);
    bool has_to_write() const;
    std::string rest_of_line() const;
    void count();
    void wake();

    net::AsyncSocket socket_;
    std::uint64_t owner_;
    Backlog& backlog_;
    Backlog::Part waiting_;  // ours of it
    Outbox outbox_;
    Subscribers::Topic* topic_ = nullptr;  // what it hears; null: nothing but what is added
    Notify more_;
    Notify written_;                   // for finish() and eased()
    std::optional<Deadline> the_end_;  // after end()
    bool is_awaited_ = false;          // somebody is in eased()
    bool is_awake_ = true;             // the coroutine will look at the outbox
    bool is_full_ = false;             // the system takes nothing more; the coroutine waits for the peer to read
    bool is_broken_ = false;           // the system takes nothing, and never will
    bool has_ended_ = false;           // the coroutine has
    bool is_in_line_ = false;          // the last byte written did not end a line
    std::string why_cut_off_;
    LastWords last_words_ = nullptr;
};

}  // namespace chat
