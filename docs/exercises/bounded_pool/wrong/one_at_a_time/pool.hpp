// Wrong: a task is done with the lock held, so there is only one at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <iostream>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

/// A fixed number of threads that do tasks, and a bounded queue of those that wait. Any thread may submit.
class Pool {
public:
    Pool(unsigned threads, std::size_t max_waiting) : max_waiting_(max_waiting) {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }

    /// Does all tasks that were accepted, then ends.
    ~Pool() {
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        news_.notify_all();
        for (auto& thread : threads_) thread.join();
    }

    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// Never waits: false, and the task is not done, when `max_waiting` tasks wait for a thread already.
    /// What a task throws ends that task, and nothing else.
    bool submit(std::function<void()> task) {
        {
            const std::lock_guard lock(mutex_);
            // A thread that waits takes one more than there are places.
            if (waiting_.size() >= max_waiting_ + idle_) return false;
            waiting_.push_back(std::move(task));
        }
        news_.notify_one();
        return true;
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            ++idle_;
            news_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
            --idle_;
            if (waiting_.empty()) return;  // and ending
            const auto task = std::move(waiting_.front());
            waiting_.pop_front();
            perform(task);
        }
    }

    static void perform(const std::function<void()>& task) try { task(); } catch (const std::exception& error) {
        std::cerr << "a task failed: " << error.what() << std::endl;
    } catch (...) {
        std::cerr << "a task failed" << std::endl;
    }

    const std::size_t max_waiting_;
    std::mutex mutex_;  // for the next three
    std::deque<std::function<void()>> waiting_;
    std::size_t idle_ = 0;  // threads that have no task
    bool ending_ = false;
    std::condition_variable news_;  // a task more, or the end
    std::vector<std::thread> threads_;
};
