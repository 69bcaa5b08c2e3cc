#include "echo_client/echo_client.hpp"

#include <boost/asio.hpp>

#include <algorithm>

#include <unistd.h>

namespace echo_client {

namespace {

/// The socket delivers: on_packet for each packet, when it comes; on_closed once, at the end.
net::awaitable<void> deliver(net::Socket& socket, auto on_packet, auto on_closed) {
    while (const auto packet = co_await socket.async_recv()) on_packet(*packet);
    on_closed(socket.why_closed());
}

/// Sends what is typed, when it is typed; at its end, tells the server that no more will come.
net::awaitable<void> type(net::Socket& socket, const Options& options, asio::posix::stream_descriptor& keyboard) {
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
            if (!co_await socket.async_flush()) co_return;
        }
        if (size <= 0) break;
    }
    socket.shutdown(net::tcp::socket::shutdown_send);
}

}  // namespace

void talk_actively(asio::io_context& loop, net::Socket& socket, const Options& options) {
    asio::posix::stream_descriptor keyboard(loop, ::dup(STDIN_FILENO));
    bool typed_all = false;
    const auto ended = [&](const std::exception_ptr& exception) {
        if (exception) std::rethrow_exception(exception);
    };
    const auto on_closed = [&](const boost::system::error_code& why) {
        if (why != net::Error::closed) fail("connection lost: " + net::reason(why));
        if (!typed_all) fail("the server has closed the connection");
        keyboard.close();
    };
    asio::co_spawn(loop, deliver(socket, print, on_closed), ended);
    asio::co_spawn(loop, type(socket, options, keyboard), [&](const std::exception_ptr& exception) {
        typed_all = true;
        ended(exception);
    });
    loop.run();
}

}  // namespace echo_client
