#pragma once

#include "app/story.hpp"
#include "net/socket.hpp"

#include <initializer_list>
#include <string_view>

namespace app {

/// A client as its server sees it: a socket, and the name under which the story of serving it is told. Blocks, as
/// net::Socket does. One thread at a time.
class Client {
public:
    /// `who` serves it: the server itself in 01, a handler of this client alone in 02.
    Client(net::Socket socket, Who who);

    /// The next packet, or why none comes any more: net::Socket::recv(). Tells that it waits, and what came. Where
    /// faults are on, obeys one.
    net::result<std::string_view> recv();

    /// Sends one packet: net::Socket::send().
    net::result<void> send(std::initializer_list<std::string_view> pieces) { return socket_.send(pieces); }

    /// Tells how the connection has ended, and closes it: net::Socket::close().
    void close();

    net::Socket& socket() { return socket_; }
    Who who() const { return who_; }

private:
    net::Socket socket_;
    Who who_;
};

}  // namespace app
