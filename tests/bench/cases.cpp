#include "cases.hpp"

#include <algorithm>
#include <limits>

namespace bench {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

std::string bytes(std::size_t count) {
    return count % 1024 == 0 ? std::to_string(count / 1024) + "K" : std::to_string(count) + "B";
}

}  // namespace

std::vector<Subject> all_subjects() {
    // The server has one core: more than one thread or worker would only take turns.
    return {
        {"raw_blocking", {"raw_blocking"}, "", 1},
        {"01_naive", {"01_naive", "--log", "quiet"}, "raw_blocking", 1},
        {"raw_threads", {"raw_threads"}, "", any_number},
        {"02_thread_per_client", {"02_thread_per_client", "--log", "quiet"}, "raw_threads", any_number},
        {"raw_epoll", {"raw_epoll"}, "", any_number},
        {"03_acceptor_pool", {"03_acceptor_pool", "--log", "quiet", "--threads", "1"}, "raw_epoll", any_number},
        {"04_supervised", {"04_supervised", "--log", "quiet", "--workers", "1"}, "raw_epoll", any_number},
    };
}

std::vector<Case> all_cases(bool quick) {
    std::vector<Case> cases;
    const auto add = [&](std::string group, std::size_t connections, std::size_t size, std::size_t depth,
                         bool in_quick) {
        Plan plan;
        plan.kind = group == "churn" ? Kind::churn : group == "idle" ? Kind::idle : Kind::echo;
        plan.lines = group != "echo";
        plan.connections = connections;
        plan.size = size;
        plan.depth = depth;
        plan.warm_up = quick ? 50ms : 200ms;
        plan.measured = quick ? 200ms : 800ms;
        const std::string label = "c" + std::to_string(connections) + " " + bytes(size) +
                                  (plan.kind == Kind::echo ? " d" + std::to_string(depth) : "");
        cases.push_back({std::move(group), label, plan, in_quick});
    };
    add("echo", 1, 64, 1, true);
    add("echo", 1, 64, 16, false);
    add("echo", 1, 16384, 1, false);
    add("echo", 100, 64, 1, false);
    add("echo", 1000, 64, 1, false);
    add("echo", 100, 64, 16, false);
    add("echo", 100, 1024, 16, true);
    add("echo", 100, 16384, 1, true);
    add("lines", 1, 64, 1, true);
    add("lines", 100, 64, 1, true);
    add("lines", 1000, 64, 1, false);
    add("lines", 100, 64, 16, true);
    add("lines", 100, 16, 256, false);
    add("churn", 1, 64, 1, false);
    add("churn", 32, 64, 1, true);
    add("idle", quick ? 1000 : 10000, 64, 1, true);
    if (quick) std::erase_if(cases, [](const Case& one) { return !one.quick; });
    return cases;
}

}  // namespace bench
