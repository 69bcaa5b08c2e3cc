#pragma once

#include <cerrno>
#include <string_view>

#include <sys/socket.h>

/// Sends all of `bytes`. False: the client cannot be reached any more.
inline bool send_all(int client, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

/// Whatever comes from `client` goes back as it is. Returns when the client has ended its stream or cannot be reached.
inline void echo(int client) {
    char bytes[4096];
    for (;;) {
        const ssize_t size = ::recv(client, bytes, sizeof bytes, 0);
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return;
        if (!send_all(client, {bytes, static_cast<std::size_t>(size)})) return;
    }
}
