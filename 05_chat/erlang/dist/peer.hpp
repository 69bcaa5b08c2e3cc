#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/erlang/dist/connection.hpp"
#include "05_chat/fanout/backlog.hpp"
#include "net/async_socket.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <optional>

namespace erlang {

/// The socket under a Connection: reads, writes and watches the clock for it. The loop's thread only.
class Peer : public std::enable_shared_from_this<Peer> {
public:
    /// What the owner does with an event; the events come in order. Returns how long to wait before the next one. While
    /// all that lasts the peer is not read. Where the connection breaks meanwhile, only Closed follows. Closed is the
    /// last event, and comes always.
    using OnEvent = std::function<net::awaitable<Clock::duration>(Event& event)>;

    /// `socket` speaks raw bytes. `backlog` outlives the peer.
    Peer(net::AsyncSocket socket, Connection connection, chat::Backlog& backlog, OnEvent on_event);

    Connection& connection() { return connection_; }
    std::string peername() const { return socket_.peername(); }

    /// Called when all output has been sent: it may make more. To be set before run().
    std::function<void()> on_drained = [] {};

    /// From here to the end of the connection. Once. What on_event or on_drained throws closes the connection; after
    /// its end run() throws the same.
    net::awaitable<void> run();
    /// Sends output. To be called after anything that may have made some.
    void flush();
    /// Ends it, with this reason.
    void close(std::string why);

private:
    static net::awaitable<void> write(std::shared_ptr<Peer> self);
    static net::awaitable<void> keep_time(std::shared_ptr<Peer> self);
    net::awaitable<void> hear_out();
    net::awaitable<void> handle_events();
    void close_after(const std::exception_ptr& crash);
    void count();

    net::AsyncSocket socket_;
    Connection connection_;
    chat::Backlog& backlog_;
    chat::Backlog::Part waiting_;  // ours of it
    std::size_t being_sent_ = 0;   // bytes that are the connection's output no more
    OnEvent on_event_;
    net::Timer pulse_;
    net::Timer pause_;
    chat::Notify more_;
    chat::Notify written_;
    std::optional<chat::Deadline> the_end_;  // of last_words
    std::exception_ptr crash_;               // for the end of run()
    bool is_broken_ = false;                 // the peer is gone: what else it has said is not heard
    bool is_awake_ = true;                   // write() will look for output
    bool has_ended_ = false;                 // write() has
};

}  // namespace erlang
