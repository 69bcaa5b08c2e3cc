#include "echo_client/echo_client.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <fstream>
#include <iostream>

namespace echo_client {

namespace {

/// The reply to what was just sent.
std::string_view reply_or_fail(net::Socket& socket, const Options& options) {
    const auto packet = socket.recv(options.patience.count() > 0 ? options.patience : net::for_ever);
    if (packet.error() == asio::error::timed_out) {
        fail("no reply within " + std::to_string(options.patience.count()) + " ms: is the server's --packet " +
             std::string(net::to_string(options.socket.packet)) + ", too?");
    }
    if (!packet) fail("no reply: " + net::reason(packet.error()));
    return *packet;
}

void send_or_fail(net::Socket& socket, std::initializer_list<std::string_view> pieces) {
    if (const auto sent = socket.send(pieces); !sent) fail("cannot send: " + net::reason(sent.error()));
}

}  // namespace

void send_one(net::Socket& socket, const Options& options) {
    send_or_fail(socket, {options.send, options.line_end()});
    print(reply_or_fail(socket, options));
}

void talk(net::Socket& socket, const Options& options) {
    for (std::string line; std::getline(std::cin, line);) {
        send_or_fail(socket, {line, options.line_end()});
        print(reply_or_fail(socket, options));
    }
    socket.shutdown(net::tcp::socket::shutdown_send);
    while (const auto packet = socket.recv()) print(*packet);
}

void compare_file(net::Socket& socket, const Options& options) {
    constexpr std::size_t piece = 16 * 1024;  // small enough that both directions' buffers hold it: nobody waits for us
    std::ifstream file(options.from, std::ios::binary);
    if (!file) fail("cannot read " + options.from);
    const std::size_t header = net::header_size(options.socket.packet);
    const std::size_t most = header == 1 ? 255 : std::min(piece, options.socket.max_packet);
    std::size_t bytes = 0;
    std::size_t packets = 0;
    for (std::string sent; file; ++packets) {
        if (options.is_line()) {
            if (!std::getline(file, sent)) break;
            if (!file.eof()) sent += '\n';
            if (sent.ends_with("\r\n")) sent.erase(sent.size() - 2) += '\n';
        } else {
            sent.resize(most);
            file.read(sent.data(), static_cast<std::streamsize>(most));
            sent.resize(static_cast<std::size_t>(file.gcount()));
        }
        if (sent.empty()) break;
        send_or_fail(socket, {sent});
        if (file.eof()) socket.shutdown(net::tcp::socket::shutdown_send);  // or an unfinished last line has no reply
        const std::string expected = (options.is_line() ? "ECHO " : "") + sent;
        std::string got(reply_or_fail(socket, options));
        while (options.is_raw() && got.size() < expected.size()) got += reply_or_fail(socket, options);
        if (got != expected) {
            const auto differs = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end()).first;
            fail("packet " + std::to_string(packets + 1) + ", which starts at byte " + std::to_string(bytes) +
                 " of the file, came back changed from its byte " + std::to_string(differs - got.begin()) + " on");
        }
        bytes += sent.size();
    }
    if (file.bad()) fail("cannot read " + options.from);
    std::cout << bytes << " bytes in " << packets << " packets came back unchanged" << std::endl;
}

}  // namespace echo_client
