// Fills the pool, blocks its threads, and lets it go.

#include "pool.hpp"

#include "checking.hpp"

#include <condition_variable>
#include <memory>
#include <stdexcept>

using namespace checking;
using namespace std::chrono_literals;

namespace {

constexpr auto deadline = 10s;  // for what must happen
constexpr auto moment = 100ms;  // for what must not
constexpr auto keeps_the_lock = "Unlock before you do the task: with the lock held nobody else gets on.";

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

void must_take(Pool& pool, Gate& gate, const char* why) {
    if (!pool.submit([&gate] { gate.pass(); })) wrong(std::string("that submit takes the task: ") + why, "false");
}

void must_refuse(Pool& pool, Gate& gate, const char* why, const char* hint = "") {
    if (pool.submit([&gate] { gate.pass(); })) wrong(std::string("that submit says false: ") + why, "true", hint);
}

void must_be_inside(Gate& gate, int number, const char* expected, const char* hint = "") {
    if (!gate.wait_inside(number)) wrong(expected, "not within 10 s", hint);
}

void must_have_passed(Gate& gate, int number, const char* expected, const char* hint = "") {
    if (!gate.wait_passed(number)) wrong(expected, "not within 10 s", hint);
}

}  // namespace

int main() {
    step("it does no more at once than it has threads", keeps_the_lock, [] {
        Gate gate;
        std::thread opener;
        {
            Pool pool(2, 8);
            for (int i = 0; i < 2; ++i) must_take(pool, gate, "2 threads, and 8 may wait");
            must_be_inside(gate, 2, "that 2 threads do 2 tasks at the same time", keeps_the_lock);
            for (int i = 0; i < 4; ++i) must_take(pool, gate, "2 threads are busy, and 8 may wait");
            gate.wait_inside(3, moment);
            if (gate.most_inside() > 2) {
                wrong("that 2 threads do at most 2 tasks at the same time",
                      shown(gate.most_inside()) + " ran at the same time",
                      "Start the threads in the constructor, and none in submit.");
            }
            opener = std::thread([&gate] {
                std::this_thread::sleep_for(moment);  // until the destructor has begun, with four tasks waiting
                gate.open();
            });
        }
        opener.join();
        must_be("the tasks that are done once the destructor has returned", gate.passed(), 6,
                "A thread goes home when it is the end and nothing waits.");
    });
    step("it says no when the queue is full", [] {
        Gate gate;
        Pool pool(1, 2);
        must_take(pool, gate, "the only thread has nothing to do");
        must_be_inside(gate, 1, "that the thread takes the first task");
        must_take(pool, gate, "of 2 places in the queue none is taken");
        must_take(pool, gate, "of 2 places in the queue 1 is taken");
        must_refuse(pool, gate, "both places in the queue are taken", "Look at the queue before you add to it.");
        gate.open();
        must_have_passed(gate, 3, "that what waits is done when the thread is free");
        must_take(pool, gate, "the queue is empty again");
        must_have_passed(gate, 4, "that it is done as well");
    });
    step("a thread without a task needs no place in the queue", [] {
        Gate gate;
        Pool pool(1, 0);
        const auto until = std::chrono::steady_clock::now() + deadline;
        bool taken = false;  // the thread may need a moment to begin
        while (!taken && std::chrono::steady_clock::now() < until) {
            taken = pool.submit([&gate] { gate.pass(); });
            if (!taken) std::this_thread::sleep_for(1ms);
        }
        if (!taken) {
            wrong("that an idle thread takes a task, also in a pool where none may wait", "false, for 10 s",
                  "Count the idle threads: each of them takes one more than there are places.");
        }
        must_be_inside(gate, 1, "that the thread takes the task");
        must_refuse(pool, gate, "the only thread is busy, and none may wait");
        gate.open();
    });
    step("a task that throws ends alone", [] {
        Gate gate;
        gate.open();
        Pool pool(1, 4);
        if (!pool.submit([] { throw std::runtime_error("one of the check's tasks, on purpose"); })) {
            wrong("that submit takes the task", "false");
        }
        must_take(pool, gate, "4 may wait");
        must_have_passed(gate, 1, "that the thread does the next task after one that threw",
                         "Catch what the task throws, around the task.");
    });
    step("without a task its threads wait quietly", [] {
        Pool pool(2, 4);
        must_wait_quietly("that a pool without a task does not use the processor",
                          "A std::condition_variable lets a thread sleep until there is a task.");
    });
    step("it does all that it accepted before it ends", [] {
        Gate gate;
        gate.open();
        int accepted = 0;
        {
            Pool pool(3, 100);
            for (int i = 0; i < 100; ++i) accepted += pool.submit([&gate] { gate.pass(); });
        }
        must_be("the tasks that are done once the destructor has returned", gate.passed(), accepted,
                "A thread goes home when it is the end and nothing waits.");
    });
}
