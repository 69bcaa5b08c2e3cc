#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>

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

/// `co_await next_turn(executor)`: everything that is ready by now has its turn first. The same as asio::post() with
/// `deferred`, without what that does to find out where to resume: here, in the executor's loop.
inline auto next_turn(const Executor& executor) {
    return asio::async_initiate<const asio::deferred_t, void()>(
        [executor](auto resume) {
            asio::require(executor, asio::execution::blocking.never).execute(std::move(resume));
        },
        asio::deferred);
}

}  // namespace net
