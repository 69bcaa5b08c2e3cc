#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

/// Small tools of the load: sockets, waiting for them, and counting time.
namespace bench {

/// Throws std::system_error saying `what` if `result` is negative.
int check(int result, const char* what);

/// A descriptor that closes itself.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) : fd_(fd) {}
    Fd(Fd&& other) noexcept;
    Fd& operator=(Fd&& other) noexcept;
    ~Fd() { close(); }

    int get() const { return fd_; }
    void close();

private:
    int fd_ = -1;
};

/// A non-blocking connection to 127.0.0.1:`port`, without Nagle's delay. `number` picks one of 250 source addresses
/// (127.0.1.1 ...): closed connections keep their port for a minute, and one address has only 28,000 of them.
Fd connect_to(std::uint16_t port, std::uint64_t number);

/// epoll with an end: the sockets' events, or a reason to give up.
class Poller {
public:
    /// `patience`: how long wait() may go without an event. `stop`: makes it throw Interrupted.
    Poller(std::chrono::milliseconds patience, std::stop_token stop);

    void add(int fd, std::uint32_t index, std::uint32_t events) const;
    void change(int fd, std::uint32_t index, std::uint32_t events) const;

    /// The next events, `data.u32` being the index given to add(); none when `until` has come. Throws WrongAnswer if
    /// there was no event for `patience`.
    std::span<const epoll_event> wait(std::chrono::steady_clock::time_point until);

private:
    Fd epoll_;
    std::chrono::milliseconds patience_;
    std::stop_token stop_;
    std::vector<epoll_event> events_;
    std::chrono::steady_clock::time_point last_event_;
};

/// Durations, remembered within 3 %, in a few KiB however many there are.
class Latencies {
public:
    void add(std::chrono::nanoseconds duration);
    /// The duration, in microseconds, that `share` (0 ... 1) of all do not exceed; 0 if there are none.
    double quantile(double share) const;
    void clear();

private:
    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(64 * 32);
    std::uint64_t total_ = 0;
};

}  // namespace bench
