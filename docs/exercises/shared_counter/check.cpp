// Counts from four threads while a fifth looks.

#include "statistics.hpp"

#include "checking.hpp"

#include <vector>

using namespace checking;
using namespace std::chrono_literals;

namespace {
constexpr int clients = 4;
constexpr int lines = 5000;
constexpr std::string_view line = "ten bytes\n";
}  // namespace

int main() {
    step("four clients count 5000 lines each, and nothing is lost", [] {
        Statistics statistics;
        std::vector<std::thread> threads;
        for (int i = 0; i < clients; ++i) {
            threads.emplace_back([&] {
                for (int n = 0; n < lines; ++n) statistics.count(line);
            });
        }
        for (auto& thread : threads) thread.join();
        const Totals totals = statistics.totals();
        must_be("the lines", totals.lines, std::uint64_t{clients} * lines);
        must_be("the bytes", totals.bytes, std::uint64_t{clients} * lines * line.size());
    });
    step("whoever reads the totals sees both numbers of the same moment", [] {
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
                // To be seen torn, the pair must be looked at in the one wrong moment: so for a while, not so many
                // times.
                const auto until = std::chrono::steady_clock::now() + 1s;
                while (std::chrono::steady_clock::now() < until) statistics.count(line);
            });
        }
        for (auto& thread : threads) thread.join();
        over = true;
        reader.join();
        if (torn != 0) {
            wrong("that the bytes are always those of the lines",
                  "of " + shown(looks) + " looks " + shown(torn) +
                      " saw lines without their bytes, or bytes without their lines",
                  "Between the one addition and the other somebody may look: what belongs together needs one lock.");
        }
    });
}
