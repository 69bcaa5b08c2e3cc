#pragma once

#include "app/faults.hpp"
#include "app/story.hpp"
#include "net/async_socket.hpp"

#include <initializer_list>
#include <string_view>

namespace app {

/// As Client, for a coroutine in the socket's loop. It costs nothing where no story is told and no fault obeyed.
class AsyncClient {
public:
    AsyncClient(net::AsyncSocket socket, Who who);

    /// Whole packets of one read, or why none comes any more: net::AsyncSocket::recv_all(). Tells that it waits,
    /// and what came, all of it in one write. Where faults are on, obeys them; each one when all before it was
    /// answered.
    net::awaitable<net::result<net::Packets>> recv_all() {
        return story::is_told() || faults::are_on ? recv_all_and_tell() : socket_.recv_all();
    }

    /// Adds one packet to what the next recv_all() sends: net::AsyncSocket::put().
    void put(std::initializer_list<std::string_view> pieces) { socket_.put(pieces); }

    /// Tells how the connection has ended, and closes it: net::AsyncSocket::close().
    net::awaitable<void> close();

    net::AsyncSocket& socket() { return socket_; }
    Who who() const { return who_; }

private:
    net::awaitable<net::result<net::Packets>> recv_all_and_tell();
    net::awaitable<void> tell_if_peer_does_not_read();

    net::AsyncSocket socket_;
    Who who_;
    net::Packets rest_;  // of what came: from a fault on that others came before
};

}  // namespace app
