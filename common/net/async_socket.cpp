#include "net/async_socket.hpp"

#include <boost/asio.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

#include <poll.h>

namespace net {

namespace {

/// How much a read asks for. A sixteenth of it would be four times the work where a client sends much.
constexpr std::size_t read_size = 64 * 1024;

/// A list of packets that no socket of this thread uses.
thread_local std::vector<std::string_view> spare;

/// Waits for the first of two operations, and calls the other one off. Both are over when it returns: a late completion
/// must not find the socket gone.
auto first_of(auto one, auto other) {
    return asio::experimental::make_parallel_group(std::move(one), std::move(other))
        .async_wait(asio::experimental::wait_for_one(), asio::deferred);
}

}  // namespace

AsyncSocket::AsyncSocket(TcpSocket socket, const SocketOptions& options) : SocketBase(std::move(socket), options) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
}

awaitable<result<Packets>> AsyncSocket::receive(std::size_t most) {
    if (packets_.capacity() > 0) {
        packets_.swap(spare);
        if (packets_.capacity() > 0) packets_ = {};  // one is enough for a thread
    }
    for (;;) {
        if (!out_.empty() && !is_flushing_ && write() == asio::error::would_block) {
            in_.give_back();
            co_await flush();
        }
        if (!in_.empty() || has_ended_) {
            if (left_of_turn_ == 0) {
                co_await next_turn(co_await asio::this_coro::executor);
                left_of_turn_ = packets_a_turn;
            }
            packets_.swap(spare);
            packets_.clear();
            const auto why_no_more =
                framer_.next_all(in_, has_ended_, std::min<std::size_t>(most, left_of_turn_), packets_);
            left_of_turn_ -= packets_.size();
            if (!packets_.empty()) co_return Packets(packets_);
            packets_.swap(spare);
            if (why_no_more != Error::incomplete) {
                in_.give_back();
                co_return keep_reason(why_no_more);
            }
        }
        in_.give_back();
        // Let the others run first: by the next turn the client's next packet is often there, and this read is not in
        // vain.
        co_await next_turn(co_await asio::this_coro::executor);
        left_of_turn_ = packets_a_turn;
        while (const auto error = read(read_size)) {
            in_.give_back();
            if (error != asio::error::would_block) co_return keep_reason(error);
            const auto [broken] = co_await socket_.async_wait(TcpSocket::wait_read, outcome);
            if (broken) co_return keep_reason(broken);
        }
    }
}

awaitable<result<std::string_view>> AsyncSocket::recv() {
    const auto packets = co_await receive(1);
    if (!packets) co_return packets.error();
    co_return packets->front();
}

awaitable<result<void>> AsyncSocket::flush() {
    while (const auto error = write()) {
        if (error != asio::error::would_block) co_return error;
        // Rare: the peer does not read as fast as it asks.
        result<void> waited;
        is_flushing_ = true;
        try {
            waited = co_await writable();
        } catch (...) {
            is_flushing_ = false;  // or recv would leave the sending to nobody
            throw;
        }
        is_flushing_ = false;
        if (!waited) co_return waited;
    }
    co_return result<void>();
}

result<std::size_t> AsyncSocket::write_some(std::span<const asio::const_buffer> bytes) {
    boost::system::error_code error = write();
    if (error) return error;
    std::size_t size = 0;
    do {
        // A gathered write costs more, even of one buffer.
        size = bytes.size() == 1 ? socket_.write_some(bytes.front(), error) : socket_.write_some(bytes, error);
    } while (error == asio::error::interrupted);
    if (error) return error == asio::error::would_block ? error : keep_reason(error);
    bytes_moved_ += size;
    return size;
}

awaitable<result<void>> AsyncSocket::writable() {
    const auto [broken] = co_await socket_.async_wait(TcpSocket::wait_write, outcome);
    if (broken) co_return keep_reason(broken);
    co_return result<void>();
}

awaitable<bool> AsyncSocket::pause(Timer& timer) {
    const auto is_broken = [this] {
        pollfd connection{socket_.native_handle(), 0, 0};
        if (::poll(&connection, 1, 0) <= 0 || (connection.revents & (POLLERR | POLLHUP)) == 0) return false;
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
        std::ignore = keep_reason(error != 0 ? boost::system::error_code(error, boost::system::system_category())
                                             : Error::closed);
        return true;
    };
    const auto [order, broken, over] =
        co_await first_of(socket_.async_wait(TcpSocket::wait_error, asio::deferred), timer.async_wait(asio::deferred));
    if (is_broken()) co_return false;
    // It was telnet's urgent data, which would wake us for ever: no eye on the connection for the rest of this time.
    if (order.front() == 0) co_await timer.async_wait(outcome);
    co_return !is_broken();
}

awaitable<void> AsyncSocket::close() {
    std::ignore = write();
    if (tell_if_too_long()) {
        Timer deadline(executor(), linger);
        while (!discard_arrived() && std::chrono::steady_clock::now() < deadline.expiry()) {
            co_await first_of(socket_.async_wait(TcpSocket::wait_read, asio::deferred),
                              deadline.async_wait(asio::deferred));
        }
    }
    const auto deadline = std::chrono::steady_clock::now() + linger;
    while (is_owed() && std::chrono::steady_clock::now() < deadline) {
        Timer pause(executor(), look_again);
        co_await pause.async_wait(outcome);
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
}

awaitable<result<AsyncSocket>> async_connect(asio::io_context& loop, std::string host, std::uint16_t port,
                                             SocketOptions options, std::chrono::milliseconds within) {
    Timer deadline(loop, within);
    asio::ip::basic_resolver<tcp, Executor> resolver(loop);
    const auto [unknown, addresses] = co_await resolver.async_resolve(host, std::to_string(port), outcome);
    if (unknown) co_return unknown;
    TcpSocket socket(loop);
    auto [order, error, address, over] =
        co_await first_of(asio::async_connect(socket, addresses, asio::deferred), deadline.async_wait(asio::deferred));
    if (order.front() == 1) co_return boost::system::error_code(asio::error::timed_out);
    if (!error) socket.set_option(tcp::no_delay(true), error);
    if (error) co_return error;
    co_return AsyncSocket(std::move(socket), options);
}

}  // namespace net
