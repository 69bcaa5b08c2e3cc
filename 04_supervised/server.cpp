// 04_supervised: the pool in supervised processes.
//
// A coroutine contains exceptions. A segfault, an endless loop or a leak ends only with its process. So a root, which
// serves nobody, holds the listening socket and supervises workers: processes that share the socket, each of them stage
// 03's pool. A worker that crashes takes along its own clients and nobody else's, and is started again, unless that
// happens too often.
//
// The files, in the order to read them:
//   root/root.cpp               the root starts workers, hears what they say, obeys signals
//   process/process_child.cpp   a process as a child: how it starts, hangs and ends
//   otp/supervisor.cpp          what a supervisor does when a child has ended, in OTP's way
//   otp/operation.cpp           how it stops some children, and then starts some
//   otp/runtime/runtime.cpp     tells a supervisor what happens, carries out what it wants done
//   root/rolling_restart.cpp    SIGHUP: a new worker for each old one
//   worker/worker.cpp           a worker serves clients, and obeys the root
// A worker dies, and a new one lives: ProcessChild::ended, Runtime::handle, Supervisor::receive(ChildExited),
// process(Exited), restart, begin_restart, advance, start_next, Runtime::carry_out(StartChild), Root::start_worker.

#include "04_supervised/server.hpp"

#include "04_supervised/root/root.hpp"
#include "04_supervised/worker/worker.hpp"

namespace supervised {

using otp::ChildSpec;
using otp::ChildType;
using otp::Strategy;

namespace {

Root::Settings settings_of_root(const Options& options) {
    return {.program = "04_supervised",
            .server = options.server,
            .arguments_of_worker = [&options](unsigned number, bool) { return options.arguments_of_worker(number); },
            .shutdown_timeout = options.pool.shutdown_timeout,
            .watchdog = std::chrono::milliseconds(options.watchdog_ms),
            .tree = options.tree};
}

}  // namespace

/// The root's tree: workers, permanent, under a supervisor that the options describe.
int run_root(const Options& options) {
    Root root(settings_of_root(options));
    std::vector<ChildSpec> workers;
    for (unsigned number = 1; number <= options.workers; ++number) workers.push_back(root.worker(number));
    return root.run(options.flags(options.strategy), workers);
}

/// A worker's tree. An acceptor that crashes is started again and takes no session along. Without the supervisor of the
/// sessions no acceptor makes sense, hence rest_for_one. What starts last stops first: first nobody accepts any more,
/// then the sessions end.
int run_worker(const Options& options) {
    Worker worker(options);
    std::vector<ChildSpec> acceptors;
    for (unsigned number = 1; number <= options.pool.acceptors; ++number) {
        acceptors.push_back({.id = "acceptor-" + std::to_string(number), .argument = worker.acceptor(number)});
    }
    const auto one_for_one = options.flags(Strategy::one_for_one);
    return worker.run(options.flags(Strategy::rest_for_one),
                      {{.id = "sessions", .type = ChildType::supervisor, .argument = worker.sessions()},
                       {.id = "acceptors",
                        .type = ChildType::supervisor,
                        .argument = worker.supervisor("acceptors", one_for_one, acceptors)}});
}

}  // namespace supervised
