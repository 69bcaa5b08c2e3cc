#include "05_chat/engine/etcd/stream.hpp"

#include <boost/asio.hpp>

namespace chat::etcd {

namespace asio = boost::asio;

net::awaitable<result<void, Why>> Stream::handshake(std::string) {
    co_return result<void, Why>();
}

net::awaitable<result<std::size_t, Why>> Stream::read_some(std::span<char> into) {
    const auto [error, size] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), net::outcome);
    if (error && error != asio::error::eof) co_return because(net::reason(error));
    co_return size;
}

net::awaitable<result<void, Why>> Stream::write(std::string_view bytes) {
    const auto [error, size] = co_await asio::async_write(socket_, asio::buffer(bytes), net::outcome);
    if (error) co_return because(net::reason(error));
    co_return result<void, Why>();
}

void Stream::close() {
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace chat::etcd
