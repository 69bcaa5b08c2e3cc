#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/erlang/dist/connection.hpp"
#include "net/async_socket.hpp"

#include <functional>
#include <memory>

namespace erlang {

/// The socket under a Connection: reads, writes and watches the clock for it. The loop's thread only.
class Peer : public std::enable_shared_from_this<Peer> {
public:
    /// What the owner does with an event, in order; how long to wait before the next one is looked at. While that lasts
    /// the peer is not read; but where the connection breaks meanwhile, only Closed follows. Closed is the last.
    using OnEvent = std::function<Clock::duration(Event& event)>;

    /// `socket` speaks raw bytes.
    Peer(net::AsyncSocket socket, Connection connection, OnEvent on_event);

    Connection& connection() { return connection_; }
    std::string peername() const { return socket_.peername(); }

    /// What can still be said when all output has been sent; before run().
    std::function<void()> on_drained = [] {};

    /// From here to the end of the connection. Once; whoever holds a Peer does not keep it going.
    net::awaitable<void> run();
    /// After anything that may have made output: sends it.
    void flush();
    /// Ends it, with this reason.
    void close(std::string why);

private:
    static net::awaitable<void> write(std::shared_ptr<Peer> self);
    static net::awaitable<void> keep_time(std::shared_ptr<Peer> self);
    net::awaitable<void> handle_events();

    net::AsyncSocket socket_;
    Connection connection_;
    OnEvent on_event_;
    net::Timer pulse_;
    net::Timer pause_;
    chat::Notify more_;
    chat::Notify written_;
    bool is_broken_ = false;  // nobody is there any more: what else they have said is not heard
    bool is_awake_ = true;    // the writer will look for output
    bool has_ended_ = false;  // the writer has
};

}  // namespace erlang
