// Options, doors and signals of 05_chat; what it teaches is in server.cpp.

#include "05_chat/link_server.hpp"
#include "05_chat/link_venue.hpp"
#include "05_chat/options.hpp"
#include "app/events.hpp"
#include "app/server.hpp"

#include <boost/asio.hpp>

#include <iostream>

namespace {

namespace asio = boost::asio;
using namespace chat;

constexpr std::string_view lobby = "lobby";

[[noreturn]] void fail(const std::string& what) {
    std::cerr << what << std::endl;
    std::exit(EXIT_FAILURE);
}

/// Runs the loop until this has happened.
template <class T>
T run_until_done(asio::io_context& loop, net::awaitable<T> task) {
    std::optional<T> done;
    asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& crash, T result) {
        if (crash) std::rethrow_exception(crash);
        done = std::move(result);
    });
    while (!done && loop.run_one() > 0) {
    }
    return std::move(done.value());
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    app::ServerOptions server;
    options.parse_or_exit(argc, argv, server);
    server.apply();

    asio::io_context loop(1);
    TextServer* text = nullptr;
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    const auto max_backlog = options.manners.max_backlog;

    net::Listener listener = app::listen_or_exit(loop, server);
    const std::string node = net::to_string(listener.sockname());

    RoomsHere rooms(loop.get_executor(), options.limits, max_backlog, lobby);
    std::optional<LinkServer> links;
    if (options.node_port) {
        app::ServerOptions where = server;
        where.port = *options.node_port;
        where.socket.packet = net::Packet::four;
        where.socket.max_packet = link::max_frame;
        links.emplace(loop, app::listen_or_exit(loop, where), rooms,
                      LinkServer::Settings{node, options.handshake_timeout, max_backlog, options.manners.rate,
                                           options.manners.burst});
    }
    std::optional<LinkVenue> elsewhere;
    if (options.join) {
        const auto& [host, port] = *options.join;
        elsewhere.emplace(loop, LinkVenue::Settings{node, host, port, options.rejoin, options.handshake_timeout,
                                                    max_backlog, options.limits.max_line});
        if (const std::string why = run_until_done(loop, elsewhere->start()); !why.empty()) {
            fail("cannot join " + net::host_and_port(host, port) + ": " + why);
        }
    }
    Venue& venue = elsewhere ? static_cast<Venue&>(*elsewhere) : rooms;
    TextServer door(loop, std::move(listener), venue, std::string(lobby), options.manners,
                    [&] { return rooms.next_person(); });
    text = &door;
    app::announce(server, door.listener());
    if (links) links->start();
    door.start();

    net::Timer deadline(loop);
    signals.async_wait([&](boost::system::error_code cancelled, int number) {
        if (cancelled) return;
        app::tell({"server"}, app::events::got_signal, number == SIGINT ? "SIGINT" : "SIGTERM");
        text->stop();
        if (links) links->stop();
        if (elsewhere) elsewhere->stop();
    });
    loop.run();
    app::tell({"server"}, app::events::stopped);
    return EXIT_SUCCESS;
}
