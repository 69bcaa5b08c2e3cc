// Where there are no workers: their root watches them through pidfds, which only Linux has.

#include "05_chat/operator/signals.hpp"
#include "05_chat/operator/workers.hpp"

#include <iostream>

namespace chat {

int run_root(const Options&, const app::ServerOptions&) {
    std::cerr << "05_chat: --workers works on Linux only" << std::endl;
    return EXIT_FAILURE;
}

std::unique_ptr<Operator> make_operator(boost::asio::io_context& loop, const Options&,
                                        const app::ServerOptions& server) {
    return std::make_unique<Signals>(loop, server);
}

}  // namespace chat
