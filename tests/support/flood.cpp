#include "support/flood.hpp"

#include <array>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

namespace support {

LineFeedFlood::LineFeedFlood(std::uint16_t port, std::size_t connections) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (std::size_t i = 0; i < connections; ++i) {
        sockets_.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(sockets_.back().get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
            throw std::runtime_error("the flood cannot connect");
        }
    }
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop, sockets_); });
}

void LineFeedFlood::run(const std::stop_token& stop, const std::vector<Descriptor>& sockets) {
    const std::string line_feeds(64 * 1024, '\n');
    std::array<char, 64 * 1024> answers;
    std::vector<pollfd> all;
    for (const auto& socket : sockets) all.push_back({socket.get(), POLLIN | POLLOUT, 0});
    while (!stop.stop_requested()) {
        constexpr int look_for_stop_ms = 50;
        ::poll(all.data(), all.size(), look_for_stop_ms);
        for (auto& one : all) {
            if ((one.revents & (POLLERR | POLLHUP)) != 0) one.fd = -1;  // poll() passes it over
            if ((one.revents & POLLIN) != 0) ::recv(one.fd, answers.data(), answers.size(), MSG_DONTWAIT);
            if ((one.revents & POLLOUT) != 0) {
                ::send(one.fd, line_feeds.data(), line_feeds.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
            }
        }
    }
}

}  // namespace support
