// The measuring stick for 03 and 04: one thread, one epoll, level-triggered, one read and one write for each event.
// All clients share one buffer; a client owns memory only while it is in the middle of a line or does not read.
#include "stick.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

using namespace bench::stick;

namespace {

struct Client {
    std::string* held = nullptr;  // the beginning of an unfinished line, shorter than max_line
    std::string* unsent =
        nullptr;           // what the kernel did not take, at most one read's replies; nothing is read meanwhile
    bool closing = false;  // nothing more comes: close once `unsent` is gone
};

char in[in_size];
char out[out_size];
std::vector<Client> clients;  // by descriptor, which the kernel keeps small
int epoll;

void watch(int operation, int fd, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll, operation, fd, &event);
}

void forget(int fd) {
    delete clients[fd].held;
    delete clients[fd].unsent;
    clients[fd] = {};
    close(fd);
}

void accept_all(int listener) {
    for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        if (clients.size() <= static_cast<std::size_t>(fd)) clients.resize(fd + 1);
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
}

// What the kernel takes now; the rest waits for EPOLLOUT.
void send_bytes(int fd, std::string_view bytes) {
    const ssize_t written = bytes.empty() ? 0 : send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) return forget(fd);
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    Client& client = clients[fd];
    if (!bytes.empty()) {
        client.unsent = new std::string(bytes);
        watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
    } else if (client.closing) {
        forget(fd);
    }
}

void resume(int fd) {
    std::string* const unsent = std::exchange(clients[fd].unsent, nullptr);
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
    send_bytes(fd, *unsent);
    delete unsent;
}

void echo_raw(int fd) {
    const ssize_t got = recv(fd, in, read_size, 0);
    if (got > 0) return send_bytes(fd, {in, static_cast<std::size_t>(got)});
    if (got == 0 || errno != EAGAIN) forget(fd);
}

void echo_lines(int fd) {
    Client& client = clients[fd];
    std::size_t held = 0;
    if (client.held) {
        held = client.held->copy(in, max_line);
        delete std::exchange(client.held, nullptr);
    }
    const ssize_t got = recv(fd, in + held, read_size, 0);
    if (got < 0 && errno != EAGAIN) return forget(fd);
    const std::size_t size = held + static_cast<std::size_t>(got > 0 ? got : 0);
    auto [consumed, written] = answer_lines({in, size}, out);
    std::string_view rest(in + consumed, size - consumed);
    if (got == 0) {
        client.closing = true;
        if (!rest.empty()) return send_bytes(fd, std::string(echo).append(rest));
    } else if (rest.size() >= max_line) {
        client.closing = true;
        written += too_long.copy(out + written, too_long.size());
    } else if (!rest.empty()) {
        client.held = new std::string(rest);
    }
    send_bytes(fd, {out, written});
}

}  // namespace

int main(int argc, char** argv) {
    const auto [listener, packet] = start(argc, argv, "Echo, one thread over epoll");
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    epoll_event events[512];
    for (;;) {
        const int count = epoll_wait(epoll, events, 512, -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
            } else if (events[i].events & EPOLLOUT) {
                resume(fd);
            } else if (packet == Packet::raw) {
                echo_raw(fd);
            } else {
                echo_lines(fd);
            }
        }
    }
}
