#include "02_thread_per_client/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <system_error>

#include <dirent.h>

using namespace std::chrono_literals;

namespace {

constexpr auto deadline = 20s;

/// A body that the system refuses a thread: what std::thread throws then, at the same place.
struct Refused {
    explicit Refused(int* started) : started_(started) {}
    Refused(Refused&& other) : started_(other.started_) {
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    void operator()() const { ++*started_; }
    int* started_;
};

std::size_t threads_of_this_process() {
    std::size_t count = 0;
    DIR* const tasks = ::opendir("/proc/self/task");
    while (const auto* const entry = ::readdir(tasks)) count += entry->d_name[0] != '.';
    ::closedir(tasks);
    return count;
}

}  // namespace

TEST(Threads, RunSideBySideAndAreJoined) {
    Threads threads;
    std::promise<void> first, second;
    threads.start([&] {
        first.set_value();
        second.get_future().get();
    });
    threads.start([&] {
        first.get_future().get();
        second.set_value();
    });
    EXPECT_TRUE(threads.join_all(deadline));
    EXPECT_TRUE(threads.join_all(0ms)) << "nobody is left";
}

TEST(Threads, NobodyIsWaitedForLongerThanPatience) {
    Threads threads;
    std::promise<void> leave;
    threads.start([left = leave.get_future()]() mutable { left.get(); });
    EXPECT_FALSE(threads.join_all(10ms));
    leave.set_value();
    EXPECT_TRUE(threads.join_all(deadline));
}

TEST(Threads, ThoseThatEndedAreJoinedWithoutJoinAll) {
    Threads threads;
    const auto before = threads_of_this_process();
    std::atomic<int> ended = 0;
    for (int i = 1; i <= 500; ++i) {
        threads.start([&] { ++ended; });
        while (ended < i) std::this_thread::yield();
    }
    EXPECT_TRUE(threads.join_all(deadline));
    // The last one waits for its successor, or for the end.
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (threads_of_this_process() > before + 1 && std::chrono::steady_clock::now() < until)
        std::this_thread::yield();
    EXPECT_LE(threads_of_this_process(), before + 1);
}

TEST(Threads, MayStartOthers) {
    Threads threads;
    std::atomic<int> depth = 0;
    std::function<void()> next = [&] {
        if (++depth < 50) threads.start(next);
    };
    threads.start(next);
    EXPECT_TRUE(threads.join_all(deadline));
    EXPECT_EQ(depth, 50);
}

TEST(Threads, ARefusalIsAnExceptionAndLeavesNothingBehind) {
    Threads threads;
    int started = 0;
    EXPECT_THROW(threads.start(Refused(&started)), std::system_error);
    EXPECT_EQ(started, 0);
    EXPECT_TRUE(threads.join_all(0ms)) << "a place of the refused one would be waited for in vain";
    threads.start([&] { ++started; });
    EXPECT_TRUE(threads.join_all(deadline));
    EXPECT_EQ(started, 1);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(Threads, TheSystemsRefusalIsSuchAnException) {
    pthread_attr_t usual, impossible;
    ASSERT_EQ(pthread_getattr_default_np(&usual), 0);
    ASSERT_EQ(pthread_attr_init(&impossible), 0);
    ASSERT_EQ(pthread_attr_setstacksize(&impossible, std::size_t{1} << 47), 0);  // more than there are addresses
    ASSERT_EQ(pthread_setattr_default_np(&impossible), 0);
    Threads threads;
    try {
        threads.start([] {});
        ADD_FAILURE() << "the system had a thread";
    } catch (const std::system_error& refused) {
        EXPECT_EQ(refused.code(), std::errc::resource_unavailable_try_again);
    }
    ASSERT_EQ(pthread_setattr_default_np(&usual), 0);
    EXPECT_TRUE(threads.join_all(0ms));
}
#endif
