// An echo server of coroutines with nothing but Asio: plain_loop PORT. It gives back what it reads.

#include <boost/asio.hpp>
#include <cstdlib>

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<void> serve(tcp::socket client) {
    char bytes[1024];
    for (;;) {
        const std::size_t size = co_await client.async_read_some(asio::buffer(bytes), asio::use_awaitable);
        co_await asio::async_write(client, asio::buffer(bytes, size), asio::use_awaitable);
    }
}

asio::awaitable<void> accept_loop(tcp::acceptor door) {
    for (;;) {
        tcp::socket client = co_await door.async_accept(asio::use_awaitable);
        asio::co_spawn(door.get_executor(), serve(std::move(client)), asio::detached);
    }
}

int main(int argc, char** argv) {
    asio::io_context loop;
    const auto port = static_cast<asio::ip::port_type>(argc > 1 ? std::atoi(argv[1]) : 1234);
    asio::co_spawn(loop, accept_loop({loop, {asio::ip::address_v4::loopback(), port}}), asio::detached);
    loop.run();
}
