#include "05_chat/erlang/erlang_venue.hpp"

#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

namespace erlang {

namespace {

namespace asio = boost::asio;
namespace events = app::events;
constexpr app::Who us{"server"};

std::string address(const chat::ErlangRoom& room) {
    return room.name + "@" + room.node;
}

}  // namespace

ErlangVenue::ErlangVenue(asio::io_context& loop, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      connection_(loop, settings_.identity, settings_.where, settings_.bounds),
      again_(loop) {
    connection_.on_heard = [this](chat::PersonId person, const std::string& text) {
        const auto found = guests_.find(person);
        if (found == guests_.end()) return;
        Guest& guest = found->second;
        guest.visitor.tell(text);
        if (!guest.last_said.empty() && text.ends_with(guest.last_said)) {
            guest.last_said.clear();
            guest.echo.wake();
        }
    };
    connection_.on_out = [this](chat::PersonId person) {
        if (const auto found = guests_.find(person); found != guests_.end()) out(found->second);
    };
    connection_.on_down = [this](const std::string& why) {
        app::tell(us, events::room_is_down, address(settings_.where), why);
        for (auto& [person, guest] : guests_) {
            if (guest.is_in) out(guest);
        }
        if (!settings_.rejoin || is_stopping_) return;
        asio::co_spawn(loop_, come_back(), [](const std::exception_ptr& crash) { app::tell_crash(us, crash); });
    };
}

net::awaitable<std::string> ErlangVenue::start() {
    const std::string why = co_await connection_.open();
    opened_ = Clock::now();
    if (!why.empty() && settings_.rejoin) {
        asio::co_spawn(loop_, come_back(), [](const std::exception_ptr& crash) { app::tell_crash(us, crash); });
    }
    co_return why;
}

void ErlangVenue::stop() {
    is_stopping_ = true;
    again_.cancel();
    connection_.close("the server is closing");
}

net::awaitable<void> ErlangVenue::come_back() {
    auto lasted = Clock::now() - opened_;
    for (;;) {
        again_.expires_after(backoff_.next(std::exchange(lasted, {})));
        co_await again_.async_wait(net::outcome);
        if (is_stopping_) co_return;
        const std::string why = co_await connection_.open();
        if (is_stopping_) connection_.close("the server is closing");
        if (why.empty()) break;
    }
    opened_ = Clock::now();
    app::tell(us, events::room_is_up, address(settings_.where));
    for (auto& [person, guest] : guests_) {
        connection_.room()->join(person, guest.name);
        guest.is_in = true;
        guest.visitor.rejoined({});
    }
    connection_.flush();
}

void ErlangVenue::out(Guest& guest) {
    guest.is_in = false;
    guest.last_said.clear();
    guest.echo.wake();
    guest.visitor.room_down(chat::room_is_away(settings_.rejoin));
}

net::awaitable<std::string> ErlangVenue::submit(chat::Visitor& visitor, const chat::Submission& submission) {
    if (connection_.room() == nullptr) co_return std::string(chat::room_is_down);
    if (const auto* join = std::get_if<chat::Join>(&submission.request)) {
        if (const auto wrong = chat::check_name(join->name)) co_return std::string(chat::reason(*wrong));
        if (chat::folded(submission.room) != chat::folded(settings_.where.name)) {
            co_return "here is only the room " + settings_.where.name;
        }
        guests_.erase(visitor.id);
        guests_.try_emplace(visitor.id, visitor, join->name, loop_.get_executor());
        connection_.room()->join(visitor.id, join->name);
        connection_.flush();
        co_return std::string();
    }
    const auto found = guests_.find(visitor.id);
    if (found == guests_.end()) co_return std::string(chat::reason(chat::Refusal::not_here));
    if (const auto* say_request = std::get_if<chat::Say>(&submission.request)) {
        co_return co_await say(found->second, say_request->text);
    }
    co_await hear_out(found->second);
    forget(visitor);
    co_return std::string();
}

net::awaitable<std::string> ErlangVenue::say(Guest& guest, std::string text) {
    if (text.size() > settings_.max_line) co_return std::string(chat::reason(chat::Refusal::text_too_long));
    if (!app::text::is_utf8(text)) co_return std::string(chat::reason(chat::Refusal::text_not_utf8));
    if (!guest.is_in) co_return std::string(chat::room_is_down);
    guest.last_said = chat::without_controls(text);
    connection_.room()->say(guest.visitor.id, guest.last_said);
    connection_.flush();
    co_return std::string();
}

/// His last words come back to him, as to everybody, unless the room has nothing of the kind in mind.
net::awaitable<void> ErlangVenue::hear_out(Guest& guest) {
    const chat::Timeout deadline(loop_.get_executor(), echo_patience, [&guest] {
        guest.last_said.clear();
        guest.echo.wake();
    });
    while (!guest.last_said.empty()) co_await guest.echo.wait();
}

net::awaitable<std::string> ErlangVenue::ask(chat::Visitor&, const chat::Question& question) {
    if (question.about == chat::Question::About::people) co_return "This room does not say who is in it.";
    co_return "Rooms: " + address(settings_.where);
}

void ErlangVenue::forget(chat::Visitor& visitor) {
    if (RemoteRoom* room = connection_.room()) room->leave(visitor.id);
    guests_.erase(visitor.id);
    connection_.flush();
}

}  // namespace erlang
