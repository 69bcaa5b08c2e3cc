// Counts from four threads while a fifth looks.

#include "statistics.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

namespace {
constexpr int clients = 4;
constexpr int lines = 5000;
constexpr std::string_view line = "ten bytes\n";
}  // namespace

TEST(Statistics, NothingIsLost) {
    Statistics statistics;
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i) {
        threads.emplace_back([&] {
            for (int n = 0; n < lines; ++n) statistics.count(line);
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(statistics.totals().lines, std::uint64_t{clients} * lines) << "four clients, 5000 lines each";
    EXPECT_EQ(statistics.totals().bytes, std::uint64_t{clients} * lines * line.size());
}

TEST(Statistics, LinesAndBytesAreOfTheSameMoment) {
    Statistics statistics;
    std::atomic<bool> over = false;
    std::uint64_t looks = 0;
    std::uint64_t torn = 0;
    std::thread reader([&] {
        do {
            const Totals totals = statistics.totals();
            if (totals.bytes != totals.lines * line.size()) ++torn;
            ++looks;
        } while (!over);
    });
    std::vector<std::thread> threads;
    for (int i = 0; i < clients; ++i) {
        threads.emplace_back([&] {
            // To be seen torn, the pair must be looked at in the one wrong moment: so for a while, not so many times.
            for (const auto until = std::chrono::steady_clock::now() + 1s; std::chrono::steady_clock::now() < until;) {
                statistics.count(line);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    over = true;
    reader.join();
    EXPECT_EQ(torn, 0u) << "of " << looks
                        << " looks so many saw lines without their bytes, or bytes without their lines";
}
