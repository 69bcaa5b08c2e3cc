#pragma once

#include "net/listener.hpp"

#include <cstdlib>
#include <iostream>
#include <string>

/// How the exercises' servers begin: listens on 127.0.0.1, at the port that the first argument names (1234 without one,
/// 0 takes a free one), and says so in the first line. Where that cannot be: one line on stderr, and exit 1.
inline net::Listener listen_or_exit(boost::asio::io_context& loop, int argc, char** argv,
                                    const net::SocketOptions& options = {}) {
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 1234);
    auto listener = net::listen(loop, "127.0.0.1", port, options);
    if (!listener) {
        std::cerr << "cannot listen on " << net::host_and_port("127.0.0.1", port) << ": "
                  << net::reason(listener.error()) << std::endl;
        std::exit(EXIT_FAILURE);
    }
    std::cout << "Listening on " << net::to_string(listener->sockname()) << std::endl;
    return std::move(*listener);
}
