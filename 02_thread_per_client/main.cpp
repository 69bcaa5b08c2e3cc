// Options, signals and the end of 02_thread_per_client; what it teaches is in server.cpp.

#include "02_thread_per_client/server.hpp"
#include "app/server.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>

namespace {

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
    server.threads.start([&server, handoff] { handoff ? accept_and_hand_off(server, 1) : accept_loop(server); });

    app::wait_for_shutdown_signal();
    if (!stop(server)) {
        std::cerr << "a thread never ended: leaving it behind" << std::endl;
        std::_Exit(EXIT_FAILURE);
    }
    app::tell({"server"}, app::events::stopped);
}
