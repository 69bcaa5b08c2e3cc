#include "05_chat/link/server.hpp"

#include "05_chat/base/addresses.hpp"
#include "app/events.hpp"
#include "app/server.hpp"

#include <boost/asio.hpp>

namespace chat {

namespace asio = boost::asio;
namespace events = app::events;

namespace {

/// What all links hear, so that there is one order for everything.
constexpr std::string_view every_room = "every room";

bool is_loopback(asio::ip::address address) {
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return address.is_loopback();
}

bool is_loopback(const std::string& endpoint) {
    const auto address = parse_address(endpoint);
    boost::system::error_code wrong;
    return address && is_loopback(asio::ip::make_address(address->host, wrong)) && !wrong;
}

}  // namespace

LinkServer::LinkServer(asio::io_context& loop, net::Listener listener, RoomService& rooms, Backlog& backlog,
                       Settings settings)
    : loop_(loop),
      listener_(std::move(listener)),
      rooms_(rooms),
      backlog_(backlog),
      settings_(std::move(settings)),
      subscribers_(loop.get_executor(), backlog) {
    rooms_.subscribe([this](std::string_view room, const Line& line) {
        if (links_.empty()) return;
        frame_.clear();
        link::encode_line(room, line, frame_);
        subscribers_.append(every_room, frame_);
    });
}

void LinkServer::announce() {
    const std::string here = net::to_string(listener_.sockname());
    app::tell({"server"}, events::waits_for_links, here);
    if (settings_.self.secret.empty() && !is_loopback(here)) app::tell({"server"}, events::takes_local_links);
}

net::awaitable<void> LinkServer::accept() {
    while (auto socket = co_await door_.async_accept(loop_)) welcome(std::move(*socket));
}

void LinkServer::hang_up(std::string_view why) {
    for (const auto& link : links_) {
        link->writer->cut_off(std::string(why));
        link->pause.cancel();
    }
}

void LinkServer::tell_who_is_behind() {
    for (const auto& link : links_) link->lag.tell(link->who, link->writer->behind(), backlog_.max_backlog());
}

void LinkServer::stop() {
    listener_.close();
    hang_up("the server is closing");
}

void LinkServer::welcome(net::AsyncSocket socket) {
    if (links_.size() >= max_links) {
        return app::tell_seldom({"server"}, events::refuses_link, socket.peername(), max_links);
    }
    const PersonId reader = rooms_.next_person();  // an id that no other subscriber has
    const bool is_stranger = !is_welcome(socket);
    auto writer = std::make_shared<Writer>(std::move(socket), reader, backlog_);
    link::Host state(
        settings_.self, [this] { return rooms_.next_person(); }, settings_.max_people, random_number(), Clock::now(),
        settings_.handshake);
    auto link = std::make_shared<Link>(std::move(writer), std::move(state), ++last_link_, settings_);
    if (is_stranger) link->refused = because("links from other computers need a --link-secret-file");
    links_.push_back(link);
    asio::co_spawn(loop_, serve(link), [this, link, place = std::prev(links_.end())](const std::exception_ptr& crash) {
        app::tell_crash(link->who, crash);
        links_.erase(place);
    });
}

bool LinkServer::is_welcome(const net::AsyncSocket& socket) const {
    return !settings_.self.secret.empty() || is_loopback(socket.peername());
}

/// One link. Whatever ends it, the rooms hear that its people have gone.
net::awaitable<void> LinkServer::serve(std::shared_ptr<Link> link) {
    Writer& writer = *link->writer;
    writer.start();
    writer.add(link->host.take_output());
    asio::co_spawn(loop_, keep_time(link),
                   [link](const std::exception_ptr& crash) { app::tell_crash(link->who, crash); });
    std::exception_ptr crash;
    try {
        if (!link->refused) co_await hear_out(*link);
    } catch (...) {
        crash = std::current_exception();
    }
    app::tell_crash(link->who, crash);
    link->is_over = true;
    link->pulse.cancel();
    writer.leave();
    co_await farewell_of(*link);
    std::string reason = net::reason(writer.socket().why_closed());
    if (!writer.why_cut_off().empty()) reason = writer.why_cut_off();
    if (link->refused) reason = link->refused->words;
    if (link->host.is_up()) {
        app::tell(link->who, events::link_lost, reason);
    } else if (!link->refused) {
        app::tell_seldom(link->who, events::link_lost, reason);
    } else {
        // Strangers shall not fill the story, and not try again at once.
        app::tell_seldom(link->who, events::link_refused, writer.socket().peername(), reason);
        link->pause.expires_after(stranger_pause);
        co_await link->pause.async_wait(net::outcome);
    }
    std::string last_word;
    if (link->refused) link::encode(link::Refused{0, reason}, last_word);
    writer.add(last_word);
    co_await writer.finish(link->refused ? farewell : std::chrono::milliseconds(0));
}

/// Reads its frames in order, and does what one asks for before it looks at the next.
net::awaitable<void> LinkServer::hear_out(Link& link) {
    while (auto frames = co_await link.writer->socket().recv_all()) {
        for (const auto frame : *frames) {
            if (!link.writer->why_cut_off().empty()) break;
            const auto wait = co_await handle(link, frame);
            if (!wait) {
                link.refused = wait.error();
                co_return;
            }
            if (wait->count() > 0) {
                link.pause.expires_after(*wait);
                // A node that is dead does not go on with what it had sent.
                const bool is_there = co_await link.writer->socket().pause(link.pause);
                if (!is_there) co_return;
            }
            // A node that comes back asks for a room's history once for each of its people. It gets them one after the
            // other, as fast as it reads, and is not cut off for what it asked for.
            const std::size_t most = backlog_.max_at_once();
            if (link.writer->backlog() > most) co_await link.writer->eased(most);
        }
    }
}

net::awaitable<result<LinkServer::Clock::duration, Why>> LinkServer::handle(Link& link, std::string_view frame) {
    const auto now = Clock::now();
    const bool was_up = link.host.is_up();
    const auto todo = link.host.receive(frame, now);
    if (!todo) co_return todo.error();
    if (!was_up && link.host.is_up()) co_await introduced(link);
    co_await std::visit([&](const auto& wanted) { return carry_out(link, wanted); }, *todo);
    link.writer->add(link.host.take_output());
    const auto* wanted = std::get_if<link::Host::Wanted>(&*todo);
    const bool is_join = wanted != nullptr && std::holds_alternative<Join>(wanted->submission.request);
    co_return is_join ? link.joins.take(now) : link.bucket.take(now, link.host.pace(now));
}

net::awaitable<void> LinkServer::carry_out(Link&, const std::monostate&) {
    co_return;
}

net::awaitable<void> LinkServer::carry_out(Link& link, const link::Host::Wanted& wanted) {
    const auto outcome = co_await rooms_.submit(wanted.submission, link.who);
    std::vector<Line> history;
    if (outcome && std::holds_alternative<Join>(wanted.submission.request)) {
        const auto& past = rooms_.rooms().find(wanted.submission.room)->history();
        history.assign(past.begin(), past.end());
    }
    link.host.outcome(wanted, outcome, history);
}

net::awaitable<void> LinkServer::carry_out(Link& link, const link::Host::Asked& asked) {
    link.host.answer(asked, answer(rooms_.rooms(), asked.question));
    co_return;
}

/// The guest is a node, and hears the rooms from here on. Where its last link was cut and we have not noticed, it is
/// here twice: the people of the old link would have the names that those of the new one want.
net::awaitable<void> LinkServer::introduced(Link& link) {
    app::tell(link.who, events::is_linked, link.host.peer(), link.writer->socket().peername());
    const auto links = links_;  // they may end meanwhile
    for (const auto& other : links) {
        if (other.get() == &link || !other->host.is_up() || other->host.life() != link.host.life()) continue;
        other->writer->cut_off("its node has linked again");
        co_await farewell_of(*other);
    }
    subscribers_.enter(*link.writer, every_room);
}

/// Each of its people leaves once, whoever asks first: host.closed() gives them away.
net::awaitable<void> LinkServer::farewell_of(Link& link) {
    for (const auto& farewell : link.host.closed()) co_await rooms_.let_go(farewell, link.who);
}

/// Notices a guest that has gone without a word.
net::awaitable<void> LinkServer::keep_time(std::shared_ptr<Link> link) {
    while (!link->is_over && link->writer->why_cut_off().empty()) {
        link->pulse.expires_at(link->host.deadline());
        const auto [cancelled] = co_await link->pulse.async_wait(net::outcome);
        if (cancelled) co_return;
        if (!link->host.time(Clock::now())) link->writer->cut_off("it is silent");
        link->writer->add(link->host.take_output());
    }
}

}  // namespace chat
