#include "05_chat/operator/workers.hpp"

#include "04_supervised/root/root.hpp"
#include "05_chat/operator/signals.hpp"
#include "05_chat/operator/under_root.hpp"

#include <iostream>

namespace chat {

namespace {

/// A worker that has not come up by then hangs: what it waits for by itself has shorter limits.
constexpr std::chrono::milliseconds longest_start{60'000};

/// How long a node may take to end when nobody holds it up: people are sent what they are owed, the engine orders what
/// waits.
constexpr std::chrono::milliseconds orderly_end{4000};

}  // namespace

int run_root(const Options& options, const app::ServerOptions& server) {
    supervised::Root root(
        {.program = "05_chat",
         .server = server,
         .arguments_of_worker = [&](unsigned number, bool again) { return options.arguments_of_worker(number, again); },
         .start_timeout = longest_start,
         .shutdown_timeout = options.shutdown_timeout + orderly_end,
         .watchdog = std::chrono::milliseconds(options.watchdog_ms)});
    std::vector<otp::ChildSpec> workers;
    for (unsigned number = 1; number <= options.workers; ++number) workers.push_back(root.worker(number));
    return root.run({.intensity = options.max_restarts, .period = std::chrono::seconds(options.max_seconds)}, workers);
}

std::unique_ptr<Operator> make_operator(boost::asio::io_context& loop, const Options& options,
                                        const app::ServerOptions& server) {
    if (options.worker == 0) return std::make_unique<Signals>(loop, server);
    try {
        const auto name = "worker-" + std::to_string(options.worker);
        return std::make_unique<UnderRoot>(loop, UnderRoot::Settings{name, server.socket, options.again});
    } catch (const boost::system::system_error& error) {
        if (net::is_shortage(error.code())) throw;  // the root has started it, but there is too little to begin with
        std::cerr << "05_chat: --as-worker is only for the root to use: " << net::reason(error.code()) << std::endl;
        std::exit(EXIT_FAILURE);
    }
}

}  // namespace chat
