#include "03_acceptor_pool/sessions.hpp"

#include "app/events.hpp"

namespace pool {

using net::tcp;

Sessions::Sessions(asio::io_context& loop) : idle_timer_(loop), stop_timer_(loop) {}

Sessions::Entry Sessions::add(app::AsyncClient client, Permit permit) {
    const auto now = std::chrono::steady_clock::now();
    all_.push_back({std::move(permit), std::move(client), 0, now});
    if (stopping_) {
        all_.back().client.socket().shutdown(tcp::socket::shutdown_receive);
        cut_off_in_time();
    }
    return {this, std::prev(all_.end())};
}

void Sessions::remove(std::list<Session>::iterator session) {
    // An exception has gone past close(): what the session had put by then is owed all the same.
    static_cast<void>(session->client.socket().write_some({}));
    all_.erase(session);
    if (!all_.empty()) return;
    if (stopping_) stop_timer_.cancel();
    if (on_empty_) std::exchange(on_empty_, {})();
}

void Sessions::when_empty(std::function<void()> handler) {
    if (all_.empty()) {
        handler();
    } else {
        on_empty_ = std::move(handler);
    }
}

void Sessions::send_idle_away(std::chrono::milliseconds timeout) {
    idle_timeout_ = timeout;
    look_for_idle();
}

void Sessions::look_for_idle() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& session : all_) {
        const auto moved = session.client.socket().bytes_moved();
        if (moved != std::exchange(session.moved, moved)) {
            session.since = now;
        } else if (now - session.since >= idle_timeout_) {
            app::tell(session.client.who(), app::events::is_idle, idle_timeout_.count());
            session.client.socket().shutdown(tcp::socket::shutdown_both);
        }
    }
    // One look at all, now and then, instead of a timer for each that every message would have to set again.
    idle_timer_.expires_after(std::max(idle_timeout_ / 8, std::chrono::milliseconds(1)));
    idle_timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !stopping_) look_for_idle();
    });
}

void Sessions::stop(std::chrono::milliseconds timeout) {
    stopping_ = true;
    idle_timer_.cancel();
    for (auto& session : all_) session.client.socket().shutdown(tcp::socket::shutdown_receive);
    shutdown_timeout_ = timeout;
    stop_timer_.expires_after(timeout);
    if (!all_.empty()) cut_off_in_time();
}

/// At stop_timer_'s time. Not asked for where nobody is there: the loop would stay for nothing.
void Sessions::cut_off_in_time() {
    stop_timer_.cancel();
    stop_timer_.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled || all_.empty()) return;
        app::tell({"server"}, app::events::cuts_off, all_.size(), shutdown_timeout_.count());
        for (auto& session : all_) session.client.socket().shutdown(tcp::socket::shutdown_both);
    });
}

}  // namespace pool
