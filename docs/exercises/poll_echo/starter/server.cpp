// A plain echo: one thread, and no coroutines. server [PORT]

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

constexpr int backlog = 1024;  // clients that may wait for accept

struct Client {
    int socket;
    std::string owed;  // what came and was not sent back yet
};

/// Here: one client after the other. poll tells who is ready: #include <poll.h> is there already.
void serve(int door) {
    for (;;) {
        Client client{::accept(door, nullptr, nullptr), {}};
        char bytes[4096];
        for (ssize_t size; (size = ::recv(client.socket, bytes, sizeof bytes, 0)) > 0;) {
            client.owed.assign(bytes, static_cast<std::size_t>(size));
            while (!client.owed.empty()) {
                const ssize_t sent = ::send(client.socket, client.owed.data(), client.owed.size(), MSG_NOSIGNAL);
                if (sent < 0) break;
                client.owed.erase(0, static_cast<std::size_t>(sent));
            }
        }
        ::close(client.socket);
    }
}

/// A socket that listens on 127.0.0.1; ends the program where that cannot be.
int listen_or_exit(std::uint16_t port) {
    const int door = ::socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    ::setsockopt(door, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(door, reinterpret_cast<sockaddr*>(&address), size) < 0 || ::listen(door, backlog) < 0) {
        std::perror("cannot listen");
        std::exit(EXIT_FAILURE);
    }
    ::getsockname(door, reinterpret_cast<sockaddr*>(&address), &size);
    std::printf("Listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return door;
}

}  // namespace

int main(int argc, char** argv) {
    serve(listen_or_exit(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 1234)));
}
