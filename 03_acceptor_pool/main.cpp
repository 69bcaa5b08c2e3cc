// Options, threads and signals of 03_acceptor_pool; what it teaches is in server.cpp.

#include "02_thread_per_client/threads.hpp"
#include "03_acceptor_pool/pool.hpp"
#include "app/events.hpp"
#include "app/server.hpp"

#include <csignal>
#include <iostream>

#include <unistd.h>

int main(int argc, char** argv) {
    app::CommandLine line("03_acceptor_pool", "A pool of acceptors, and a coroutine for each client.");
    pool::Options options;
    app::ServerOptions server;
    options.declare(line);
    server.declare(line);
    line.parse_or_exit(argc, argv);
    server.apply();
    app::block_shutdown_signals();

    pool::Pool pool(options, server.reply_prefix(),
                    [&](boost::asio::io_context& loop) { return app::listen_or_exit(loop, server); });
    app::announce(server, pool.listener());
    std::atomic<bool> deaf = false;
    pool.start([&] {
        deaf = true;
        ::kill(::getpid(), SIGTERM);  // wakes the main thread, which ends everything in order
    });
    Threads threads;
    for (auto& loop : pool.loops()) threads.start([&loop] { loop->run(); });

    app::wait_for_shutdown_signal();
    pool.stop();
    // Beyond the timeout, sessions are cut off at once; a loop that still runs is stuck in somebody's code.
    constexpr std::chrono::seconds cut_off{1};
    if (!threads.join_all(options.shutdown_timeout + cut_off)) {
        std::cerr << "an event loop never ended: leaving it behind" << std::endl;
        std::_Exit(EXIT_FAILURE);
    }
    pool.tell_accepted();
    app::tell({"server"}, app::events::stopped);
    if (!deaf) return EXIT_SUCCESS;
    std::cerr << "no acceptor is left: each of them has told why" << std::endl;
    return EXIT_FAILURE;
}
