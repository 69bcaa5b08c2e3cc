#include "03_acceptor_pool/connections.hpp"

#include "app/events.hpp"

namespace pool {

using net::tcp;

Connections::Connections(asio::io_context& loop) : idle_timer_(loop), stop_timer_(loop) {}

Connections::Entry Connections::add(net::AsyncSocket socket, app::Who client, Place place) {
    const auto now = std::chrono::steady_clock::now();
    all_.push_back({std::move(socket), client, std::move(place), 0, now});
    if (stopping_) all_.back().socket.shutdown(tcp::socket::shutdown_receive);
    return {this, std::prev(all_.end())};
}

void Connections::remove(std::list<Connection>::iterator connection) {
    all_.erase(connection);
    if (!all_.empty()) return;
    if (stopping_) stop_timer_.cancel();
    if (on_empty_) std::exchange(on_empty_, {})();
}

void Connections::when_empty(std::function<void()> handler) {
    all_.empty() ? handler() : void(on_empty_ = std::move(handler));
}

void Connections::send_idle_away(std::chrono::milliseconds timeout) {
    idle_timeout_ = timeout;
    look_for_idle();
}

void Connections::look_for_idle() {
    const auto now = std::chrono::steady_clock::now();
    for (auto& connection : all_) {
        const auto moved = connection.socket.bytes_moved();
        if (moved != std::exchange(connection.moved, moved)) {
            connection.since = now;
        } else if (now - connection.since >= idle_timeout_) {
            app::tell(connection.client, app::events::is_idle, idle_timeout_.count());
            connection.socket.shutdown(tcp::socket::shutdown_both);
        }
    }
    // One look at all, now and then, instead of a timer for each that every message would have to set again.
    idle_timer_.expires_after(std::max(idle_timeout_ / 8, std::chrono::milliseconds(1)));
    idle_timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !stopping_) look_for_idle();
    });
}

void Connections::stop(std::chrono::milliseconds timeout) {
    stopping_ = true;
    idle_timer_.cancel();
    for (auto& connection : all_) connection.socket.shutdown(tcp::socket::shutdown_receive);
    if (all_.empty()) return;
    stop_timer_.expires_after(timeout);
    stop_timer_.async_wait([this, timeout](boost::system::error_code cancelled) {
        if (cancelled || all_.empty()) return;
        app::tell({"server"}, app::events::cuts_off, all_.size(), timeout.count());
        for (auto& connection : all_) connection.socket.shutdown(tcp::socket::shutdown_both);
    });
}

}  // namespace pool
