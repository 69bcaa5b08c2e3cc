#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>

/// Asio's types for the one kind of executor there is here, an io_context's. Their usual names stand for any executor
/// whatever, which costs each idle connection some hundred bytes.
namespace net {

namespace asio = boost::asio;
using asio::ip::tcp;

using Executor = asio::io_context::executor_type;

/// What a coroutine returns that waits for sockets and timers of a loop.
template <class T>
using awaitable = asio::awaitable<T, Executor>;

using TcpSocket = asio::basic_stream_socket<tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// For `co_await operation(..., net::outcome)`: errors come back as values, `auto [error, size] = …`. `deferred` hands
/// the operation itself to co_await; the usual `use_awaitable` would first wrap it in a coroutine of its own.
inline constexpr auto outcome = asio::as_tuple(asio::deferred);

/// Where this thread counts the turns that next_turn() hands out; null: nowhere. Whoever reads the number twice knows
/// whether the thread's loop moves.
inline constinit thread_local std::atomic<std::uint64_t>* turns = nullptr;

/// One turn more. Only its own thread counts, so this needs no atomic addition.
inline void count_turn(std::atomic<std::uint64_t>& count) {
    count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

/// `co_await next_turn(co_await asio::this_coro::executor)`: lets all that is ready run first. The same as asio::post()
/// with `deferred`, without what that does to find out where to resume: in the executor's loop, which must therefore be
/// the coroutine's own.
inline auto next_turn(const Executor& executor) {
    if (turns != nullptr) count_turn(*turns);
    return asio::async_initiate<const asio::deferred_t, void()>(
        [executor](auto resume) {
            asio::require(executor, asio::execution::blocking.never).execute(std::move(resume));
        },
        asio::deferred);
}

}  // namespace net
