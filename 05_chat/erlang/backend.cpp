#include "05_chat/erlang/backend.hpp"

#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

#include <utility>
#include <vector>

namespace erlang {

namespace {

namespace asio = boost::asio;
namespace events = app::events;
using chat::because;
using chat::result;
using chat::Why;

}  // namespace

ErlangBackend::ErlangBackend(asio::io_context& loop, chat::Backlog& backlog, Settings settings)
    : loop_(loop),
      settings_(std::move(settings)),
      connection_(loop, settings_.identity, settings_.where, settings_.bounds, backlog),
      again_(loop) {
    connection_.on_heard = [this](chat::PersonId person, const std::string& text) {
        const auto guest = guest_of(person);
        if (!guest) return;
        guest->participant.tell(text);
        if (!guest->last_said.empty() && text.ends_with(guest->last_said)) {
            guest->last_said.clear();
            guest->changed.notify();
        }
    };
    connection_.on_in = [this](chat::PersonId person) {
        if (const auto guest = guest_of(person)) let_in(*guest);
    };
    connection_.on_out = [this](chat::PersonId person, const std::string& why) {
        if (const auto guest = guest_of(person)) let_out(*guest, why);
    };
    connection_.on_down = [this](const std::string& why) {
        if (is_stopping_) return;  // everybody is told that we close
        app::tell({"server"}, events::room_is_down, where(), why);
        for (const auto& [person, guest] : guests_) room_down(*guest);
        if (!settings_.rejoin) return;
        asio::co_spawn(loop_, come_back(), [](const std::exception_ptr& crash) { app::tell_crash({"server"}, crash); });
    };
}

net::awaitable<result<void, Why>> ErlangBackend::open() {
    auto opened = co_await connection_.open();
    opened_ = Clock::now();
    if (!opened && settings_.rejoin) {
        asio::co_spawn(loop_, come_back(), [](const std::exception_ptr& crash) { app::tell_crash({"server"}, crash); });
    }
    co_return opened;
}

void ErlangBackend::stop() {
    is_stopping_ = true;
    again_.cancel();
    connection_.close("the server is closing");
}

net::awaitable<void> ErlangBackend::come_back() {
    auto lasted = Clock::now() - opened_;
    for (;;) {
        again_.expires_after(backoff_.next(std::exchange(lasted, {})));
        co_await again_.async_wait(net::outcome);
        if (is_stopping_) co_return;
        const auto opened = co_await connection_.open();
        if (is_stopping_) connection_.close("the server is closing");
        if (opened) break;
    }
    opened_ = Clock::now();
    app::tell({"server"}, events::room_is_up, where());
    std::vector<GuestPtr> back;
    for (const auto& [person, guest] : guests_) {
        if (guest->state != State::is_down) continue;
        guest->state = State::asks_again;
        connection_.room()->join(person, guest->name);
        back.push_back(guest);
    }
    connection_.flush();
    again_.expires_after(join_patience);
    co_await again_.async_wait(net::outcome);
    if (is_stopping_) co_return;
    for (const auto& guest : back) let_in(*guest);
}

void ErlangBackend::let_in(Guest& guest) {
    if (guest.state != State::asks && guest.state != State::asks_again) return;
    const State before = std::exchange(guest.state, State::is_in);
    guest.changed.notify();
    guest.was_in = true;
    if (before == State::asks) return guest.participant.entered();
    guest.participant.rejoined({});
}

void ErlangBackend::let_out(Guest& guest, const std::string& why) {
    const State before = std::exchange(guest.state, State::is_out);
    guest.why_out = why;
    guest.last_said.clear();
    guest.changed.notify();
    if (before == State::asks) return;  // join() has the answer now
    guests_.erase(guest.participant.id);
    if (before == State::asks_again) return guest.participant.rejoined(because(why));
    guest.participant.removed(why);
}

void ErlangBackend::room_down(Guest& guest) {
    const State before = std::exchange(guest.state, State::is_down);
    guest.why_out = chat::room_is_down;
    guest.last_said.clear();
    guest.changed.notify();
    if (before == State::is_in) guest.participant.room_down(chat::room_is_away(settings_.rejoin), false);
}

ErlangBackend::GuestPtr ErlangBackend::guest_of(chat::PersonId person) const {
    const auto found = guests_.find(person);
    return found == guests_.end() ? nullptr : found->second;
}

net::awaitable<result<void, Why>> ErlangBackend::submit(chat::Participant& participant,
                                                        const chat::Submission& submission) {
    if (connection_.room() == nullptr) co_return because(chat::room_is_down);
    co_return co_await std::visit([&](const auto& request) { return carry_out(participant, submission.room, request); },
                                  submission.request);
}

net::awaitable<result<void, Why>> ErlangBackend::carry_out(chat::Participant& participant, const std::string& room,
                                                           const chat::Join& request) {
    if (const auto wrong = chat::check_name(request.name)) co_return because(chat::reason(*wrong));
    if (chat::folded(room) != chat::folded(settings_.where.name)) {
        co_return because("here is only the room " + settings_.where.name);
    }
    const auto guest = std::make_shared<Guest>(participant, request.name, loop_.get_executor());
    guests_.insert_or_assign(participant.id, guest);
    connection_.room()->join(participant.id, guest->name);
    connection_.flush();
    const chat::Deadline deadline(loop_.get_executor(), join_patience, [this, guest] { let_in(*guest); });
    while (guest->state == State::asks) co_await guest->changed.notified();
    if (!guest->was_in) {
        guests_.erase(participant.id);
        co_return because(guest->why_out);
    }
    // What has happened since then they have been told already.
    if (guest->state == State::is_down) co_return because(chat::room_is_down);
    co_return result<void, Why>();
}

net::awaitable<result<void, Why>> ErlangBackend::carry_out(chat::Participant& participant, const std::string&,
                                                           const chat::Say& request) {
    const auto guest = guest_of(participant.id);
    if (!guest) co_return because(chat::reason(chat::Refusal::not_here));
    if (request.text.size() > settings_.max_line) co_return because(chat::reason(chat::Refusal::text_too_long));
    if (!app::text::is_utf8(request.text)) co_return because(chat::reason(chat::Refusal::text_not_utf8));
    if (guest->state != State::is_in) co_return because(chat::room_is_down);
    guest->last_said = chat::without_controls(request.text);
    connection_.room()->say(participant.id, guest->last_said);
    // A room of ours tells it without this beginning.
    if (guest->last_said.starts_with(chat::action)) guest->last_said.erase(0, chat::action.size());
    connection_.flush();
    co_return result<void, Why>();
}

net::awaitable<result<void, Why>> ErlangBackend::carry_out(chat::Participant& participant, const std::string&,
                                                           const chat::Leave&) {
    const auto guest = guest_of(participant.id);
    if (!guest) co_return because(chat::reason(chat::Refusal::not_here));
    co_await hear_out(guest);
    forget(participant);
    co_return result<void, Why>();
}

/// Waits until their last words have come back to them. A room that sends them none is not waited for for ever.
net::awaitable<void> ErlangBackend::hear_out(GuestPtr guest) {
    const chat::Deadline deadline(loop_.get_executor(), echo_patience, [guest] {
        guest->last_said.clear();
        guest->changed.notify();
    });
    while (!guest->last_said.empty()) co_await guest->changed.notified();
}

net::awaitable<result<std::string, Why>> ErlangBackend::ask(chat::Participant&, const chat::Question& question) {
    if (question.about == chat::Question::About::people) co_return because("this room does not say who is in it");
    co_return "Rooms: " + where();
}

void ErlangBackend::forget(chat::Participant& participant) {
    if (RemoteRoom* room = connection_.room()) room->leave(participant.id);
    connection_.flush();
    const auto guest = guests_.extract(participant.id);
    if (!guest) return;
    guest.mapped()->state = State::is_out;
    guest.mapped()->why_out = "you have gone";
    guest.mapped()->last_said.clear();
    guest.mapped()->changed.notify();
}

}  // namespace erlang
