#include "05_chat/erlang/door.hpp"

#include "05_chat/erlang/dist/identity.hpp"
#include "app/events.hpp"

#include <boost/asio.hpp>

#include <algorithm>

namespace erlang {

namespace {

namespace asio = boost::asio;
namespace events = app::events;

/// The next event is looked at at once.
constexpr Clock::duration no_wait{};

std::string alive_part(const std::string& node) {
    return node.substr(0, node.find('@'));
}

/// An atom, as it is typed in Elixir.
std::string in_elixir(std::string_view atom) {
    const auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
    if (atom[0] >= 'a' && atom[0] <= 'z' && std::all_of(atom.begin(), atom.end(), is_plain)) {
        return ":" + std::string(atom);
    }
    std::string quoted;
    for (const char c : atom) {
        if (c == '"' || c == '\\' || c == '#') quoted += '\\';
        quoted += c;
    }
    return ":\"" + quoted + '"';
}

}  // namespace

Node::Node(asio::io_context& loop, net::Listener listener, chat::RoomService& rooms, chat::Backlog& backlog,
           Settings settings)
    : loop_(loop),
      listener_(std::move(listener)),
      rooms_(rooms),
      backlog_(backlog),
      settings_(std::move(settings)),
      processes_(settings_.identity),
      room_(processes_.spawn()),
      records_(backlog.max_backlog()),
      kept_(backlog),
      flush_(loop.get_executor(), [this] { flush(); }),
      registration_(loop, alive_part(settings_.identity.name), listener_.sockname().port()),
      rest_(loop) {
    processes_.register_name(settings_.registered, room_);
    rooms_.subscribe([this](std::string_view room, const chat::Line& line) {
        if (connected_.empty() || chat::folded(room) != chat::folded(rooms_.rooms().lobby())) return;
        record_.clear();
        encode_line(room_, line, record_);
        records_.append(record_);
        kept_.count(records_.kept());
        backlog_.keep_bound();
        flush_.schedule();
    });
}

net::awaitable<chat::result<void, chat::Why>> Node::open() {
    const auto outcome = co_await registration_.try_once();
    if (outcome == EpmdRegistration::Outcome::name_taken) {
        co_return chat::because("--sname: epmd has another node " + alive_part(settings_.identity.name) +
                                ": take another name, or end that node");
    }
    co_return chat::result<void, chat::Why>();
}

void Node::announce() {
    registration_.start();
    app::tell({"server"}, events::waits_for_erlang, settings_.identity.name, net::to_string(listener_.sockname()));
    if (app::story::is_told()) tell_how_to_join();
}

/// Tells what a person copies into a shell. It shows no cookie, because more people read the story than may know it. It
/// opens no other door: a node in Elixir listens on all addresses unless told otherwise, and whoever knows its cookie
/// may run code in it.
void Node::tell_how_to_join() const {
    const std::string& node = settings_.identity.name;
    const bool is_local = listener_.sockname().address().is_loopback();
    std::string lines = "To join from Elixir";
    if (settings_.is_cookie_typed) lines += ", with our cookie for COOKIE";
    lines += ":\n    iex --sname michael";
    if (is_local) lines += node.substr(node.find('@'));
    if (settings_.is_cookie_typed) lines += " --cookie COOKIE";
    if (is_local) lines += " --erl \"-kernel inet_dist_use_interface {127,0,0,1}\"";
    lines += "\n    room = {" + in_elixir(settings_.registered) + ", " + in_elixir(node) + "}";
    lines += "\n    send(room, {self(), :join, \"Michael\"})";
    lines += "\n    send(room, {self(), :message, \"Hello!\"})";
    lines += "\n    flush()";
    app::story::show({"server"}, events::how_to_join, lines);
}

void Node::stop() {
    registration_.stop();
    listener_.close();
    rests_until_ = {};
    rest_.cancel();
    hang_up("the server is closing");
}

void Node::hang_up(std::string_view why) {
    for (const auto& guest : guests_) guest->peer->close(std::string(why));
}

/// Behind is a node whose output is full, so that records wait in the log.
void Node::tell_who_is_behind() {
    for (const auto& guest : guests_) {
        if (guest->room) guest->lag.tell(guest->who, guest->room->behind(), backlog_.max_backlog());
    }
}

net::awaitable<void> Node::accept() {
    for (;;) {
        co_await rest();
        auto socket = co_await door_.async_accept(loop_);
        if (!socket) co_return;
        welcome(std::move(*socket));
    }
}

net::awaitable<void> Node::rest() {
    if (Clock::now() >= rests_until_) co_return;
    rest_.expires_at(rests_until_);
    co_await rest_.async_wait(net::outcome);
}

void Node::welcome(net::AsyncSocket socket) {
    if (guests_.size() >= max_connections) {
        return app::tell_seldom({"server"}, events::refuses_link, socket.peername(), max_connections);
    }
    auto guest = std::make_shared<Guest>(++last_guest_, settings_);
    Connection connection(processes_, settings_.bounds, random_number(), Clock::now());
    guest->peer = std::make_shared<Peer>(std::move(socket), std::move(connection), backlog_,
                                         [this, &guest = *guest](Event& event) { return handle(guest, event); });
    guests_.push_back(guest);
    asio::co_spawn(loop_, guest->peer->run(),
                   [this, guest, place = std::prev(guests_.end())](const std::exception_ptr& crash) {
                       app::tell_crash(guest->who, crash);
                       guests_.erase(place);
                   });
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, Event& event) {
    return std::visit([&](const auto& happened) { return handle(guest, happened); }, event);
}

net::awaitable<chat::Outcome> Node::submit(chat::Request request, app::Who by) {
    const chat::Submission submission{rooms_.rooms().lobby(), std::move(request)};
    co_return co_await rooms_.submit(submission, by);
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, const NameGiven& event) {
    Status status = Status::ok;
    if (event.node == settings_.identity.name) status = Status::not_allowed;
    if (connected_.contains(event.node)) status = Status::alive;
    guest.peer->connection().decide(status, Clock::now());
    co_return no_wait;
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, const Up& event) {
    // The node says that it is the one we know, in another life. Then the old life is over.
    const Closed anew{"the node has connected anew"};
    for (auto older = connected_.find(event.node); older != connected_.end(); older = connected_.find(event.node)) {
        Guest& before = *older->second;
        before.peer->close(anew.why);
        co_await handle(before, anew);
    }
    app::tell(guest.who, events::is_linked, event.node, guest.peer->peername());
    connected_.insert_or_assign(event.node, &guest);
    const std::uint64_t owner = guest.who.number;
    guest.room.emplace(guest.peer->connection(), processes_, room_, records_, owner,
                       [this] { return rooms_.next_person(); });
    guest.peer->on_drained = [&guest, enough = enough_output(settings_.bounds.max_output)] {
        guest.room->write(enough);
    };
    co_return no_wait;
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, const Message& event) {
    if (event.to != room_ || !guest.room) co_return no_wait;
    const auto wanted = guest.room->message(event.term);
    if (const auto* ignored = std::get_if<Ignored>(&wanted)) {
        app::tell_seldom(guest.who, events::ignores, ignored->what);
        co_return no_wait;
    }
    const auto& request = std::get<chat::Request>(wanted);
    const auto outcome = co_await submit(request, guest.who);
    if (!guest.room) co_return no_wait;  // it has connected anew meanwhile
    guest.room->outcome(request, outcome);
    if (!outcome) app::tell(guest.who, events::was_refused, chat::reason(outcome.error()));
    // A request that is refused costs us work, too.
    const auto now = Clock::now();
    if (std::holds_alternative<chat::Join>(request)) {
        guest.pace.came(now);
        co_return guest.joins.take(now);
    }
    const std::size_t people = guest.room->people();
    co_return guest.bucket.take(now, std::min(people, guest.pace.of(people, now)));
}

/// They monitor the lobby, which never ends.
net::awaitable<Clock::duration> Node::handle(Guest&, const Monitored&) {
    co_return no_wait;
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, const Down& event) {
    if (!guest.room) co_return no_wait;
    if (auto farewell = guest.room->down(event)) co_await submit(std::move(*farewell), guest.who);
    co_return no_wait;
}

/// They want the lobby to end, which nobody may.
net::awaitable<Clock::duration> Node::handle(Guest&, const ExitSignal&) {
    co_return no_wait;
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, const Ignored& event) {
    app::tell_seldom(guest.who, events::ignores, event.what);
    co_return no_wait;
}

/// Whatever has ended the connection, the lobby hears that its people have gone.
/// The guest may be gone as soon as its people have begun to leave, so nothing of it is used after that.
net::awaitable<Clock::duration> Node::handle(Guest& guest, const Closed& event) {
    if (std::exchange(guest.is_over, true)) co_return no_wait;
    if (event.why == wrong_cookie) {
        const auto now = Clock::now();
        rests_until_ = std::min(std::max(now, rests_until_) + rest_after_wrong_cookie, now + longest_rest);
    }
    const app::Who who = guest.who;
    if (!guest.room) {
        app::tell_seldom(who, events::link_lost, event.why);  // strangers come by thousands
        co_return no_wait;
    }
    app::tell(who, events::link_lost, event.why);
    guest.peer->on_drained = [] {};
    const auto farewells = guest.room->closed();
    guest.room.reset();
    records_.forget();
    kept_.count(records_.kept());
    connected_.erase(guest.peer->connection().peer());
    for (chat::Request farewell : farewells) {
        std::get<chat::Leave>(farewell).why = "node down";
        const chat::Submission leave{rooms_.rooms().lobby(), std::move(farewell)};
        co_await rooms_.let_go(leave, who);
    }
    co_return no_wait;
}

/// Sends each node what there is for it. A node that reads too slowly is cut off.
void Node::flush() {
    records_.take_overrun();  // RoomProcess::is_overrun says it, too
    for (const auto& guest : guests_) {
        if (!guest->room) continue;
        if (guest->room->is_overrun()) {
            guest->peer->close("it reads too slowly");
        } else {
            guest->peer->flush();
        }
    }
}

}  // namespace erlang
