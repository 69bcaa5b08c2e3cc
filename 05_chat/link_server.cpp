#include "05_chat/link_server.hpp"

#include "app/events.hpp"
#include "app/server.hpp"

#include <boost/asio.hpp>

namespace chat {

namespace asio = boost::asio;
namespace events = app::events;
using Clock = link::Clock;

LinkServer::LinkServer(asio::io_context& loop, net::Listener listener, RoomsHere& rooms, Settings settings)
    : loop_(loop),
      listener_(std::move(listener)),
      rooms_(rooms),
      settings_(std::move(settings)),
      audience_(loop.get_executor(), settings_.max_backlog),
      shortage_(loop) {
    rooms_.subscribe([this](std::string_view room, const Line& line) {
        if (audience_.empty()) return;
        frame_.clear();
        link::encode_line(room, line, frame_);
        audience_.append(frame_);
    });
}

void LinkServer::hang_up(const std::string& why) {
    for (const auto& link : links_) link->wire->cut_off(why);
}

void LinkServer::stop() {
    listener_.close();
    shortage_.cancel();
    hang_up("the server is closing");
}

net::awaitable<void> LinkServer::accept() {
    app::tell({"server"}, events::waits_for_links, net::to_string(listener_.sockname()));
    for (;;) {
        auto socket = co_await listener_.async_accept(loop_);
        if (socket.error() == net::Error::stopped) co_return;
        if (!socket) {
            app::tell_shortage({"links"}, socket.error());
            shortage_.expires_after(app::shortage_wait);
            co_await shortage_.async_wait(net::outcome);
            continue;
        }
        const PersonId owner = rooms_.next_person();  // an id that nobody in the audience has
        auto wire = std::make_shared<Wire>(std::move(*socket), owner, settings_.max_backlog);
        link::Owner state(settings_.node, [this] { return rooms_.next_person(); }, Clock::now(), settings_.handshake);
        auto link = std::make_shared<Link>(std::move(wire), std::move(state), ++last_link_, settings_);
        links_.push_back(link);
        asio::co_spawn(loop_, serve(link),
                       [this, link, place = std::prev(links_.end())](const std::exception_ptr& crash) {
                           app::tell_crash(link->who, crash);
                           links_.erase(place);
                       });
    }
}

/// One link. Whatever ends it, the rooms hear that its people have gone.
net::awaitable<void> LinkServer::serve(std::shared_ptr<Link> link) {
    Wire& wire = *link->wire;
    wire.start();
    wire.add(link->owner.take_output());
    asio::co_spawn(loop_, keep_time(link),
                   [link](const std::exception_ptr& crash) { app::tell_crash(link->who, crash); });
    std::exception_ptr crash;
    try {
        co_await hear_out(*link);
    } catch (...) {
        crash = std::current_exception();
    }
    app::tell_crash(link->who, crash);
    link->pulse.cancel();
    wire.leave();
    for (const auto& farewell : link->owner.closed()) rooms_.apply(farewell.room, farewell.request);
    const auto& why = wire.why_cut_off();
    app::tell(link->who, events::link_lost, why.empty() ? net::reason(wire.socket().why_closed()) : why);
    co_await wire.finish(std::chrono::milliseconds(0));
}

/// Its frames are read in order, and what they ask for is done at once.
net::awaitable<void> LinkServer::hear_out(Link& link) {
    while (auto frames = co_await link.wire->socket().async_recv_many()) {
        for (const auto frame : *frames) {
            if (!link.wire->why_cut_off().empty()) break;
            if (const std::string why = handle(link, frame); !why.empty()) link.wire->cut_off(why);
            if (const auto wait = link.bucket.take(Clock::now(), link.owner.people()); wait.count() > 0) {
                link.pause.expires_after(wait);
                co_await link.pause.async_wait(net::outcome);
            }
        }
    }
}

std::string LinkServer::handle(Link& link, std::string_view frame) {
    const bool was_introduced = !link.owner.peer().empty();
    const auto todo = link.owner.receive(frame, Clock::now());
    if (!todo) return todo.error();
    if (!was_introduced && !link.owner.peer().empty()) {
        app::tell(link.who, events::is_linked, link.owner.peer(), link.wire->socket().peername());
        audience_.enter(*link.wire);
    }
    if (const auto* wanted = std::get_if<link::Owner::Wanted>(&*todo)) {
        const auto result = rooms_.apply(wanted->submission.room, wanted->submission.request);
        std::vector<Line> history;
        if (const Room* room = rooms_.house().find(wanted->submission.room);
            result && room != nullptr && std::holds_alternative<Join>(wanted->submission.request)) {
            history.assign(room->history().begin(), room->history().end());
        }
        link.owner.outcome(*wanted, result, history);
    } else if (const auto* asked = std::get_if<link::Owner::Asked>(&*todo)) {
        link.owner.answer(*asked, rooms_.answer(asked->question));
    }
    link.wire->add(link.owner.take_output());
    return {};
}

/// A peer that has gone without a word is noticed.
net::awaitable<void> LinkServer::keep_time(std::shared_ptr<Link> link) {
    while (link->wire->why_cut_off().empty()) {
        link->pulse.expires_at(link->owner.deadline());
        const auto [cancelled] = co_await link->pulse.async_wait(net::outcome);
        if (cancelled) co_return;
        if (!link->owner.time(Clock::now())) link->wire->cut_off("it is silent");
        link->wire->add(link->owner.take_output());
    }
}

}  // namespace chat
