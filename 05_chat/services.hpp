#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "05_chat/base/door.hpp"
#include "net/awaitable.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

/// What runs as long as the program does: the rooms, and at each door the loop that lets people in. Each is a
/// coroutine. Where an exception ends one, it stays ended: at that door clients wait in the kernel's backlog. Or,
/// supervised, stage 04's supervisor starts it anew (one_for_one: the others do not notice). The conversations under
/// way are not among them: each contains its own exceptions. The loop's thread only.
class Services {
public:
    Services(boost::asio::io_context& loop, bool supervised) : loop_(loop), is_supervised_(supervised) {}

    /// `body` is called for each life and returns its coroutine (it must not be a coroutine itself). After `stop` that
    /// coroutine returns. `name` is a literal, `stop` may be called twice.
    using Body = std::function<net::awaitable<void>()>;
    void add(std::string_view name, Body body, std::function<void()> stop);
    void add(Door& door);

    /// Starts all of them in order. `give_up`: the supervisor has had enough of their exceptions, and stopped them.
    void start(std::function<void()> give_up);
    /// Stops all of them, the last one first.
    void stop();
    /// Who they are, a line for each, below something else.
    std::string tree() const;
    bool have_given_up() const { return has_given_up_; }

    /// The supervisor forgives this many exceptions within 5 s; one more, and it gives up.
    static constexpr int max_restarts = 3;

private:
    struct Service {
        std::string_view name;
        Body body;
        std::function<void()> stop;
    };
    void supervise(std::function<void()> give_up);

    boost::asio::io_context& loop_;
    bool is_supervised_;
    std::vector<Service> services_;
    std::shared_ptr<otp::Runtime> supervisor_;
    bool is_stopping_ = false;
    bool has_given_up_ = false;
};

}  // namespace chat
