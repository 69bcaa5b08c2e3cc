// 04_supervised: the pool in supervised processes.
//
// A coroutine contains exceptions; a segfault, an endless loop or a leak only ends with its process. So a root, which
// serves nobody, holds the listening socket, and supervises workers: processes that share the socket, each of them
// stage 03's pool. One that crashes takes its own clients with it and nobody else's, and is started again, unless it
// crashes too often. The supervisors are OTP's: see otp/.

#include "04_supervised/root/root.hpp"
#include "04_supervised/worker/worker.hpp"

#include <iostream>

using supervision::ChildSpec;
using supervision::ChildType;
using supervision::Strategy;

/// The root's tree: workers, permanent, under a supervisor that the options describe.
int run_root(const Options& options) {
    Root root(options);
    std::vector<ChildSpec> workers;
    for (unsigned number = 1; number <= options.workers; ++number) workers.push_back(root.worker(number));
    return root.run(options.flags(options.strategy), workers);
}

/// A worker's tree. An acceptor that crashes is started again and takes no session with it; without the supervisor of
/// the sessions no acceptor makes sense, hence rest_for_one. What starts last stops first: nobody accepts any more,
/// then the sessions end.
int run_worker(const Options& options) {
    Worker worker(options);
    std::vector<ChildSpec> acceptors;
    for (unsigned number = 1; number <= options.pool.acceptors; ++number) {
        acceptors.push_back({.id = "acceptor-" + std::to_string(number), .argument = worker.acceptor(number)});
    }
    const auto one_for_one = options.flags(Strategy::one_for_one);
    return worker.run(options.flags(Strategy::rest_for_one),
                      {{.id = "connections", .type = ChildType::supervisor, .argument = worker.connections()},
                       {.id = "acceptors",
                        .type = ChildType::supervisor,
                        .argument = worker.supervisor("acceptors", one_for_one, acceptors)}});
}

int main(int argc, char** argv) {
    Options options;
    options.parse_or_exit(argc, argv);
    if (options.worker > 0) app::story::speak_as({"worker", options.worker});
    options.server.apply();
    if (options.worker == 0) return run_root(options);
    try {
        return run_worker(options);
    } catch (const boost::system::system_error& error) {
        if (net::is_shortage(error.code())) throw;  // a worker of a root's, but with too little to begin with
        std::cerr << "04_supervised: --as-worker is only for the root to use: " << net::reason(error.code())
                  << std::endl;
        return EXIT_FAILURE;
    }
}
