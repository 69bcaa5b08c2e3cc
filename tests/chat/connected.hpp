#pragma once

#include "net/async_socket.hpp"

#include <boost/asio.hpp>

/// Our end of a new connection to `peer`; the system buffers little for it.
inline net::AsyncSocket connected_to(boost::asio::io_context& loop, boost::asio::ip::tcp::socket& peer) {
    using boost::asio::ip::tcp;
    tcp::acceptor acceptor(loop, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    peer.open(tcp::v4());
    peer.set_option(tcp::socket::receive_buffer_size(4096));
    peer.connect(acceptor.local_endpoint());
    net::TcpSocket ours(loop.get_executor());
    acceptor.accept(ours);
    ours.set_option(tcp::socket::send_buffer_size(4096));
    return {std::move(ours), {}};
}
