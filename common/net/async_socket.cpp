#include "net/async_socket.hpp"

#include <boost/asio.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include <poll.h>

namespace net {

namespace {

/// How much a read asks for. A sixteenth of it would be four times the work where a client sends much.
constexpr std::size_t read_size = 64 * 1024;

/// A list of packets that no socket of this thread uses.
thread_local std::vector<std::string_view> spare;

}  // namespace

AsyncSocket::AsyncSocket(TcpSocket socket, const SocketOptions& options) : SocketBase(std::move(socket), options) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
}

// ---- receiving ------------------------------------------------------------------------------------------------------

awaitable<result<Packets>> AsyncSocket::receive(std::size_t most) {
    if (packets_.capacity() > 0) spare = std::exchange(packets_, {});
    for (;;) {
        if (!out_.empty() && !is_flushing_ && write() == asio::error::would_block) {
            in_.settle();
            co_await flush();
        }
        if (left_of_turn_ == 0) {
            co_await next_turn(co_await asio::this_coro::executor);
            left_of_turn_ = packets_a_turn;
        }
        if (packets_.capacity() == 0) packets_ = std::exchange(spare, {});
        packets_.clear();
        const auto error = framer_.next(in_, has_ended_, std::min(most, left_of_turn_), packets_);
        left_of_turn_ -= packets_.size();
        if (!packets_.empty()) co_return Packets(packets_);
        spare = std::exchange(packets_, {});
        in_.settle();
        if (error != Error::incomplete) co_return failed(error);
        // The others first: right after an answer, reading is mostly in vain; a turn later, on a busy server, the next
        // packet is there.
        co_await next_turn(co_await asio::this_coro::executor);
        left_of_turn_ = packets_a_turn;
        while (const auto failure = read(read_size)) {
            in_.settle();
            if (failure != asio::error::would_block) co_return failed(failure);
            const auto [broken] = co_await socket_.async_wait(TcpSocket::wait_read, outcome);
            if (broken) co_return failed(broken);
        }
    }
}

awaitable<result<std::string_view>> AsyncSocket::recv() {
    const auto packets = co_await receive(1);
    if (!packets) co_return packets.error();
    co_return packets->front();
}

// ---- sending --------------------------------------------------------------------------------------------------------

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
    std::size_t size = 0;
    // A gathered write costs more, even of one buffer.
    if (!error) size = bytes.size() == 1 ? socket_.write_some(bytes.front(), error) : socket_.write_some(bytes, error);
    if (error) return error == asio::error::would_block ? error : failed(error);
    bytes_moved_ += size;
    return size;
}

awaitable<result<void>> AsyncSocket::writable() {
    const auto [broken] = co_await socket_.async_wait(TcpSocket::wait_write, outcome);
    if (broken) co_return failed(broken);
    co_return result<void>();
}

// ---- pausing --------------------------------------------------------------------------------------------------------

awaitable<bool> AsyncSocket::pause(Timer& timer) {
    const auto is_broken = [this] {
        pollfd connection{socket_.native_handle(), 0, 0};
        if (::poll(&connection, 1, 0) <= 0 || (connection.revents & (POLLERR | POLLHUP)) == 0) return false;
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) failed({error, boost::system::system_category()});
        return true;
    };
    const auto [order, broken, over] =
        co_await asio::experimental::make_parallel_group(socket_.async_wait(TcpSocket::wait_error, asio::deferred),
                                                         timer.async_wait(asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::deferred);
    if (is_broken()) co_return false;
    // It was telnet's urgent data, which would wake us for ever: no eye on the connection for the rest of this time.
    if (order.front() == 0) co_await timer.async_wait(outcome);
    co_return !is_broken();
}

// ---- beginning and ending -------------------------------------------------------------------------------------------

awaitable<void> AsyncSocket::close() {
    write();
    if (says_too_long()) {
        Timer deadline(executor(), linger);
        while (!reads_away() && std::chrono::steady_clock::now() < deadline.expiry()) {
            // Whichever comes first; the other is over, too, when we go on: nothing may come to a socket that is gone.
            co_await asio::experimental::make_parallel_group(socket_.async_wait(TcpSocket::wait_read, asio::deferred),
                                                             deadline.async_wait(asio::deferred))
                .async_wait(asio::experimental::wait_for_one(), asio::deferred);
        }
    }
    boost::system::error_code ignored;
    socket_.close(ignored);
}

awaitable<result<AsyncSocket>> async_connect(asio::io_context& loop, std::string host, std::uint16_t port,
                                             SocketOptions options, std::chrono::milliseconds within) {
    // Shared with the deadline, which may come when this coroutine has just ended.
    struct Attempt {
        explicit Attempt(asio::io_context& loop) : resolver(loop), socket(loop), deadline(loop) {}
        asio::ip::basic_resolver<tcp, Executor> resolver;
        TcpSocket socket;
        Timer deadline;
        bool is_late = false;
    };
    const auto attempt = std::make_shared<Attempt>(loop);
    attempt->deadline.expires_after(within);
    attempt->deadline.async_wait([attempt](boost::system::error_code cancelled) {
        if (cancelled) return;
        attempt->is_late = true;
        attempt->resolver.cancel();
        boost::system::error_code ignored;
        attempt->socket.close(ignored);
    });
    auto [error, addresses] = co_await attempt->resolver.async_resolve(host, std::to_string(port), outcome);
    if (!error && !attempt->is_late) {
        std::tie(error, std::ignore) = co_await asio::async_connect(attempt->socket, addresses, outcome);
    }
    attempt->deadline.cancel();
    if (attempt->is_late) co_return boost::system::error_code(asio::error::timed_out);
    if (!error) attempt->socket.set_option(tcp::no_delay(true), error);
    if (error) co_return error;
    co_return AsyncSocket(std::move(attempt->socket), options);
}

}  // namespace net
