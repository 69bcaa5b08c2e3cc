#include "poller.hpp"

#include "load.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <system_error>
#include <utility>

namespace bench {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

int check(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::system_category(), what);
    return result;
}

Fd::Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Fd& Fd::operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
}

void Fd::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Fd connect_to(std::uint16_t port, std::uint64_t number) {
    Fd socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // The port is chosen at connect, when the kernel knows the other side: it may serve once for each destination.
    setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(0x7f000101u + static_cast<std::uint32_t>(number % 250));
    check(bind(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const timeval patience{.tv_sec = 5, .tv_usec = 0};  // of connect, where the server's backlog is full and stays so
    setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    check(connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), "connect");
    return socket;
}

Poller::Poller(std::chrono::milliseconds patience, std::stop_token stop)
    : epoll_(check(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      patience_(patience),
      stop_(std::move(stop)),
      events_(512),
      last_event_(steady_clock::now()) {}

void Poller::add(int fd, std::uint32_t index, std::uint32_t events) const {
    epoll_event event{.events = events, .data = {.u32 = index}};
    check(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}

void Poller::change(int fd, std::uint32_t index, std::uint32_t events) const {
    epoll_event event{.events = events, .data = {.u32 = index}};
    check(epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event), "epoll_ctl");
}

std::span<const epoll_event> Poller::wait(steady_clock::time_point until) {
    for (;;) {
        const auto now = steady_clock::now();
        if (stop_.stop_requested()) throw Interrupted();
        if (now >= until) return {};
        // Short turns: a signal that comes just before epoll_wait does not wake it.
        const auto turn =
            std::chrono::ceil<std::chrono::milliseconds>(std::min<steady_clock::duration>(until - now, 100ms));
        const int count =
            epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), static_cast<int>(turn.count()));
        if (count < 0 && errno != EINTR) check(count, "epoll_wait");
        if (count > 0) {
            last_event_ = now;
            return {events_.data(), static_cast<std::size_t>(count)};
        }
        if (now - last_event_ > patience_) {
            throw WrongAnswer("no answer for " + std::to_string(patience_.count()) + " ms");
        }
    }
}

// Buckets grow with the duration: 32 for each power of two.
static std::size_t bucket(std::uint64_t value) {
    if (value < 32) return value;
    const int exponent = std::bit_width(value) - 6;  // value >> exponent is 32 ... 63
    return static_cast<std::size_t>(exponent) * 32 + (value >> exponent);
}

void Latencies::add(std::chrono::nanoseconds duration) {
    ++counts_[bucket(static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count())))];
    ++total_;
}

double Latencies::quantile(double share) const {
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen == 0 || static_cast<double>(seen) < share * static_cast<double>(total_)) continue;
        const std::size_t exponent = i < 64 ? 0 : i / 32 - 1;
        return static_cast<double>((i - exponent * 32) << exponent) / 1000;
    }
    return 0;
}

void Latencies::clear() {
    std::fill(counts_.begin(), counts_.end(), 0);
    total_ = 0;
}

}  // namespace bench
