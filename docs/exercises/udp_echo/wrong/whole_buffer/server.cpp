// Wrong: it sends the whole buffer back, whatever the datagram had.
// RFC 862 over UDP: every datagram goes back to whoever sent it.

#include <boost/asio.hpp>

#include <array>
#include <cstdlib>
#include <iostream>

namespace {

using boost::asio::ip::udp;

/// More than a datagram can hold: what does not fit into the buffer is thrown away without a word.
constexpr std::size_t max_datagram = 65507;

void serve(udp::socket& socket) {
    std::array<char, max_datagram> datagram;
    for (;;) {
        udp::endpoint sender;
        boost::system::error_code error;
        socket.receive_from(boost::asio::buffer(datagram), sender, 0, error);
        if (error) continue;  // one datagram's misfortune
        socket.send_to(boost::asio::buffer(datagram), sender, 0, error);
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 1234);
    boost::asio::io_context loop;
    udp::socket socket(loop, {boost::asio::ip::address_v4::loopback(), port});
    std::cout << "Listening on " << socket.local_endpoint() << std::endl;
    serve(socket);
}
