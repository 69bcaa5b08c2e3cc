// 02_thread_per_client: a thread for each client.
//
// The acceptor only accepts; whoever it accepts gets a thread, which may wait for its client as long as it likes. The
// price is the thread: its stack, and a switch of threads for each message.

#include "app/server.hpp"
#include "02_thread_per_client/open_sockets.hpp"
#include "02_thread_per_client/threads.hpp"
#include "app/events.hpp"
#include "app/faults.hpp"

#include <iostream>
#include <memory>
#include <thread>

namespace {

namespace events = app::events;

struct Server {
    net::Listener listener;
    std::string_view prefix;
    OpenSockets sockets;
    Threads threads;
};

/// While a packet comes, send the reply.
void serve(net::Socket& socket, app::Who client, std::string_view prefix) {
    app::tell(client, events::waits_for_data);
    while (const auto packet = socket.recv()) {
        app::tell_data(client, *packet);
        app::faults::obey(*packet);
        if (!socket.send({prefix, *packet})) break;
        app::tell(client, events::waits_for_data);
    }
}

/// One client, from its thread's point of view. An exception that left a thread would end the whole process.
void handle(Server& server, net::Socket& socket, app::Who client) try {
    {
        const OpenSockets::Entry entry(server.sockets, socket);
        serve(socket, client, server.prefix);
    }
    app::tell_closed(client, socket.why_closed());
    socket.close();
} catch (const std::exception& error) {
    app::tell(client, events::crashed, error.what());
}

/// Waits for a client; null when the server stops. Shared, because the acceptor hands it to a thread.
std::shared_ptr<net::Socket> accept(Server& server, app::Who acceptor) {
    app::tell(acceptor, events::waits_for_client);
    for (;;) {
        auto socket = server.listener.accept();
        if (socket.error() == net::Error::stopped) return nullptr;
        if (!socket) {
            app::tell_shortage(acceptor, socket.error());
            std::this_thread::sleep_for(app::shortage_wait);
            continue;
        }
        app::tell_connected(acceptor, *socket);
        return std::make_shared<net::Socket>(std::move(*socket));
    }
}

/// Starts a thread for a client's sake. A system that refuses one costs this client, and nobody else.
template <class Body>
bool start_thread(Server& server, app::Who acceptor, net::Socket& socket, Body body) try {
    server.threads.start(std::move(body));
    return true;
} catch (const std::exception& refused) {
    app::tell_seldom(acceptor, events::cannot_start_thread, refused.what());
    socket.refuse("no thread for you, try again later");
    return false;
}

/// One shape: the acceptor stays, and starts a handler for each client.
void acceptor_that_spawns(Server& server) {
    const app::Who acceptor{"acceptor", 1};
    for (std::uint64_t number = 1; const auto socket = accept(server, acceptor); ++number) {
        start_thread(server, acceptor, *socket,
                     [&server, socket, number] { handle(server, *socket, {"handler", number}); });
    }
}

/// The other (--handoff): the acceptor starts the next acceptor, and becomes the handler itself.
void acceptor_that_hands_off(Server& server, std::uint64_t number) {
    while (const auto socket = accept(server, {"acceptor", number})) {
        const bool succeeded = start_thread(server, {"acceptor", number}, *socket,
                                            [&server, number] { acceptor_that_hands_off(server, number + 1); });
        if (succeeded) return handle(server, *socket, {"handler", number});
    }
}

/// How long clients may take to finish when the server is told to end.
constexpr std::chrono::seconds patience{5};

/// Everybody is answered what they have asked, and every thread is joined. False where a thread never ends.
bool stop(Server& server) {
    server.listener.stop();
    server.sockets.shutdown_all(net::tcp::socket::shutdown_receive);
    if (server.threads.join_all(patience)) return true;
    server.sockets.shutdown_all(net::tcp::socket::shutdown_both);
    return server.threads.join_all(patience);
}

}  // namespace

int main(int argc, char** argv) {
    app::CommandLine line("02_thread_per_client", "A thread for each client.");
    app::ServerOptions options;
    bool handoff = false;
    line.group("This stage");
    line.flag("--handoff", handoff, "The acceptor starts the next acceptor and becomes the client's handler");
    options.declare(line);
    line.parse_or_exit(argc, argv);
    options.apply();
    app::block_shutdown_signals();

    boost::asio::io_context loop;
    Server server{app::listen_or_exit(loop, options), options.reply_prefix(), {}, {}};
    app::announce(options, server.listener);
    server.threads.start(
        [&server, handoff] { handoff ? acceptor_that_hands_off(server, 1) : acceptor_that_spawns(server); });

    app::wait_for_shutdown_signal();
    if (!stop(server)) {
        std::cerr << "a thread never ended: leaving it behind" << std::endl;
        std::_Exit(EXIT_FAILURE);
    }
    app::tell({"server"}, events::stopped);
}
