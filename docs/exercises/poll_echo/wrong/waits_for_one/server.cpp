// Wrong: its sockets block, and one client that does not read holds up all.
// A plain echo: one thread, and no coroutines. server [PORT]

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

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

/// Reads once, or sends once. False: the client has gone.
bool serve_once(Client& client) {
    if (client.owed.empty()) {
        char bytes[4096];
        const ssize_t size = ::recv(client.socket, bytes, sizeof bytes, 0);
        if (size <= 0) return size < 0 && errno == EAGAIN;
        client.owed.assign(bytes, static_cast<std::size_t>(size));
    }
    const ssize_t sent = ::send(client.socket, client.owed.data(), client.owed.size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN;
    client.owed.erase(0, static_cast<std::size_t>(sent));
    return true;
}

/// All clients, whoever is ready.
void serve(int door) {
    std::vector<Client> clients;
    for (;;) {
        std::vector<pollfd> asked{{door, POLLIN, 0}};
        for (const auto& client : clients) {
            const short event = client.owed.empty() ? POLLIN : POLLOUT;
            asked.push_back({client.socket, event, 0});
        }
        if (::poll(asked.data(), asked.size(), -1) < 0) continue;
        for (std::size_t i = 0; i < clients.size(); ++i) {
            if (asked[i + 1].revents == 0 || serve_once(clients[i])) continue;
            ::close(clients[i].socket);
            clients[i].socket = -1;
        }
        std::erase_if(clients, [](const Client& client) { return client.socket < 0; });
        if (asked[0].revents == 0) continue;
        const int socket = ::accept4(door, nullptr, nullptr, 0);
        if (socket >= 0) clients.push_back({socket, {}});
    }
}

/// A socket that listens on 127.0.0.1; ends the program where that cannot be.
int listen_or_exit(std::uint16_t port) {
    const int door = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
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
