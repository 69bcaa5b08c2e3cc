#pragma once

#include "net/awaitable.hpp"

#include <boost/asio/experimental/channel.hpp>
#include <boost/asio/post.hpp>

#include <functional>
#include <memory>

/// How the parts of one event loop wait for each other. The loop's thread only.
namespace chat {

/// One coroutine waits, others notify it (as tokio's Notify). A notification that finds nobody waiting is kept for the
/// next wait; several of them are kept as one.
class Notify {
public:
    explicit Notify(const net::Executor& executor) : channel_(executor, 1) {}

    void notify() { channel_.try_send(boost::system::error_code()); }
    net::awaitable<void> notified() { co_await channel_.async_receive(net::outcome); }

private:
    boost::asio::experimental::channel<net::Executor, void(boost::system::error_code)> channel_;
};

/// Work that is done once, soon, however often it was scheduled: after everything that is ready at this moment. When
/// four people speak at once, the room is written to everybody in one go. Destroyed before, it does nothing.
class Coalesced {
public:
    Coalesced(net::Executor executor, std::function<void()> work)
        : executor_(std::move(executor)), work_(std::make_shared<std::function<void()>>(std::move(work))) {}

    void schedule() {
        if (std::exchange(is_scheduled_, true)) return;
        boost::asio::post(executor_, [this, work = std::weak_ptr(work_)] {
            if (work.expired()) return;
            is_scheduled_ = false;
            (*work_)();
        });
    }

private:
    net::Executor executor_;
    std::shared_ptr<std::function<void()>> work_;  // as long as it lives, so does the Coalesced
    bool is_scheduled_ = false;
};

/// Does something when its time is over, unless it is destroyed before.
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
    std::shared_ptr<std::function<void()>> action_;  // as long as it lives, so does the Deadline
};

}  // namespace chat
