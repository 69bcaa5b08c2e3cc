#include "chat/relay.hpp"

#include <array>
#include <list>
#include <system_error>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace chat_tests {

using support::Descriptor;

namespace {

void check(int result, const char* what) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

Descriptor tcp_socket() {
    Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    check(made.get(), "socket");
    return made;
}

struct Pair {
    Descriptor client, server;
    bool is_dead = false;  // it was there when the cable was cut
};

/// Carries what there is to carry; false at the end of it.
bool carry(const Descriptor& from, const Descriptor& to) {
    std::array<char, 64 * 1024> bytes;
    const auto size = ::recv(from.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN;
    return size > 0 && ::send(to.get(), bytes.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size;
}

}  // namespace

Relay::Relay(std::uint16_t to) : listener_(tcp_socket()), to_(to) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    check(::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), size), "bind");
    check(::listen(listener_.get(), 16), "listen");
    check(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    port_ = ntohs(address.sin_port);
    int ends[2];
    check(::pipe(ends), "pipe");
    stop_read_ = Descriptor(ends[0]);
    stop_write_ = Descriptor(ends[1]);
    thread_ = std::thread([this] { run(); });
}

Relay::~Relay() {
    stop_write_.close();
    thread_.join();
}

void Relay::run() {
    std::list<Pair> pairs;
    for (;;) {
        std::vector<pollfd> waiting{{stop_read_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
        const bool forgets = forgets_.exchange(false);
        for (Pair& pair : pairs) {
            pair.is_dead = pair.is_dead || is_cut_ || forgets;
            if (forgets) pair.client.close();
            if (pair.is_dead) continue;
            waiting.push_back({pair.client.get(), POLLIN, 0});
            waiting.push_back({pair.server.get(), POLLIN, 0});
        }
        constexpr int look_at_the_cable_ms = 20;
        ::poll(waiting.data(), waiting.size(), look_at_the_cable_ms);
        if (waiting[0].revents != 0) return;
        if (waiting[1].revents != 0) {
            Descriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            Descriptor server = tcp_socket();
            const auto address = loopback(to_);
            const bool carried =
                !is_cut_ && ::connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
            pairs.push_back({std::move(client), std::move(server), !carried});
        }
        for (auto pair = pairs.begin(); pair != pairs.end();) {
            const bool is_over =
                !pair->is_dead && !is_cut_ && !(carry(pair->client, pair->server) && carry(pair->server, pair->client));
            pair = is_over ? pairs.erase(pair) : std::next(pair);
        }
    }
}

}  // namespace chat_tests
