// A peer of 03: Asio as its examples use it. A coroutine for each client reads a line into a dynamic buffer and writes
// its answer before it looks for the next one. Everything else (options, first line) is as the bench needs it.
#include <boost/asio.hpp>
#include <boost/version.hpp>

#include <CLI/CLI.hpp>

#include <cstdint>
#include <iostream>
#include <string>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr std::size_t max_line = 64 * 1024;

asio::awaitable<void> session(tcp::socket socket) {
    std::string received;
    try {
        for (;;) {
            const std::size_t size = co_await asio::async_read_until(socket, asio::dynamic_buffer(received, max_line),
                                                                     '\n', asio::use_awaitable);
            const std::string reply = "ECHO " + received.substr(0, size);
            co_await asio::async_write(socket, asio::buffer(reply), asio::use_awaitable);
            received.erase(0, size);
        }
    } catch (const boost::system::system_error&) {
        // The client has left.
    }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor) {
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
        socket.set_option(tcp::no_delay(true));
        asio::co_spawn(acceptor.get_executor(), session(std::move(socket)), asio::detached);
    }
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Echo with a read and a write for each line"};
    std::uint16_t port = 1234;
    std::string packet = "line";
    app.set_version_flag("--version", "Boost " BOOST_LIB_VERSION);
    app.add_option("--port", port);
    app.add_option("--packet", packet)->check(CLI::IsMember({"line"}));
    CLI11_PARSE(app, argc, argv);
    asio::io_context loop(1);
    tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), port});
    std::cout << "Listening on 127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    asio::co_spawn(loop, accept(acceptor), asio::detached);
    loop.run();
}
