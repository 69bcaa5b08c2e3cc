// Wrong: the watcher does not hear that the session is over, and holds its socket until the time is up.
// A coroutine for each client; one that says nothing for too long is closed.

#include "listening.hpp"

#include <boost/asio.hpp>

#include <chrono>
#include <exception>
#include <memory>

namespace {

namespace asio = boost::asio;

/// What one client's coroutines share.
struct Session {
    net::AsyncSocket socket;
    net::Timer timer;   // what the watcher waits for
    bool over = false;  // set by the server, for the watcher
};

/// Ends the session when nothing has moved for `idle`.
net::awaitable<void> watch(std::shared_ptr<Session> session, std::chrono::milliseconds idle) {
    for (;;) {
        const std::uint64_t moved = session->socket.bytes_moved();
        session->timer.expires_after(idle);
        co_await session->timer.async_wait(net::outcome);
        if (session->over) co_return;
        if (session->socket.bytes_moved() == moved) break;
    }
    session->socket.shutdown(net::tcp::socket::shutdown_both);
}

/// While a packet comes, send the reply.
net::awaitable<void> serve(std::shared_ptr<Session> session) {
    auto& socket = session->socket;
    while (const auto line = co_await socket.recv()) {
        socket.put({"ECHO ", *line});
    }
    session->over = true;
}

/// An exception is a mistake of ours: it is not to be swallowed.
void rethrow(const std::exception_ptr& exception) {
    if (exception) std::rethrow_exception(exception);
}

net::awaitable<void> accept_loop(asio::io_context& loop, net::Listener& listener, std::chrono::milliseconds idle) {
    while (auto client = co_await listener.async_accept(loop)) {
        const auto session = std::make_shared<Session>(Session{std::move(*client), net::Timer(loop), false});
        asio::co_spawn(loop, serve(session), rethrow);
        asio::co_spawn(loop, watch(session, idle), rethrow);
    }
}

}  // namespace

int main(int argc, char** argv) {
    asio::io_context loop;
    auto listener = listen_or_exit(loop, argc, argv);
    const std::chrono::milliseconds idle(argc > 2 ? std::atoi(argv[2]) : 5000);
    asio::co_spawn(loop, accept_loop(loop, listener, idle), rethrow);
    loop.run();
}
