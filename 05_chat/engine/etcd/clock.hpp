#pragma once

#include "05_chat/base/notify.hpp"

#include <chrono>
#include <utility>

namespace chat::etcd {

/// The engine's only time; the tests have one that is virtual. The loop's thread only.
class Clock {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    virtual ~Clock() = default;

    virtual TimePoint now() const = 0;
    /// Comes back at that time, or as soon as `woken` is notified.
    virtual net::awaitable<void> sleep_until(TimePoint when, Notify& woken) = 0;
};

class SteadyClock : public Clock {
public:
    explicit SteadyClock(net::Executor executor) : executor_(std::move(executor)) {}

    TimePoint now() const override { return std::chrono::steady_clock::now(); }
    net::awaitable<void> sleep_until(TimePoint when, Notify& woken) override {
        const Deadline deadline(executor_, std::chrono::ceil<std::chrono::milliseconds>(when - now()),
                                [&woken] { woken.notify(); });
        co_await woken.notified();
    }

private:
    net::Executor executor_;
};

}  // namespace chat::etcd
