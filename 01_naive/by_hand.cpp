// by_hand: 01_naive once more, with nothing but system calls.
//
// What common/net does for every other program here is done here in sight: make a socket, give it an address, let the
// kernel take calls, fetch a client, receive bytes until there is a whole line, send until all is sent, close.
// Telnet's commands, the other packet modes, the options and the story are left out: they are what the wrapper adds.
//
//     build/bin/by_hand [PORT]        1234 unless told otherwise; 0 lets the kernel choose one

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace {

constexpr std::size_t max_line = 65536;  // bytes, without its ending
constexpr int backlog = 1024;            // clients that may wait for accept
constexpr timeval linger{0, 200'000};    // how long the client of a too long line may pause before it is left
constexpr int most_reads = 100;          // and how much of what it still sends is read away

[[noreturn]] void fail(const char* call) {
    std::cerr << call << ": " << std::strerror(errno) << std::endl;
    std::exit(EXIT_FAILURE);
}

/// send(2) may take less than it was given. Without MSG_NOSIGNAL a client that has left would end the whole server.
bool send_all(int client, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

/// Closing with bytes unread resets the connection, and the reset may overtake the error line.
void refuse(int client, std::string_view why) {
    send_all(client, why);
    ::shutdown(client, SHUT_WR);
    ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &linger, sizeof linger);
    char unread[4096];
    for (int reads = 0; reads < most_reads && ::recv(client, unread, sizeof unread, 0) > 0; ++reads) {
    }
}

/// Of a line's text: a carriage return belongs to the ending.
std::size_t length(std::string_view line) {
    return line.size() - (line.ends_with('\r') ? 1 : 0);
}

/// While a line comes, send the reply.
void serve(int client) {
    std::string waiting;  // what has arrived and was not answered yet
    char arrived[4096];
    for (;;) {
        const ssize_t size = ::recv(client, arrived, sizeof arrived, 0);
        if (size <= 0) break;  // 0: the client has ended its stream; less: its connection is broken
        waiting.append(arrived, static_cast<std::size_t>(size));
        std::size_t begin = 0;
        while (true) {
            const std::size_t end = waiting.find('\n', begin);
            if (end == waiting.npos) break;
            const std::string_view line = std::string_view(waiting).substr(begin, end - begin);
            if (length(line) > max_line) return refuse(client, "ERROR line longer than 65536 bytes\r\n");
            if (!send_all(client, "ECHO " + waiting.substr(begin, end + 1 - begin))) return;
            begin = end + 1;
        }
        waiting.erase(0, begin);
        if (length(waiting) > max_line) return refuse(client, "ERROR line longer than 65536 bytes\r\n");
    }
    if (!waiting.empty()) send_all(client, "ECHO " + waiting);  // a last line that was never finished
}

}  // namespace

int main(int argc, char** argv) {
    std::uint16_t port = 1234;
    const std::string_view given = argc > 1 ? argv[1] : "1234";
    const auto [end, wrong] = std::from_chars(given.begin(), given.end(), port);
    if (argc > 2 || end != given.end() || wrong != std::errc{}) {
        std::cerr << "usage: by_hand [PORT]" << std::endl;
        return 2;
    }

    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0) fail("socket");
    // Or the port stays taken for a minute after a server that had clients.
    const int yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);

    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);  // the network's order of bytes is big-endian, most computers' is not
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), size) < 0) fail("bind");
    if (::listen(listener, backlog) < 0) fail("listen");
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    std::cout << "Listening on 127.0.0.1:" << ntohs(address.sin_port) << std::endl;

    for (;;) {
        const int client = ::accept(listener, nullptr, nullptr);
        if (client < 0) {
            ::sleep(1);  // short of descriptors, most likely: not worth a million tries a second
            continue;
        }
        serve(client);
        ::close(client);
    }
}
