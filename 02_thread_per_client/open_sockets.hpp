#pragma once

#include "net/socket.hpp"

#include <mutex>
#include <optional>
#include <set>

/// The sockets that threads wait at, so that another thread can wake them when the server ends. Any thread.
class OpenSockets {
public:
    /// Keeps a socket in the set for as long as it lives; goes before the socket is closed or destroyed.
    class Entry {
    public:
        Entry(OpenSockets& all, net::Socket& socket) : all_(all), socket_(socket) {
            const std::lock_guard lock(all_.mutex_);
            all_.sockets_.insert(&socket_);
            // A socket that arrives while the server ends is treated as those that were there before.
            if (all_.ended_) socket_.shutdown(*all_.ended_);
        }
        ~Entry() {
            const std::lock_guard lock(all_.mutex_);
            all_.sockets_.erase(&socket_);
        }
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

    private:
        OpenSockets& all_;
        net::Socket& socket_;
    };

    /// Ends a direction of every socket, and of those that come later: see net::Socket::shutdown().
    void shutdown_all(net::tcp::socket::shutdown_type direction) {
        const std::lock_guard lock(mutex_);
        ended_ = direction;
        for (auto* const socket : sockets_) socket->shutdown(direction);
    }

private:
    std::mutex mutex_;
    std::set<net::Socket*> sockets_;
    std::optional<net::tcp::socket::shutdown_type> ended_;
};
