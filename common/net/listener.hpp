#pragma once

#include "net/async_socket.hpp"
#include "net/socket.hpp"

namespace net {

/// A listening socket: the kernel finishes connections on its own and keeps them, up to the backlog, until somebody
/// accepts them. Closed when it is destroyed. SO_REUSEADDR is on, so that a restarted server gets its port back.
class Listener {
public:
    /// Takes over an acceptor that listens already, and may have come from another process.
    Listener(TcpAcceptor acceptor, const SocketOptions& options);

    /// Waits for the next client. A client that gave up before it was accepted is passed over, as accept(2) advises.
    /// Errors: a shortage (is_shortage(): wait, then call again); Error::stopped after stop() or close(); else the
    /// system's, and then there is no point in calling again.
    result<Socket> accept();

    /// As accept(); the socket belongs to `loop`, which may be another than the listener's.
    awaitable<result<AsyncSocket>> async_accept(asio::io_context& loop);

    /// Wakes the threads that wait in accept(), for good. Any thread.
    void stop();

    /// Lets go of the port: from now on clients are refused. Ends async_accept() with Error::stopped.
    void close();

    /// Lets go of the listening socket without closing it: from now on it is the caller's plain descriptor.
    int release();

    /// The address it listens on, with the real port.
    tcp::endpoint sockname() const;

private:
    bool is_listening();

    TcpAcceptor acceptor_;
    SocketOptions options_;
};

/// Listens on the first address of `host` that can be had; port 0 takes a free one. Errors: the resolver's ("host not
/// found"), socket(2)'s, bind(2)'s ("address already in use", "permission denied"), listen(2)'s.
result<Listener> listen(asio::io_context& loop, const std::string& host, std::uint16_t port,
                        const SocketOptions& options);

}  // namespace net
