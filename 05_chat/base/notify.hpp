#pragma once

#include "net/awaitable.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>

/// How the parts of one event loop wait for each other. The loop's thread only.
namespace chat {

/// One coroutine waits, others wake it. Woken while it does not wait, it will not wait the next time; woken many times,
/// it wakes once.
class Notify {
public:
    explicit Notify(const net::Executor& executor) : channel_(executor, 1) {}

    void wake() { channel_.try_send(boost::system::error_code()); }
    net::awaitable<void> wait() { co_await channel_.async_receive(net::outcome); }

private:
    boost::asio::experimental::channel<net::Executor, void(boost::system::error_code)> channel_;
};

/// Work that is to be done after everything that this moment brings, once, however often it was asked for: when four
/// people speak at once, the room is written to everybody in one go.
class Coalesced {
public:
    Coalesced(net::Executor executor, std::function<void()> work)
        : executor_(std::move(executor)), work_(std::make_shared<std::function<void()>>(std::move(work))) {}

    void ask() {
        if (std::exchange(asked_, true)) return;
        boost::asio::post(executor_, [this, work = std::weak_ptr(work_)] {
            if (work.expired()) return;
            asked_ = false;
            (*work_)();
        });
    }

private:
    net::Executor executor_;
    std::shared_ptr<std::function<void()>> work_;  // gone when the turn comes: so is the Coalesced
    bool asked_ = false;
};

/// Does something when time is over, unless it was destroyed before.
class Deadline {
public:
    Deadline(const net::Executor& executor, std::chrono::milliseconds after, std::function<void()> action)
        : timer_(executor, after), action_(std::make_shared<std::function<void()>>(std::move(action))) {
        timer_.async_wait([action = std::weak_ptr(action_)](boost::system::error_code cancelled) {
            if (const auto wanted = action.lock(); wanted && !cancelled) (*wanted)();
        });
    }

private:
    net::Timer timer_;
    std::shared_ptr<std::function<void()>> action_;
};

}  // namespace chat
