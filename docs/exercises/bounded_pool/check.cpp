// Fills the pool, blocks its threads, and lets it go.

#include "pool.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

constexpr auto deadline = 20s;  // for what must happen
constexpr auto moment = 100ms;  // for what must not

/// Tasks that wait until they are let go, and are counted.
class Gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        most_inside_ = std::max(most_inside_, ++inside_);
        news_.notify_all();
        news_.wait(lock, [this] { return open_; });
        --inside_;
        ++passed_;
        news_.notify_all();
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        news_.notify_all();
    }
    bool wait_inside(int number, std::chrono::milliseconds within = deadline) {
        std::unique_lock lock(mutex_);
        return news_.wait_for(lock, within, [&] { return inside_ >= number; });
    }
    bool wait_passed(int number) {
        std::unique_lock lock(mutex_);
        return news_.wait_for(lock, deadline, [&] { return passed_ >= number; });
    }
    int most_inside() {
        const std::lock_guard lock(mutex_);
        return most_inside_;
    }
    int passed() {
        const std::lock_guard lock(mutex_);
        return passed_;
    }

private:
    std::mutex mutex_;
    std::condition_variable news_;
    bool open_ = false;
    int inside_ = 0, most_inside_ = 0, passed_ = 0;
};

/// Opens a gate when a test ends, also where it ends early: or the pool would wait for its tasks for ever.
struct OpenInTheEnd {
    Gate& gate;
    ~OpenInTheEnd() { gate.open(); }
};

}  // namespace

TEST(Pool, DoesNoMoreAtOnceThanItHasThreads) {
    Gate gate;
    {
        Pool pool(2, 8);
        const OpenInTheEnd at_last{gate};
        for (int i = 0; i < 6; ++i) EXPECT_TRUE(pool.submit([&gate] { gate.pass(); })) << "8 may wait";
        ASSERT_TRUE(gate.wait_inside(2)) << "2 threads should do 2 tasks at the same time";
        gate.wait_inside(3, moment);
        EXPECT_LE(gate.most_inside(), 2) << "the pool has 2 threads, but more tasks ran at the same time";
    }
    EXPECT_EQ(gate.passed(), 6) << "the destructor should do all that was accepted";
}

TEST(Pool, SaysNoWhenTheQueueIsFull) {
    Gate gate;
    Pool pool(1, 2);
    const OpenInTheEnd at_last{gate};
    ASSERT_TRUE(pool.submit([&gate] { gate.pass(); }));
    ASSERT_TRUE(gate.wait_inside(1)) << "the thread should have taken the first task";
    EXPECT_TRUE(pool.submit([&gate] { gate.pass(); })) << "of 2 places in the queue none is taken";
    EXPECT_TRUE(pool.submit([&gate] { gate.pass(); })) << "of 2 places in the queue 1 is taken";
    EXPECT_FALSE(pool.submit([&gate] { gate.pass(); })) << "both places in the queue are taken";
    gate.open();
    ASSERT_TRUE(gate.wait_passed(3));
    EXPECT_TRUE(pool.submit([&gate] { gate.pass(); })) << "the queue is empty again";
    EXPECT_TRUE(gate.wait_passed(4));
}

TEST(Pool, AThreadWithoutATaskNeedsNoPlaceInTheQueue) {
    Gate gate;
    Pool pool(1, 0);
    const OpenInTheEnd at_last{gate};
    const auto until = std::chrono::steady_clock::now() + deadline;
    bool taken = false;  // the thread may need a moment to begin
    while (!taken && std::chrono::steady_clock::now() < until) {
        taken = pool.submit([&gate] { gate.pass(); });
        if (!taken) std::this_thread::sleep_for(1ms);
    }
    ASSERT_TRUE(taken) << "with an idle thread a task is welcome, also in a pool where none may wait";
    ASSERT_TRUE(gate.wait_inside(1));
    EXPECT_FALSE(pool.submit([&gate] { gate.pass(); })) << "the only thread is busy, and none may wait";
}

TEST(Pool, ATaskThatThrowsEndsAlone) {
    Gate gate;
    gate.open();
    Pool pool(1, 4);
    ASSERT_TRUE(pool.submit([] { throw std::runtime_error("one of the check's tasks, on purpose"); }));
    ASSERT_TRUE(pool.submit([&gate] { gate.pass(); }));
    EXPECT_TRUE(gate.wait_passed(1)) << "after a task that threw, the thread should do the next";
}

TEST(Pool, DoesWhatItAcceptedBeforeItEnds) {
    Gate gate;
    gate.open();
    int accepted = 0;
    {
        Pool pool(3, 100);
        for (int i = 0; i < 100; ++i) accepted += pool.submit([&gate] { gate.pass(); });
    }
    EXPECT_EQ(gate.passed(), accepted) << "tasks that were accepted, and never done";
}
