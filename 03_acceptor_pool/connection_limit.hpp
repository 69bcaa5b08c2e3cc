#pragma once

#include "app/story.hpp"
#include "net/awaitable.hpp"

#include <boost/asio/experimental/concurrent_channel.hpp>

#include <utility>

namespace pool {

namespace asio = boost::asio;

/// What happens to a client above the limit.
enum class Overload {
    queue,   ///< it is not accepted until another leaves; meanwhile the kernel keeps it in the backlog
    reject,  ///< it is accepted, told so, and closed
};

class ConnectionLimit;

/// The right to serve one client; given back when it is destroyed. May be empty: no right.
class Permit {
public:
    Permit() = default;
    Permit(Permit&& other) noexcept : limit_(std::exchange(other.limit_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
        std::swap(limit_, other.limit_);
        return *this;
    }
    ~Permit();

    explicit operator bool() const { return limit_ != nullptr; }

private:
    friend ConnectionLimit;
    explicit Permit(ConnectionLimit* limit) : limit_(limit) {}
    ConnectionLimit* limit_ = nullptr;
};

/// How many clients may be served at once: a semaphore that coroutines wait at. A hard limit, over any number of
/// acceptors and loops. Any thread.
class ConnectionLimit {
public:
    /// 0: no limit.
    ConnectionLimit(asio::io_context& loop, unsigned max, Overload overload);

    /// Before accepting. Where clients queue: waits for a permit; empty when stop() was called. Where they are
    /// rejected: empty, at once. A waiting acceptor must not hold a permit that a client at another acceptor needs.
    net::awaitable<Permit> acquire(app::Who acceptor);

    /// A permit, or an empty one where all are given out.
    Permit try_acquire();

    /// Nobody waits any longer. In the acceptors' thread.
    void stop() {
        given_out_.cancel();  // first: close() leaves those who wait to send where they are, for ever
        given_out_.close();
    }

private:
    friend Permit;
    void release();

    unsigned max_;
    Overload overload_;
    // A channel with room for `max` messages, one for each permit that is given out: sending waits where it is full.
    asio::experimental::concurrent_channel<net::Executor, void(boost::system::error_code)> given_out_;
};

inline Permit::~Permit() {
    if (limit_ != nullptr) limit_->release();
}

}  // namespace pool
