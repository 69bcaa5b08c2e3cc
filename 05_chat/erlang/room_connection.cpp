#include "05_chat/erlang/room_connection.hpp"

#include "05_chat/erlang/dist/epmd_client.hpp"
#include "05_chat/erlang/dist/identity.hpp"

#include "app/events.hpp"

#include <boost/asio.hpp>

namespace erlang {

namespace asio = boost::asio;
using chat::because;
using chat::result;
using chat::Why;

RoomConnection::RoomConnection(asio::io_context& loop, Identity identity, chat::ErlangRoom where, Bounds bounds,
                               chat::Backlog& backlog)
    : loop_(loop),
      processes_(std::move(identity)),
      where_(std::move(where)),
      bounds_(bounds),
      backlog_(backlog),
      opened_(loop.get_executor()) {}

net::awaitable<result<void, Why>> RoomConnection::open() {
    failed_.reset();
    const auto connected = co_await connect();
    if (!connected) co_return connected;
    const chat::Deadline deadline(loop_.get_executor(),
                                  std::chrono::duration_cast<std::chrono::milliseconds>(bounds_.handshake),
                                  [this] { close("it does not answer"); });
    while (!is_open_ && !failed_) co_await opened_.notified();
    if (failed_) co_return because(*failed_);
    is_reported_ = true;
    co_return result<void, Why>();
}

net::awaitable<result<void, Why>> RoomConnection::connect() {
    std::uint16_t port = where_.port;
    if (port == 0) {
        auto found = co_await find_node(loop_, where_.host(), where_.node.substr(0, where_.node.find('@')));
        if (!found) co_return found.error();
        port = *found;
    }
    net::SocketOptions raw;
    raw.packet = net::Packet::raw;
    auto socket = co_await net::async_connect(loop_, where_.host(), port, raw, bounds_.handshake);
    if (!socket) co_return because(net::reason(socket.error()));
    Connection connection(processes_, bounds_, random_number(), Clock::now(), where_.node);
    peer_ = std::make_shared<Peer>(std::move(*socket), std::move(connection), backlog_,
                                   [this](Event& event) { return handle(event); });
    asio::co_spawn(loop_, peer_->run(), [](const std::exception_ptr& crash) { app::tell_crash({"server"}, crash); });
    co_return result<void, Why>();
}

net::awaitable<Clock::duration> RoomConnection::handle(Event& event) {
    std::visit([this](const auto& happened) { handle(happened); }, event);
    co_return Clock::duration();
}

void RoomConnection::handle(const Up&) {
    room_.emplace(peer_->connection(), processes_, where_.name);
    room_->start();
    room_->ask();
}

/// A node with another cookie says nothing, and hangs up.
void RoomConnection::handle(const Closed& event) {
    end(room_ || event.why != "closed" ? event.why : "it hangs up in the handshake; is the cookie the same?");
}

void RoomConnection::handle(const Monitored& event) {
    if (!room_) return;
    const auto person = room_->monitored(event.process);
    if (person && room_->let_in(*person)) on_in(*person);
}

void RoomConnection::handle(const Down& event) {
    if (!room_ || !room_->is_down(event)) return;
    const std::string why = show(event.reason);
    fail(why == "noproc" ? "there is no " + where_.name + " on " + where_.node : "it has ended: " + why);
}

void RoomConnection::handle(const ExitSignal& event) {
    if (!room_) return;
    if (const auto person = room_->exit(event)) on_out(*person, "it says " + show(event.reason));
}

void RoomConnection::handle(const Message& message) {
    if (!room_) return;
    if (!is_open_ && !failed_ && room_->is_there(message)) {
        is_open_ = true;
        return opened_.notify();
    }
    const auto heard = room_->message(message);
    if (!heard) return;
    if (room_->is_refusal(*heard)) {
        room_->leave(heard->person);
        return on_out(heard->person, heard->text);
    }
    if (room_->let_in(heard->person)) on_in(heard->person);
    on_heard(heard->person, heard->text);
}

void RoomConnection::close(std::string why) {
    if (peer_) peer_->close(std::move(why));
}

/// The connection may be fine, but is of no use any more.
void RoomConnection::fail(std::string why) {
    failed_ = why;
    close(std::move(why));
}

void RoomConnection::end(std::string why) {
    is_open_ = false;
    room_.reset();
    if (!failed_) failed_ = std::move(why);
    opened_.notify();
    if (std::exchange(is_reported_, false)) on_down(*failed_);
}

}  // namespace erlang
