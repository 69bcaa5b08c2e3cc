#include "05_chat/erlang/door.hpp"

#include "05_chat/erlang/dist/identity.hpp"
#include "app/events.hpp"
#include "app/server.hpp"

#include <boost/asio.hpp>

#include <algorithm>

namespace erlang {

namespace {

namespace asio = boost::asio;
namespace events = app::events;
constexpr app::Who us{"server"};

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
      shortage_(loop) {
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

net::awaitable<chat::result<void, chat::Why>> Node::introduce() {
    const auto outcome = co_await registration_.try_once();
    if (outcome == EpmdRegistration::Outcome::name_taken) {
        co_return chat::because("epmd has another node " + alive_part(settings_.identity.name) +
                                ": take another name, or end that node");
    }
    co_return chat::result<void, chat::Why>();
}

void Node::start(bool is_cookie_typed) {
    registration_.start();
    app::tell(us, events::waits_for_erlang, settings_.identity.name, net::to_string(listener_.sockname()));
    if (app::story::is_told()) tell_how_to_join(is_cookie_typed);
}

/// What a person copies into a shell. It shows no cookie: more people read the story than may know it. And it opens no
/// other door: a node in Elixir listens on all addresses unless told otherwise, and whoever knows its cookie may run
/// code in it.
void Node::tell_how_to_join(bool is_cookie_typed) const {
    const std::string& node = settings_.identity.name;
    const bool is_local = listener_.sockname().address().is_loopback();
    std::string lines = "To join from Elixir";
    if (is_cookie_typed) lines += ", with our cookie for COOKIE";
    lines += ":\n    iex --sname michael";
    if (is_local) lines += node.substr(node.find('@'));
    if (is_cookie_typed) lines += " --cookie COOKIE";
    if (is_local) lines += " --erl \"-kernel inet_dist_use_interface {127,0,0,1}\"";
    lines += "\n    room = {" + in_elixir(settings_.registered) + ", " + in_elixir(node) + "}";
    lines += "\n    send(room, {self(), :join, \"Michael\"})";
    lines += "\n    send(room, {self(), :message, \"Hello!\"})";
    lines += "\n    flush()";
    app::story::show(us, events::how_to_join, lines);
}

void Node::stop() {
    registration_.stop();
    listener_.close();
    rests_until_ = {};
    shortage_.cancel();
    hang_up("the server is closing");
}

void Node::hang_up(const std::string& why) {
    for (const auto& guest : guests_) guest->peer->close(why);
}

net::awaitable<void> Node::accept() {
    for (;;) {
        co_await rest();
        auto socket = co_await listener_.async_accept(loop_);
        if (socket.error() == net::Error::stopped) co_return;
        if (!socket) {
            app::tell_shortage({"nodes"}, socket.error());
            shortage_.expires_after(app::shortage_wait);
            co_await shortage_.async_wait(net::outcome);
            continue;
        }
        welcome(std::move(*socket));
    }
}

net::awaitable<void> Node::rest() {
    if (Clock::now() >= rests_until_) co_return;
    shortage_.expires_at(rests_until_);
    co_await shortage_.async_wait(net::outcome);
}

void Node::welcome(net::AsyncSocket socket) {
    auto guest = std::make_shared<Guest>(++last_guest_, settings_);
    Connection connection(processes_, settings_.bounds, random_number(), Clock::now());
    guest->peer = std::make_shared<Peer>(std::move(socket), std::move(connection), backlog_,
                                         [this, &guest = *guest](Event& event) { return handle(guest, event); });
    guests_.push_back(guest);
    asio::co_spawn(loop_, serve(guest),
                   [this, guest, place = std::prev(guests_.end())](const std::exception_ptr& crash) {
                       app::tell_crash(guest->who, crash);
                       guests_.erase(place);
                   });
}

/// One node. Whatever ends the connection, the lobby hears that its people have gone.
net::awaitable<void> Node::serve(std::shared_ptr<Guest> guest) {
    std::exception_ptr crash;
    try {
        co_await guest->peer->run();
    } catch (...) {
        crash = std::current_exception();
    }
    if (app::tell_crash(guest->who, crash)) co_await handle(*guest, Closed{"a crash"});
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, Event& event) {
    if (const auto* given = std::get_if<NameGiven>(&event)) handle(guest, *given);
    if (const auto* up = std::get_if<Up>(&event)) co_await handle(guest, *up);
    if (const auto* message = std::get_if<Message>(&event)) co_return co_await handle(guest, *message);
    if (const auto* down = std::get_if<Down>(&event); down && guest.room) {
        if (auto farewell = guest.room->down(*down)) co_await submit(std::move(*farewell), guest.who);
    }
    if (const auto* ignored = std::get_if<Ignored>(&event)) app::tell_seldom(guest.who, events::ignores, ignored->what);
    if (const auto* closed = std::get_if<Closed>(&event)) co_await handle(guest, *closed);
    co_return Clock::duration();
}

net::awaitable<chat::Outcome> Node::submit(chat::Request request, app::Who by) {
    const chat::Submission submission{rooms_.rooms().lobby(), std::move(request)};
    co_return co_await rooms_.submit(submission, by);
}

void Node::handle(Guest& guest, const NameGiven& event) {
    Status status = Status::ok;
    if (event.node == settings_.identity.name) status = Status::not_allowed;
    if (connected_.contains(event.node)) status = Status::alive;
    guest.peer->connection().decide(status, Clock::now());
}

net::awaitable<void> Node::handle(Guest& guest, const Up& event) {
    // It says that it is the node we know, in another life: then the old one is over.
    if (const auto older = connected_.find(event.node); older != connected_.end()) {
        Guest& before = *older->second;
        before.peer->close("the node has connected anew");
        co_await handle(before, Closed{"the node has connected anew"});
    }
    app::tell(guest.who, events::is_linked, event.node, guest.peer->peername());
    connected_.insert_or_assign(event.node, &guest);
    const std::uint64_t owner = guest.who.number;
    guest.room.emplace(guest.peer->connection(), processes_, room_, records_, owner,
                       [this] { return rooms_.next_person(); });
    guest.peer->on_drained = [&guest] { guest.room->write(); };
}

net::awaitable<Clock::duration> Node::handle(Guest& guest, const Message& event) {
    if (event.to != room_ || !guest.room) co_return Clock::duration();
    const auto wanted = guest.room->message(event.term);
    if (const auto* ignored = std::get_if<Ignored>(&wanted)) {
        app::tell_seldom(guest.who, events::ignores, ignored->what);
        co_return Clock::duration();
    }
    const auto& request = std::get<chat::Request>(wanted);
    const auto outcome = co_await submit(request, guest.who);
    if (!guest.room) co_return Clock::duration();  // it has connected anew meanwhile
    guest.room->outcome(request, outcome);
    if (!outcome) app::tell(guest.who, events::was_refused, chat::reason(outcome.error()));
    // Also what is refused costs us work.
    co_return guest.bucket.take(Clock::now(), guest.room->people());
}

/// Nothing of the guest is looked at when its people have begun to leave: it may be gone.
net::awaitable<void> Node::handle(Guest& guest, const Closed& event) {
    if (std::exchange(guest.is_over, true)) co_return;
    if (event.why == wrong_cookie) {
        const auto now = Clock::now();
        rests_until_ = std::min(std::max(now, rests_until_) + rest_after_wrong_cookie, now + longest_rest);
    }
    const app::Who who = guest.who;
    // Strangers come by thousands.
    if (!guest.room) co_return app::tell_seldom(who, events::link_lost, event.why);
    app::tell(who, events::link_lost, event.why);
    guest.peer->on_drained = [] {};
    const auto farewells = guest.room->closed();
    guest.room.reset();
    connected_.erase(guest.peer->connection().peer());
    for (chat::Request farewell : farewells) {
        std::get<chat::Leave>(farewell).why = "node down";
        co_await submit(std::move(farewell), who);
    }
}

/// Everybody who has something to read; and whoever does not read is cut off.
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
