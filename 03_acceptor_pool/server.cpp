// 03_acceptor_pool: a pool of acceptors, a coroutine for each client.
//
// A coroutine that waits gives its thread back, so a few threads serve any number of clients. Several acceptors wait at
// one listening socket: while one of them sets a connection up, or backs off, or has died, the others go on accepting.

#include "app/server.hpp"
#include "03_acceptor_pool/pool.hpp"
#include "app/events.hpp"
#include "app/faults.hpp"

namespace pool {

namespace events = app::events;

/// All whole packets of one read, or as many of them as one turn may take, are answered in one write, and told in one.
/// Not a coroutine: it waits for nothing.
void answer(const net::Packets& packets, net::AsyncSocket& socket, app::Who client, std::string_view prefix) {
    const app::story::Batch told_together;
    for (const auto packet : packets) {
        app::tell_data(client, packet);
        app::faults::obey(packet);
        socket.put({prefix, packet});
    }
}

/// While packets come, send the replies.
net::awaitable<void> serve(net::AsyncSocket& socket, app::Who client, std::string_view prefix) {
    app::tell(client, events::waits_for_data);
    while (const auto packets = co_await socket.recv_all()) {
        answer(*packets, socket, client, prefix);
        app::tell(client, events::waits_for_data);
    }
}

/// One client. An exception ends this coroutine, and start_session() hears of it.
net::awaitable<void> session(Connections::Entry connection, std::string_view prefix) {
    co_await serve(connection.socket(), connection.client(), prefix);
    app::tell_closed(connection.client(), connection.socket().why_closed());
    co_await connection.socket().close();
}

/// The next client, for `loop`, or that the pool stops. Where the system is short of descriptors, the client stays in
/// the backlog until one is free.
net::awaitable<net::result<net::AsyncSocket>> accept(Pool& pool, std::uint64_t number, Loop& loop) {
    app::tell({"acceptor", number}, events::waits_for_client);
    for (;;) {
        auto socket = co_await pool.listener().async_accept(loop.context);
        if (socket || socket.error() == net::Error::stopped) co_return socket;
        app::tell_shortage({"acceptor", number}, socket.error());
        co_await pool.wait(number, app::shortage_wait);
    }
}

/// Accepts clients until the pool stops.
net::awaitable<void> acceptor(Pool& pool, std::uint64_t number) {
    const app::Who acceptor{"acceptor", number};
    for (;;) {
        // Before the client: a hard limit means that one client too many is never accepted.
        Place place = co_await pool.places().take_to_accept(acceptor);
        Loop& loop = pool.next_loop();
        auto socket = co_await accept(pool, number, loop);
        if (!socket) break;
        app::tell_connected(acceptor, *socket);
        if (!place) place = pool.places().try_take();
        if (!place) {
            app::tell_rejected(acceptor, *socket, "too many clients");
            socket->refuse("too many clients, try again later");
            continue;
        }
        co_await pool.set_up(number, *socket);
        pool.start_session(number, loop, std::move(*socket), std::move(place));
    }
}

}  // namespace pool
