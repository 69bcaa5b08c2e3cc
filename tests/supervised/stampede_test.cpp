#include "supervised/supervised.hpp"

#include <cstdlib>
#include <random>

// From Ranch's tests: kill something every 100 ms, for a while, under load; then everything must be as it was.

using namespace supervised;

namespace {

/// Ten seconds, as Ranch does; less where FIVE_STAMPEDE_SECONDS says so.
std::chrono::seconds duration() {
    const char* const seconds = std::getenv("FIVE_STAMPEDE_SECONDS");
    return std::chrono::seconds(seconds != nullptr ? std::stol(seconds) : 10);
}

TEST(Stampede, LeavesEverythingAsItWas) {
    Server server({"--workers", "4", "--max-restarts", "1000000"});
    // Once round before anything is measured: the first life of a worker also warms the root's memory up.
    for (int kills = 1; kills <= 10; ++kills) {
        ::kill(server.workers().front(), SIGKILL);
        server.wait_for_event("supervisor_progress", {}, 4 + static_cast<std::size_t>(kills));
    }
    const auto descriptors = server.process().open_descriptors();
    const auto memory = server.process().resident_bytes();

    std::vector<std::unique_ptr<Loop>> visitors;
    std::atomic<std::size_t> served = 0;
    for (int i = 0; i < 4; ++i) {
        visitors.push_back(std::make_unique<Loop>([&] {
            Client client(server.port());  // being refused is a failure: the root holds the listening socket
            try {
                ask(client);
                ++served;
            } catch (const support::Failure&) {  // its worker was killed
            }
        }));
    }
    std::mt19937 random(4);
    const auto end = std::chrono::steady_clock::now() + duration();
    for (auto next = std::chrono::steady_clock::now(); next < end; next += 100ms) {
        std::this_thread::sleep_until(next);  // the test's subject, and no synchronisation
        const auto workers = server.workers();
        if (workers.empty()) continue;  // all of them are being restarted
        ::kill(workers[random() % workers.size()], SIGKILL);
    }
    for (auto& visitor : visitors) EXPECT_THAT(visitor->stop(), IsEmpty());
    EXPECT_GT(served, 0u);

    // Each life that has ended was followed by another one. (Those killed before they were up are start errors.)
    EXPECT_TRUE(eventually([&] {
        const auto ended = server.count_events("supervisor_report", {field("context", "child_terminated")});
        return server.count_events("supervisor_progress") == 4 + ended;
    }));
    for (const std::string worker : {"worker-1", "worker-2", "worker-3", "worker-4"}) {
        ask(*server.client_of(worker));
    }
    EXPECT_TRUE(eventually([&] { return server.process().open_descriptors() == descriptors; }));
    if (!support::sanitized) {  // ASan keeps freed memory back for a while
        EXPECT_LT(server.process().resident_bytes(), memory + memory / 4);
    }
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(Restarts, AHundredOfThemLeaveTheRootAsItWas) {
    Server server({"--max-restarts", "1000000"});
    std::size_t restarts = 0;
    const auto restart_some = [&](std::size_t number) {
        for (; number > 0; --number) {
            ::kill(server.workers().front(), SIGKILL);
            server.wait_for_event("supervisor_progress", {}, 2 + ++restarts);
        }
    };
    restart_some(20);
    const auto descriptors = server.process().open_descriptors();
    const auto memory = server.process().resident_bytes();
    restart_some(100);
    EXPECT_TRUE(eventually([&] { return server.process().open_descriptors() == descriptors; }));
    EXPECT_LT(server.process().resident_bytes(), memory + (support::sanitized ? memory : memory / 10));
}

}  // namespace
