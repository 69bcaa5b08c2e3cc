#include "04_supervised/options.hpp"

#include "04_supervised/process/worker_process.hpp"

#include <thread>

namespace supervised {

Options::Options() : workers(std::max(2u, std::thread::hardware_concurrency())) {
    pool.threads = 1;
}

void Options::parse_or_exit(int argc, char** argv) {
    arguments.assign(argv, argv + argc);
    app::CommandLine line("04_supervised", "A root that serves nobody supervises processes that each run a pool.");
    line.group("This stage");
    line.number("--workers", workers, 1, 256, "Processes that serve clients");
    line.choice("--strategy", strategy, std::array{"one_for_one", "one_for_all", "rest_for_one"},
                "Which workers are restarted when one crashes");
    line.number("--max-restarts", max_restarts, 0, 1'000'000, "This many restarts are allowed...");
    line.number("--max-seconds", max_seconds, 1, 86'400, "...within this many seconds; one more, and it gives up");
    line.number("--restart-delay-ms", restart_delay_ms, 0, 60'000, "Wait this long before a restart, in milliseconds");
    line.number("--watchdog-ms", watchdog_ms, 0, 3'600'000,
                "End workers that do not answer for this long, in milliseconds; 0: never");
    line.flag("--tree", tree, "Print the tree of supervisors, and again after each change");
    pool.declare(line, "Each worker");
    server.declare(line);
    line.group("");
    line.number(process::worker_option, worker, 1, 1'000'000'000, "Which worker this is");
    line.parse_or_exit(argc, argv);
}

otp::SupFlags Options::flags(otp::Strategy of) const {
    return {.strategy = of,
            .intensity = max_restarts,
            .period = std::chrono::seconds(max_seconds),
            .restart_delay = std::chrono::milliseconds(restart_delay_ms)};
}

std::vector<std::string> Options::arguments_of_worker(unsigned number) const {
    auto all = arguments;
    all.insert(all.end(), {process::worker_option, std::to_string(number)});
    return all;
}

}  // namespace supervised
