#include "05_chat/erlang/dist/peer.hpp"

#include <boost/asio.hpp>

namespace erlang {

namespace asio = boost::asio;

namespace {

/// How long a peer may take to read our last words.
constexpr std::chrono::milliseconds last_words{1000};

}  // namespace

Peer::Peer(net::AsyncSocket socket, Connection connection, chat::Backlog& backlog, OnEvent on_event)
    : socket_(std::move(socket)),
      connection_(std::move(connection)),
      backlog_(backlog),
      waiting_(backlog, [this](std::string why) { close(std::move(why)); }),
      on_event_(std::move(on_event)),
      pulse_(socket_.executor()),
      pause_(socket_.executor()),
      more_(socket_.executor()),
      written_(socket_.executor()) {}

net::awaitable<void> Peer::run() {
    const auto self = shared_from_this();
    asio::co_spawn(socket_.executor(), write(self), [self](const std::exception_ptr& crash) {
        self->has_ended_ = true;
        self->written_.notify();
        self->close_after(crash);
    });
    asio::co_spawn(socket_.executor(), keep_time(self),
                   [self](const std::exception_ptr& crash) { self->close_after(crash); });
    std::exception_ptr crash;
    try {
        co_await hear_out();
    } catch (...) {
        crash = std::current_exception();
    }
    close_after(crash);
    pulse_.cancel();
    the_end_.emplace(socket_.executor(), last_words, [this] { socket_.shutdown(net::tcp::socket::shutdown_both); });
    co_await handle_events();  // flush() may have closed it
    while (!has_ended_) co_await written_.notified();
    co_await socket_.close();
    if (crash_) std::rethrow_exception(crash_);
}

net::awaitable<void> Peer::hear_out() {
    while (!connection_.is_closed()) {
        auto packets = co_await socket_.recv_all();
        if (!packets) {
            connection_.lost(net::reason(packets.error()));
        } else {
            for (const auto bytes : *packets) connection_.receive(bytes, Clock::now());
        }
        co_await handle_events();
        flush();
    }
}

net::awaitable<void> Peer::handle_events() {
    while (auto event = connection_.next_event()) {
        // Nothing is done in the name of a node that has broken off.
        if (is_broken_ && !std::holds_alternative<Closed>(*event)) continue;
        const auto wait = co_await on_event_(*event);
        flush();
        if (wait.count() <= 0 || connection_.is_closed()) continue;
        pause_.expires_after(wait);
        if (!co_await socket_.pause(pause_)) {
            is_broken_ = true;
            connection_.lost(net::reason(socket_.why_closed()));
        }
        connection_.receive({}, Clock::now());  // the peer was not silent: we did not listen
    }
}

void Peer::flush() {
    // run() waits in recv, and is to see that the connection is closed.
    if (connection_.is_closed()) socket_.shutdown(net::tcp::socket::shutdown_receive);
    if (!std::exchange(is_awake_, true)) more_.notify();
    count();
    backlog_.keep_bound();
}

/// Last words do not count: they are few, and wait for a second at most.
void Peer::count() {
    waiting_.count(connection_.is_closed() ? 0 : being_sent_ + connection_.output_size());
}

void Peer::close(std::string why) {
    is_broken_ = true;
    waiting_.is_no_longer_behind();
    connection_.lost(std::move(why));
    pause_.cancel();
    flush();
}

void Peer::close_after(const std::exception_ptr& crash) {
    if (!crash) return;
    crash_ = crash;
    close("a crash");
}

net::awaitable<void> Peer::write(std::shared_ptr<Peer> self) {
    for (;;) {
        self->on_drained();
        const std::string output = self->connection_.take_output(Clock::now());
        self->being_sent_ = output.size();
        self->flush();  // on_drained may have closed it
        if (!output.empty()) {
            self->socket_.put({output});
            if (!self->connection_.is_closed()) self->waiting_.is_behind();
            const auto sent = co_await self->socket_.flush();
            self->waiting_.is_no_longer_behind();
            if (!sent) co_return;
        } else if (self->connection_.is_closed()) {
            co_return;
        } else {
            self->is_awake_ = false;
            co_await self->more_.notified();
        }
    }
}

net::awaitable<void> Peer::keep_time(std::shared_ptr<Peer> self) {
    while (!self->connection_.is_closed()) {
        self->pulse_.expires_at(self->connection_.deadline());
        const auto [cancelled] = co_await self->pulse_.async_wait(net::outcome);
        if (cancelled) co_return;
        self->connection_.time(Clock::now());
        self->flush();
    }
}

}  // namespace erlang
