#pragma once

#include "net/listener.hpp"

#include <gtest/gtest.h>
#include <boost/asio.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

/// The two kinds of socket, under one name each, so that one test checks both: everything but the waiting must be the
/// same.
namespace twins {

namespace asio = boost::asio;
using net::tcp;

/// Far above what anything here takes, so that only what hangs meets it.
inline constexpr std::chrono::seconds deadline{20};

/// Runs `loop` until `awaitable` is done; what it returns.
template <class T>
T run(asio::io_context& loop, net::awaitable<T> awaitable) {
    std::optional<T> value;
    const auto keep = [](net::awaitable<T> from, std::optional<T>& to) -> net::awaitable<void> {
        to.emplace(co_await std::move(from));
    };
    run(loop, keep(std::move(awaitable), value));
    return std::move(*value);
}
template <>
inline void run(asio::io_context& loop, net::awaitable<void> awaitable) {
    std::optional<std::exception_ptr> end;
    asio::co_spawn(loop, std::move(awaitable), [&](const std::exception_ptr& exception) { end = exception; });
    loop.restart();
    loop.run_for(deadline);
    if (!end) throw std::runtime_error("it hangs");
    if (*end) std::rethrow_exception(*end);
}

/// Waits until `condition` holds; false when it never does. For what other threads bring about.
template <class Condition>
bool becomes(Condition condition) {
    const auto until = std::chrono::steady_clock::now() + deadline;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

struct Blocking {
    static constexpr auto name = "Blocking";
    using Socket = net::Socket;
    using Pieces = std::initializer_list<std::string_view>;
    asio::io_context& loop;

    net::result<Socket> accept(net::Listener& listener) const { return listener.accept(); }
    net::result<std::string_view> recv(Socket& socket) const { return socket.recv(); }
    /// Returns when the system has it.
    net::result<void> send(Socket& socket, Pieces pieces) const { return socket.send(pieces); }
    /// Returns when it will be sent, by the next recv at the latest.
    void put(Socket& socket, Pieces pieces) const { ASSERT_TRUE(socket.send(pieces)); }
    void close(Socket& socket) const { socket.close(); }
};

struct Awaiting {
    static constexpr auto name = "Awaiting";
    using Socket = net::AsyncSocket;
    using Pieces = std::initializer_list<std::string_view>;
    asio::io_context& loop;

    net::result<Socket> accept(net::Listener& listener) const { return run(loop, listener.async_accept(loop)); }
    net::result<std::string_view> recv(Socket& socket) const { return run(loop, socket.recv()); }
    net::result<void> send(Socket& socket, Pieces pieces) const {
        socket.put(pieces);
        return run(loop, socket.flush());
    }
    void put(Socket& socket, Pieces pieces) const { socket.put(pieces); }
    void close(Socket& socket) const { run(loop, socket.close()); }
};

struct Names {
    template <class Twin>
    static std::string GetName(int) {
        return Twin::name;
    }
};
using Both = testing::Types<Blocking, Awaiting>;

/// Listens on a free port of the loopback.
inline net::Listener listen(asio::io_context& loop, const net::SocketOptions& options) {
    return net::listen(loop, "127.0.0.1", 0, options).value();
}

/// The other end, by plain Asio: a test must not trust what it tests.
inline tcp::socket connect(asio::io_context& loop, const net::Listener& listener) {
    tcp::socket client(loop);
    client.connect(listener.sockname());
    return client;
}

inline void write(tcp::socket& client, std::string_view bytes) {
    asio::write(client, asio::buffer(bytes));
}

/// Exactly `size` bytes from the server.
inline std::string read(tcp::socket& client, std::size_t size) {
    std::string bytes(size, '\0');
    asio::read(client, asio::buffer(bytes));
    return bytes;
}

/// Everything until the server closes; a reset in place of an end is a failure.
inline std::string read_all(tcp::socket& client) {
    std::string bytes;
    boost::system::error_code error;
    asio::read(client, asio::dynamic_buffer(bytes), error);
    EXPECT_EQ(error, asio::error::eof) << error.message();
    return bytes;
}

/// A server's socket, and the client it talks to.
template <class Twin>
class Meeting : public testing::Test {
protected:
    void meet(const net::SocketOptions& options = {}) {
        auto listener = listen(loop, options);
        client = connect(loop, listener);
        socket.emplace(twin.accept(listener).value());
    }

    net::result<std::string> recv() {
        const auto packet = twin.recv(*socket);
        if (!packet) return packet.error();
        return std::string(*packet);
    }
    net::result<void> send(std::initializer_list<std::string_view> pieces) { return twin.send(*socket, pieces); }
    void put(std::initializer_list<std::string_view> pieces) { twin.put(*socket, pieces); }

    asio::io_context loop;
    Twin twin{loop};
    tcp::socket client{loop};
    std::optional<typename Twin::Socket> socket;
};

/// Goes without a goodbye: the other end gets a reset.
inline void reset(tcp::socket& client) {
    client.set_option(asio::socket_base::linger(true, 0));
    client.close();
}

}  // namespace twins
