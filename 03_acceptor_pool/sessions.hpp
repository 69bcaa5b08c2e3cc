#pragma once

#include "03_acceptor_pool/connection_limit.hpp"
#include "app/async_client.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <utility>

namespace pool {

/// The sessions of one loop: an idle client is sent away, and at the end all are told. The loop's thread only.
class Sessions {
    struct Session;

public:
    /// Keeps a session in the set. When it goes, what was put is sent as far as the system takes it at once, the socket
    /// is closed, and then the permit given back.
    class Entry {
    public:
        Entry(Entry&& other) noexcept : all_(std::exchange(other.all_, nullptr)), session_(other.session_) {}
        Entry& operator=(Entry&&) = delete;
        ~Entry() {
            if (all_ != nullptr) all_->remove(session_);
        }

        app::AsyncClient& client() const { return session_->client; }

    private:
        friend Sessions;
        Entry(Sessions* all, std::list<Session>::iterator session) : all_(all), session_(session) {}
        Sessions* all_;
        std::list<Session>::iterator session_;
    };

    explicit Sessions(asio::io_context& loop);

    Entry add(app::AsyncClient client, Permit permit);

    /// From now on ends every session through which nothing has moved for `timeout` (noticed up to an eighth later).
    void send_idle_away(std::chrono::milliseconds timeout);

    /// As if every client had ended its stream: what has arrived is answered, then the session closes. Those that are
    /// left after `timeout` are cut off. A session that is added later is treated the same.
    void stop(std::chrono::milliseconds timeout);

    /// Calls `handler` once, as soon as there is no session: at once, where that is so already.
    void when_empty(std::function<void()> handler);

private:
    struct Session {
        Permit permit;  // before the client: given back when the socket is closed
        app::AsyncClient client;
        // What send_idle_away() saw when it last looked, and since when it has been so.
        std::uint64_t moved = 0;
        std::chrono::steady_clock::time_point since;
    };

    void remove(std::list<Session>::iterator session);
    void look_for_idle();
    void cut_off_in_time();

    std::list<Session> all_;
    net::Timer idle_timer_;
    net::Timer stop_timer_;
    std::chrono::milliseconds idle_timeout_{0};
    std::chrono::milliseconds shutdown_timeout_{0};
    bool stopping_ = false;
    std::function<void()> on_empty_;
};

}  // namespace pool
