// 03_acceptor_pool: a pool of acceptors, a coroutine for each client.
//
// A coroutine that waits gives its thread back, so few threads serve many. An acceptor that is busy delays nobody else.

#include "03_acceptor_pool/pool.hpp"

namespace pool {

/// While packets come, send the replies: what one recv_all() brings is answered in one write.
net::awaitable<void> serve(app::AsyncClient& client, std::string_view prefix) {
    while (const auto packets = co_await client.recv_all()) {
        for (const auto packet : *packets) client.put({prefix, packet});
    }
}

/// One client, in a coroutine of its own. An exception ends it, and start_session() hears of that.
net::awaitable<void> session(Sessions::Entry entry, std::string_view prefix) {
    co_await serve(entry.client(), prefix);
    co_await entry.client().close();
}

/// A coroutine for each client. The permit comes first: a hard limit means that one client too many is never accepted.
net::awaitable<void> accept_loop(Pool& pool, std::uint64_t number) {
    app::Door door(pool.listener(), {"acceptor", number});
    for (;;) {
        Permit permit = co_await pool.limit().acquire(door.who());
        Loop& loop = pool.next_loop();
        auto socket = co_await door.async_accept(loop.context);
        if (!socket) break;
        if (!permit) permit = pool.limit().try_acquire();
        if (!permit) {
            door.reject(*socket, "too many clients");
            continue;
        }
        co_await pool.set_up(number, *socket);
        pool.start_session(number, loop, std::move(*socket), std::move(permit));
    }
}

}  // namespace pool
