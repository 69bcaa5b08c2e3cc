// What needs the machine for itself: rates, and clients by the thousand.

#include "stages/stage.hpp"
#include "support/flood.hpp"

namespace stages {
namespace {

using Clock = std::chrono::steady_clock;

/// How long the pool takes to answer `clients` that come at once, when setting each of them up takes 5 ms.
std::chrono::milliseconds time_to_set_up(std::size_t clients, int acceptors) {
    Server server(acceptor_pool, {"--setup-ms", "5", "--acceptors", std::to_string(acceptors), "--log", "quiet"});
    const auto begin = Clock::now();
    const auto all = connect(server.port(), clients);
    for (const auto& client : all) client->send("hello\r\n");
    for (const auto& client : all) client->recv_line();
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

TEST(AcceptorPoolHeavy, OneAcceptorSetsUpTwoHundredClientsASecond) {
    // A timer never rings early, so this bound is certain: one after the other, 5 ms each.
    const auto time = time_to_set_up(200, 1);
    EXPECT_GE(time, 1000ms);
    EXPECT_LT(time, 3000ms * support::time_factor());
}

TEST(AcceptorPoolHeavy, EightAcceptorsSetUpSeveralTimesAsMany) {
    // 125 ms by arithmetic. A machine that does other things may take longer once, but not always.
    auto best = time_to_set_up(200, 8);
    EXPECT_GE(best, 125ms);
    const auto half_of_one_acceptors = 500ms;
    for (int i = 0; i < 4 && best >= half_of_one_acceptors; ++i) best = std::min(best, time_to_set_up(200, 8));
    EXPECT_LT(best, half_of_one_acceptors);
}

TEST(AcceptorPoolHeavy, APoliteClientDoesNotWaitForThoseWhoSendLineFeeds) {
    Server server(acceptor_pool);
    server.close_output();  // the story is told, but whoever read it would be what is measured
    const support::LineFeedFlood flood(server.port(), 10);
    auto median = [&] {
        std::vector<Clock::duration> waits;
        for (int i = 0; i < 7; ++i) {
            const auto begin = Clock::now();
            expect_served(server.port());
            waits.push_back(Clock::now() - begin);
        }
        std::ranges::nth_element(waits, waits.begin() + 3);
        return waits[3];
    }();
    // Seconds, where each of them keeps the loop for as long as one read of 64 KiB lasts.
    EXPECT_LT(median, 250ms * support::time_factor());
}

TEST(AcceptorPoolHeavy, HoldsTenThousandIdleClients) {
    constexpr std::size_t wanted = support::sanitized ? 2000 : 10'000;
    constexpr std::size_t besides_clients = 100;
    if (support::raise_open_files_limit() < wanted + besides_clients) {
        GTEST_SKIP() << "the hard limit of open files is below " << wanted + besides_clients;
    }
    Server server(acceptor_pool, {"--log", "quiet"});
    const auto before = server.process().resident_bytes();
    std::vector<std::unique_ptr<Client>> clients;
    while (clients.size() < wanted) {
        clients.push_back(std::make_unique<Client>(server.port()));
        expect_served(*clients.back());
    }
    EXPECT_GE(server.process().open_descriptors(), wanted);
    EXPECT_LE(server.process().threads(), 10u) << "a thread for each client?";
    const auto each = (server.process().resident_bytes() - before) / wanted;
    RecordProperty("bytes_per_idle_client", static_cast<int>(each));
    EXPECT_LT(each, support::sanitized ? 64u << 10 : 16u << 10);
    // All of them sit there at no cost of time, and any of them is answered.
    const auto cpu_before = server.process().cpu_time();
    for (std::size_t i = 0; i < wanted; i += wanted / 20) expect_served(*clients[i]);
    expect_served(server.port());
    EXPECT_LT(server.process().cpu_time() - cpu_before, 200ms * support::time_factor());
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

}  // namespace
}  // namespace stages
