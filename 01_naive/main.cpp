// Options of 01_naive; what it teaches is in server.cpp.

#include "01_naive/server.hpp"
#include "app/server.hpp"

#include <cstdlib>

int main(int argc, char** argv) {
    app::CommandLine line("01_naive", "One thread that serves one client at a time; the next one waits.");
    app::ServerOptions options;
    options.declare(line);
    line.parse_or_exit(argc, argv);
    options.apply();

    boost::asio::io_context loop;  // Asio's sockets belong to one, even where nothing runs it
    auto listener = app::listen_or_exit(loop, options);
    app::announce(options, listener);
    // SIGINT and SIGTERM are left alone: they end the process in the middle of whatever it does. 02 does better.
    accept_loop(listener, options.reply_prefix());
    return EXIT_FAILURE;  // the listener is broken, and the door has told why
}
