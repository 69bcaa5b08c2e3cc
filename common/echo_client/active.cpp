#include "echo_client/echo_client.hpp"
#include "net/async_socket.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <chrono>

#include <unistd.h>

namespace echo_client {

namespace {

/// The socket delivers: on_packet for each packet, when it comes; on_closed once, at the end.
net::awaitable<void> deliver(net::AsyncSocket& socket, auto on_packet, auto on_closed) {
    while (const auto packet = co_await socket.recv()) on_packet(*packet);
    on_closed(socket.why_closed());
}

/// Sends what is typed, when it is typed; at its end, tells the server that no more will come.
net::awaitable<void> type(net::AsyncSocket& socket, const Options& options, asio::posix::stream_descriptor& keyboard) {
    std::string typed;
    for (;;) {
        // Only waits: reading through Asio would make the terminal non-blocking for everybody who shares it. A file
        // cannot be waited for, and need not be.
        co_await keyboard.async_wait(asio::posix::stream_descriptor::wait_read, net::outcome);
        char some[4096];
        const auto size = ::read(STDIN_FILENO, some, sizeof some);
        typed.append(some, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (size <= 0 && !typed.empty()) typed += '\n';  // the last line may have no end
        for (auto end = typed.find('\n'); end != typed.npos; end = typed.find('\n')) {
            const std::string line = typed.substr(0, end);
            typed.erase(0, end + 1);
            socket.put({line, options.line_end()});
            if (!co_await socket.flush()) co_return;
        }
        if (size <= 0) break;
    }
    socket.shutdown(net::tcp::socket::shutdown_send);
}

/// Both ways at once, until either side has ended.
net::awaitable<void> talk(asio::io_context& loop, const Options& options) {
    constexpr std::chrono::minutes longest{5};
    auto socket = co_await net::async_connect(loop, options.host, options.port, options.socket, longest);
    if (!socket) fail_to_connect(options, socket.error());
    asio::posix::stream_descriptor keyboard(loop, ::dup(STDIN_FILENO));
    bool typed_all = false;
    asio::co_spawn(loop, type(*socket, options, keyboard), [&](const std::exception_ptr& exception) {
        typed_all = true;
        if (exception) std::rethrow_exception(exception);
    });
    co_await deliver(*socket, print, [&](const boost::system::error_code& why) {
        if (why != net::Error::closed) fail("connection lost: " + net::reason(why));
        if (!typed_all) fail("the server has closed the connection");
    });
}

}  // namespace

void talk_actively(const Options& options) {
    asio::io_context loop;
    asio::co_spawn(loop, talk(loop, options), [](const std::exception_ptr& exception) {
        if (exception) std::rethrow_exception(exception);
    });
    loop.run();
}

}  // namespace echo_client
