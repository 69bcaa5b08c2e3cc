#include "03_acceptor_pool/places.hpp"

#include "unit/loops.hpp"
#include "unit/twins.hpp"

#include <atomic>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using pool::Overload;
using pool::Place;
using pool::Places;

namespace {

constexpr app::Who acceptor{"acceptor", 1};

class PlacesTest : public testing::Test {
protected:
    PlacesTest() { app::story::open(app::Log::quiet); }
    ~PlacesTest() override { app::story::open(app::Log::text); }

    asio::io_context loop;
};

}  // namespace

TEST_F(PlacesTest, AreAsManyAsThereAre) {
    Places places(loop, 2, Overload::queue);
    Place one = places.try_take();
    Place two = places.try_take();
    EXPECT_TRUE(one && two);
    EXPECT_FALSE(places.try_take());
    {
        const Place leaves = std::move(one);
    }
    EXPECT_TRUE(places.try_take());
}

TEST_F(PlacesTest, APlaceHasOneOwner) {
    Places places(loop, 1, Overload::queue);
    Place first = places.try_take();
    Place second = std::move(first);
    EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): empty, by contract
    EXPECT_TRUE(second);
    EXPECT_FALSE(places.try_take());
    second = Place();
    const Place third = places.try_take();
    EXPECT_TRUE(third) << "assigning gives back what was there";
    Place itself = Place();
    EXPECT_FALSE(places.try_take()) << "an empty place is none";
}

TEST_F(PlacesTest, ZeroIsNoLimit) {
    Places places(loop, 0, Overload::queue);
    std::vector<Place> many;
    for (int i = 0; i < 10'000; ++i) many.push_back(places.try_take());
    EXPECT_TRUE(many.back());
    EXPECT_TRUE(twins::run(loop, places.take_to_accept(acceptor)));
}

TEST_F(PlacesTest, WhoQueuesGetsAPlaceAsSoonAsOneIsFree) {
    Places places(loop, 1, Overload::queue);
    auto taken = std::make_unique<Place>(twins::run(loop, places.take_to_accept(acceptor)));
    ASSERT_TRUE(*taken);
    bool has_place = false;
    asio::co_spawn(
        loop,
        [&]() -> net::awaitable<void> {
            const Place place = co_await places.take_to_accept(acceptor);
            has_place = static_cast<bool>(place);
        },
        asio::detached);
    loop.restart();
    loop.poll();
    EXPECT_FALSE(has_place);
    taken.reset();
    loop.restart();
    loop.run_for(twins::deadline);
    EXPECT_TRUE(has_place);
    EXPECT_TRUE(places.try_take()) << "given back at its end";
}

TEST_F(PlacesTest, WhoWouldBeRejectedTakesNoPlaceBeforeSomebodyComes) {
    Places places(loop, 1, Overload::reject);
    EXPECT_FALSE(twins::run(loop, places.take_to_accept(acceptor)));
    const Place place = places.try_take();
    EXPECT_TRUE(place);
    EXPECT_FALSE(places.try_take());
    EXPECT_FALSE(twins::run(loop, places.take_to_accept(acceptor))) << "at once, and for nothing";
}

TEST_F(PlacesTest, StopWakesEverybodyWhoWaits) {
    Places places(loop, 1, Overload::queue);
    const Place taken = places.try_take();
    int woken = 0;
    for (int i = 0; i < 3; ++i) {
        asio::co_spawn(
            loop,
            [&]() -> net::awaitable<void> {
                const Place place = co_await places.take_to_accept(acceptor);
                EXPECT_FALSE(place);
                ++woken;
            },
            asio::detached);
    }
    loop.poll();
    EXPECT_EQ(woken, 0);
    places.stop();
    loop.restart();
    loop.run_for(1s);
    EXPECT_EQ(woken, 3);
    EXPECT_FALSE(twins::run(loop, places.take_to_accept(acceptor))) << "nor does anybody wait later";
}

TEST_F(PlacesTest, TheLimitIsHardOverSeveralLoops) {
    constexpr int max = 3;
    Loops loops(4);
    Places places(loops[0], max, Overload::queue);
    std::atomic<int> taken = 0, most = 0, visits = 0, left = 0;
    for (int i = 0; i < 16; ++i) {
        auto& home = loops[i % loops.size()];
        const auto visit = [&]() -> net::awaitable<void> {
            for (int round = 0; round < 100; ++round) {
                const Place place = co_await places.take_to_accept(acceptor);
                EXPECT_TRUE(place);
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
    std::vector<Place> free;
    while (Place place = places.try_take()) free.push_back(std::move(place));
    EXPECT_EQ(free.size(), max) << "none was lost, none invented";
}
