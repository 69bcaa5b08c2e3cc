#pragma once

#include <chrono>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

/// Threads that are joined, not lost. A thread that has ended must still be joined, by another thread: until then it
/// keeps its stack. So each one that ends joins the one before it; at most one is left.
/// Any thread may call start(), one thread join_all().
class Threads {
public:
    Threads() = default;
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

    /// All must have ended: see join_all().
    ~Threads() {
        if (last_ended_.joinable()) last_ended_.join();
    }

    /// Runs `body`, which must not throw, in a thread of its own.
    /// Throws std::system_error (EAGAIN) where the system refuses one more, std::bad_alloc where memory ends.
    template <class Body>
    void start(Body body) {
        const std::lock_guard lock(mutex_);
        // It has ended but for joining the one before, and needs no mutex for that: this does not wait for long.
        if (last_ended_.joinable()) last_ended_.join();
        const auto place = running_.emplace(running_.end());
        try {
            // The thread comes to end() only after we let go of the mutex: its place is filled by then.
            *place = std::thread([this, place, body = std::move(body)]() mutable {
                body();
                end(place);
            });
        } catch (...) {
            running_.erase(place);
            throw;
        }
    }

    /// Waits until every thread has ended. False when some still run after `patience`. One may be left to be joined;
    /// the destructor does that.
    bool join_all(std::chrono::milliseconds patience) {
        std::unique_lock lock(mutex_);
        return one_ended_.wait_for(lock, patience, [this] { return running_.empty(); });
    }

private:
    void end(std::list<std::thread>::iterator place) {
        std::thread before;
        {
            const std::lock_guard lock(mutex_);
            before = std::exchange(last_ended_, std::move(*place));
            running_.erase(place);
            one_ended_.notify_all();
        }
        if (before.joinable()) before.join();
    }

    std::mutex mutex_;
    std::condition_variable one_ended_;
    std::list<std::thread> running_;
    std::thread last_ended_;
};
