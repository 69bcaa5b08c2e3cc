// 05_chat: a room for everybody.
//
// Until now clients had nothing to do with each other. Here what one says all others hear, and the rule is that nobody
// ever waits for anybody: whoever speaks puts the line into the room's log and goes on, and each connection has a
// writer (writer.cpp) that sends the log as fast as *its* peer reads. One event loop is enough: a line costs its sender
// microseconds, and the order of a room has to be made in one place anyway.

#include "05_chat/text/server.hpp"
#include "app/events.hpp"
#include "app/faults.hpp"
#include "app/server.hpp"

namespace chat {

namespace {

std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

/// While lines come, do what they say. Nothing is written here.
net::awaitable<void> hear_out(Session& session) {
    co_await session.carry_out(session.open());
    while (auto lines = co_await session.socket().recv_all()) {
        for (const auto line : *lines) {
            app::tell_data(session.who(), line);
            app::faults::obey(line);
            co_await session.carry_out(session.typed(without_line_end(line)));
            if (session.is_too_fast()) co_await session.wait();
            if (session.is_leaving()) co_return;
        }
    }
}

/// One person. Whatever ends the conversation, the room hears that they have left, and they are sent what they are
/// owed.
net::awaitable<void> session(std::shared_ptr<Session> session) {
    session->writer->start();
    std::exception_ptr crash;
    try {
        co_await hear_out(*session);
    } catch (...) {
        crash = std::current_exception();
    }
    app::tell_crash(session->who(), crash);
    if (session->socket().why_closed() == net::Error::too_long) session->tell("The line is too long. Goodbye!");
    co_await session->leave();
    if (const auto& why = session->writer->why_cut_off(); !why.empty()) {
        app::tell(session->who(), app::events::is_cut_off, why);
    } else {
        app::tell_closed(session->who(), session->socket().why_closed());
    }
    co_await session->writer->finish(farewell);
}

/// Accepts people until the server stops. One is enough where setting a connection up costs nothing.
net::awaitable<void> acceptor(TextServer& server) {
    constexpr app::Who acceptor{"acceptor"};
    for (;;) {
        app::tell(acceptor, app::events::waits_for_client);
        auto socket = co_await server.listener().async_accept(server.loop());
        if (socket.error() == net::Error::stopped) break;
        if (!socket) {
            app::tell_shortage(acceptor, socket.error());
            co_await server.wait(app::shortage_wait);
            continue;
        }
        app::tell_connected(acceptor, *socket);
        server.welcome(std::move(*socket));
        app::faults::throw_in("door");
    }
}

}  // namespace chat
