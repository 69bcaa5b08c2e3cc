#include "03_acceptor_pool/connection_limit.hpp"

#include "unit/loops.hpp"
#include "unit/twins.hpp"

#include <atomic>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using pool::ConnectionLimit;
using pool::Overload;
using pool::Permit;

namespace {

constexpr app::Who acceptor{"acceptor", 1};

class ConnectionLimitTest : public testing::Test {
protected:
    ConnectionLimitTest() { app::story::open(app::Log::quiet); }
    ~ConnectionLimitTest() override { app::story::open(app::Log::text); }

    asio::io_context loop;
};

}  // namespace

TEST_F(ConnectionLimitTest, GivesOutAsManyPermitsAsThereAre) {
    ConnectionLimit limit(loop, 2, Overload::queue);
    Permit one = limit.try_acquire();
    Permit two = limit.try_acquire();
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(limit.try_acquire());
    {
        const Permit leaves = std::move(one);
    }
    EXPECT_TRUE(limit.try_acquire());
}

TEST_F(ConnectionLimitTest, APermitHasOneOwner) {
    ConnectionLimit limit(loop, 1, Overload::queue);
    Permit first = limit.try_acquire();
    Permit second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): empty, by contract
    EXPECT_TRUE(second);
    EXPECT_FALSE(limit.try_acquire());
    second = Permit();
    const Permit third = limit.try_acquire();
    EXPECT_TRUE(third) << "assigning gives back what was there";
    Permit itself = Permit();
    EXPECT_FALSE(limit.try_acquire()) << "an empty permit is none";
}

TEST_F(ConnectionLimitTest, ZeroIsNoLimit) {
    ConnectionLimit limit(loop, 0, Overload::queue);
    std::vector<Permit> many;
    for (int i = 0; i < 10'000; ++i) many.push_back(limit.try_acquire());
    EXPECT_TRUE(many.back());
    EXPECT_TRUE(twins::run(loop, limit.acquire(acceptor)));
}

TEST_F(ConnectionLimitTest, WhoQueuesGetsAPermitAsSoonAsOneIsFree) {
    ConnectionLimit limit(loop, 1, Overload::queue);
    auto taken = std::make_unique<Permit>(twins::run(loop, limit.acquire(acceptor)));
    ASSERT_TRUE(*taken);
    bool has_permit = false;
    asio::co_spawn(
        loop,
        [&]() -> net::awaitable<void> {
            const Permit permit = co_await limit.acquire(acceptor);
            has_permit = static_cast<bool>(permit);
        },
        asio::detached);
    loop.restart();
    loop.poll();
    EXPECT_FALSE(has_permit);
    taken.reset();
    loop.restart();
    loop.run_for(twins::deadline);
    EXPECT_TRUE(has_permit);
    EXPECT_TRUE(limit.try_acquire()) << "given back at its end";
}

TEST_F(ConnectionLimitTest, WhereClientsAreRejectedNoPermitIsHeldBeforeSomebodyComes) {
    ConnectionLimit limit(loop, 1, Overload::reject);
    EXPECT_FALSE(twins::run(loop, limit.acquire(acceptor)));
    const Permit permit = limit.try_acquire();
    EXPECT_TRUE(permit);
    EXPECT_FALSE(limit.try_acquire());
    EXPECT_FALSE(twins::run(loop, limit.acquire(acceptor))) << "at once, and for nothing";
}

TEST_F(ConnectionLimitTest, StopWakesEverybodyWhoWaits) {
    ConnectionLimit limit(loop, 1, Overload::queue);
    const Permit taken = limit.try_acquire();
    int woken = 0;
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(
            loop,
            [&]() -> net::awaitable<void> {
                const Permit permit = co_await limit.acquire(acceptor);
                EXPECT_FALSE(permit);
                ++woken;
            },
            asio::detached);
    }
    loop.poll();
    EXPECT_EQ(woken, 0);
    limit.stop();
    loop.restart();
    loop.run_for(1s);
    EXPECT_EQ(woken, 3);
    EXPECT_FALSE(twins::run(loop, limit.acquire(acceptor))) << "nor does anybody wait later";
}

TEST_F(ConnectionLimitTest, TheLimitIsHardOverSeveralLoops) {
    constexpr int max = 3;
    Loops loops(4);
    ConnectionLimit limit(loops[0], max, Overload::queue);
    std::atomic<int> taken = 0, most = 0, visits = 0, left = 0;
    for (int i = 0; i < 16; ++i) {
        auto& home = loops[i % loops.size()];
        const auto visit = [&]() -> net::awaitable<void> {
            for (int round = 0; round < 100; ++round) {
                const Permit permit = co_await limit.acquire(acceptor);
                EXPECT_TRUE(permit);
                const int now = ++taken;
                for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
                }
                co_await asio::post(home, asio::deferred);  // let others come in between
                ++visits;
                --taken;
            }
        };
        asio::co_spawn(home, visit, [&](const std::exception_ptr& exception) {
            EXPECT_FALSE(exception);
            ++left;
        });
    }
    ASSERT_TRUE(twins::becomes([&] { return left == 16; })) << "somebody was never woken";
    EXPECT_EQ(visits, 1600);
    EXPECT_EQ(most, max) << "the limit is kept, and used";
    std::vector<Permit> free;
    while (Permit permit = limit.try_acquire()) free.push_back(std::move(permit));
    EXPECT_EQ(free.size(), max) << "none was lost, none invented";
}
