#pragma once

#include "03_acceptor_pool/places.hpp"
#include "net/async_socket.hpp"

#include <chrono>
#include <functional>
#include <list>

namespace pool {

/// The connections of one loop: who is idle is sent away, and at the end everybody is told. The loop's thread only.
class Connections {
    struct Connection;

public:
    /// Keeps a connection in the set; when it goes, the socket is closed and the place given back.
    class Entry {
    public:
        Entry(Entry&& other) noexcept : all_(std::exchange(other.all_, nullptr)), connection_(other.connection_) {}
        Entry& operator=(Entry&&) = delete;
        ~Entry() {
            if (all_ != nullptr) all_->remove(connection_);
        }

        net::AsyncSocket& socket() const { return connection_->socket; }
        app::Who client() const { return connection_->client; }

    private:
        friend Connections;
        Entry(Connections* all, std::list<Connection>::iterator connection) : all_(all), connection_(connection) {}
        Connections* all_;
        std::list<Connection>::iterator connection_;
    };

    explicit Connections(asio::io_context& loop);

    Entry add(net::AsyncSocket socket, app::Who client, Place place);

    /// From now on ends every connection through which nothing has moved for `timeout` (noticed up to an eighth later).
    void send_idle_away(std::chrono::milliseconds timeout);

    /// As if every client had ended its stream: what has arrived is answered, then the session closes. Those that are
    /// left after `timeout` are cut off. Who is added later is treated the same.
    void stop(std::chrono::milliseconds timeout);

    /// Calls `handler` once, as soon as there is no connection: at once, where that is so already.
    void when_empty(std::function<void()> handler);

private:
    struct Connection {
        net::AsyncSocket socket;
        app::Who client;
        Place place;
        // What send_idle_away() saw when it last looked, and since when it has been so.
        std::uint64_t moved = 0;
        std::chrono::steady_clock::time_point since;
    };

    void remove(std::list<Connection>::iterator connection);
    void look_for_idle();

    std::list<Connection> all_;
    net::Timer idle_timer_;
    net::Timer stop_timer_;
    std::chrono::milliseconds idle_timeout_{0};
    bool stopping_ = false;
    std::function<void()> on_empty_;
};

}  // namespace pool
