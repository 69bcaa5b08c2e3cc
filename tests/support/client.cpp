#include "support/client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace support {

namespace {

/// What a failed reader had got until then, cut, so that a failure can be read.
std::string shown(const std::string& bytes) {
    constexpr std::size_t max_shown = 200;
    return std::to_string(bytes.size()) + " bytes: \"" + bytes.substr(0, max_shown) + "\"";
}

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

struct Address {
    sockaddr_storage storage{};
    socklen_t size = 0;
};

Address address_of(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
    if (error != 0) throw Failure("not an address: " + host + ": " + ::gai_strerror(error));
    Address address;
    address.size = found->ai_addrlen;
    std::copy_n(reinterpret_cast<const char*>(found->ai_addr), found->ai_addrlen,
                reinterpret_cast<char*>(&address.storage));
    ::freeaddrinfo(found);
    return address;
}

}  // namespace

Client::Client(std::uint16_t port) : Client(port, Options()) {}

Client::Client(std::uint16_t port, const Options& options) {
    const Address address = address_of(options.host, port);
    socket_ = Descriptor(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket_.get() < 0) fail("socket");
    const int on = 1;
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    // Before connecting: the window that is announced then depends on it.
    if (options.receive_buffer > 0) {
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof options.receive_buffer);
    }
    if (::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&address.storage), address.size) == 0) return;
    if (errno != EINPROGRESS) fail("connect");
    if (!wait(POLLOUT, patience())) throw Failure("could not connect in time: is the backlog full?");
    socklen_t size = sizeof errno;
    ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &errno, &size);
    if (errno != 0) fail("connect");
}

/// Whether one of the events, or an error, came about in time.
bool Client::wait(short events, std::chrono::milliseconds within) const {
    const Deadline deadline(within);
    pollfd socket{socket_.get(), events, 0};
    int ready = 0;
    do {
        ready = ::poll(&socket, 1, deadline.left_ms());
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

// ---- sending --------------------------------------------------------------------------------------------------------

std::size_t Client::send_some(std::string_view bytes) {
    const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EINTR) return 0;
    throw Failure("could not send: " + std::generic_category().message(errno));
}

void Client::send(std::string_view bytes) {
    const Deadline deadline(patience());
    while (!bytes.empty()) {
        bytes.remove_prefix(send_some(bytes));
        const std::chrono::milliseconds left(deadline.left_ms());
        if (!bytes.empty() && !wait(POLLOUT, left)) {
            throw Failure("the server did not take the last " + std::to_string(bytes.size()) + " bytes");
        }
    }
}

bool Client::wait_until_it_takes_more(std::chrono::milliseconds within) {
    return wait(POLLOUT, within);
}

// ---- receiving ------------------------------------------------------------------------------------------------------

/// Takes over what can be read now. 0: nothing, or the end (has_ended_).
std::size_t Client::receive() {
    std::array<char, 64 * 1024> bytes;
    const auto size = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (size > 0) received_.append(bytes.data(), static_cast<std::size_t>(size));
    if (size == 0) has_ended_ = true;
    if (size < 0 && errno != EAGAIN && errno != EINTR) {
        throw Failure("the connection broke: " + std::generic_category().message(errno) + "; got " + shown(received_));
    }
    return static_cast<std::size_t>(std::max<ssize_t>(size, 0));
}

void Client::receive_until(const std::function<bool()>& enough, const std::string& what) {
    const Deadline deadline(patience());
    while (!enough()) {
        if (has_ended_) throw Failure("waiting for " + what + ": the server closed; got " + shown(received_));
        if (!wait(POLLIN, std::chrono::milliseconds(deadline.left_ms()))) {
            throw Failure("waiting for " + what + ": it did not come in time; got " + shown(received_));
        }
        receive();
    }
}

std::string Client::take(std::size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
}

std::string Client::recv_exactly(std::size_t size) {
    receive_until([&] { return received_.size() >= size; }, std::to_string(size) + " bytes");
    return take(size);
}

std::string Client::recv_line() {
    std::size_t searched = 0;
    const auto has_line = [&] {
        const auto end = received_.find('\n', searched);
        searched = end == std::string::npos ? received_.size() : end;
        return end != std::string::npos;
    };
    receive_until(has_line, "a line");
    return take(searched + 1);
}

std::string Client::recv_until_close() {
    receive_until([this] { return has_ended_; }, "the end");
    return std::exchange(received_, "");
}

std::string Client::exchange(std::string_view bytes, const std::function<std::size_t()>& next_size) {
    const std::size_t expected = bytes.size();
    received_.reserve(expected);
    std::string_view piece;
    while (received_.size() < expected) {
        if (piece.empty()) {
            piece = bytes.substr(0, next_size());
            bytes.remove_prefix(piece.size());
        }
        if (!piece.empty()) piece.remove_prefix(send_some(piece));
        receive();
        if (has_ended_) throw Failure("the server closed; got " + shown(received_));
        const short sending = piece.empty() && bytes.empty() ? 0 : POLLOUT;
        const bool enough = received_.size() >= expected;
        if (!enough && !wait(static_cast<short>(POLLIN | sending), patience())) {
            throw Failure("nothing moves any more; got " + shown(received_) + " of " + std::to_string(expected));
        }
    }
    return take(expected);
}

Client::End Client::wait_for_end(std::chrono::milliseconds within) {
    const Deadline deadline(within);
    std::array<char, 64 * 1024> forgotten;
    for (;;) {
        const auto size = ::recv(socket_.get(), forgotten.data(), forgotten.size(), 0);
        if (size == 0) return End::closed;
        if (size < 0 && errno != EAGAIN && errno != EINTR) return End::reset;
        if (!wait(POLLIN, std::chrono::milliseconds(deadline.left_ms()))) {
            throw Failure("the server did not close within " + std::to_string(within.count()) + " ms");
        }
    }
}

bool Client::has_news(std::chrono::milliseconds within) {
    return !received_.empty() || wait(POLLIN, within);
}

void Client::expect_silence(std::chrono::milliseconds within) {
    if (!has_news(within)) return;
    if (received_.empty()) receive();
    throw Failure("expected silence, but " +
                  (has_ended_ ? std::string("the server closed") : "got " + shown(received_)));
}

// ---- ending ---------------------------------------------------------------------------------------------------------

void Client::half_close() {
    ::shutdown(socket_.get(), SHUT_WR);
}

void Client::reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    socket_.close();
}

void Client::close() {
    socket_.close();
}

std::string Client::name() const {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &size);
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    ::getnameinfo(reinterpret_cast<const sockaddr*>(&storage), size, host.data(), host.size(), port.data(), port.size(),
                  NI_NUMERICHOST | NI_NUMERICSERV);
    const bool ipv6 = storage.ss_family == AF_INET6;
    return (ipv6 ? "[" : "") + std::string(host.data()) + (ipv6 ? "]:" : ":") + port.data();
}

bool refuses_clients(std::uint16_t port) try {
    const Client client(port);
    return false;
} catch (const std::system_error& error) {
    if (error.code() == std::errc::connection_refused) return true;
    throw;
}

std::size_t raise_open_files_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace support
