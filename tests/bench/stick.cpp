#include "stick.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace bench::stick {

static int check(int result, const char* what) {
    if (result < 0) {
        std::perror(what);
        std::exit(1);
    }
    return result;
}

Listening start(int argc, char** argv, const char* description) {
    CLI::App app{description};
    std::uint16_t port = 1234;
    Packet packet = Packet::line;
    app.add_option("--port", port, "0 picks a free one")->capture_default_str();
    app.add_option("--packet", packet, "raw or line")
        ->transform(
            CLI::CheckedTransformer(std::map<std::string, Packet>{{"raw", Packet::raw}, {"line", Packet::line}}));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        std::exit(app.exit(error) == 0 ? 0 : 2);
    }

    const int listener = check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const int on = 1;
    check(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    check(setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    check(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), "bind");
    check(listen(listener, 1024), "listen");
    socklen_t length = sizeof address;
    check(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &length), "getsockname");
    std::printf("Listening on 127.0.0.1:%u\n", ntohs(address.sin_port));
    std::fflush(stdout);
    return {listener, packet};
}

Answered answer_lines(std::string_view in, char* out) {
    const char* line = in.data();
    const char* const end = in.data() + in.size();
    char* to = out;
    while (const void* found = std::memchr(line, '\n', static_cast<std::size_t>(end - line))) {
        const char* const next = static_cast<const char*>(found) + 1;
        std::memcpy(to, echo.data(), echo.size());
        std::memcpy(to + echo.size(), line, static_cast<std::size_t>(next - line));
        to += echo.size() + static_cast<std::size_t>(next - line);
        line = next;
    }
    return {static_cast<std::size_t>(line - in.data()), static_cast<std::size_t>(to - out)};
}

static bool write_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t written = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

static ssize_t read_some(int socket, char* into) {
    ssize_t got;
    do got = recv(socket, into, read_size, 0);
    while (got < 0 && errno == EINTR);
    return got;
}

static void serve_raw(int socket) {
    // On the stack and not cleared: only the pages that a read fills cost memory.
    char buffer[read_size];
    for (ssize_t got; (got = read_some(socket, buffer)) > 0;) {
        if (!write_all(socket, {buffer, static_cast<std::size_t>(got)})) return;
    }
}

static void serve_lines(int socket) {
    char in[in_size];
    char out[out_size];
    std::size_t held = 0;  // bytes of an unfinished line at the front of `in`
    for (ssize_t got; (got = read_some(socket, in + held)) > 0;) {
        held += static_cast<std::size_t>(got);
        const auto [consumed, written] = answer_lines({in, held}, out);
        if (!write_all(socket, {out, written})) return;
        held -= consumed;
        std::memmove(in, in + consumed, held);
        if (held >= max_line) {
            write_all(socket, too_long);
            return;
        }
    }
    if (held > 0) write_all(socket, std::string(echo).append(in, held));
}

void serve_blocking(int socket, Packet packet) {
    if (packet == Packet::raw) {
        serve_raw(socket);
    } else {
        serve_lines(socket);
    }
    close(socket);
}

}  // namespace bench::stick
