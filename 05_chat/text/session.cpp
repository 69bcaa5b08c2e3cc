#include "05_chat/text/session.hpp"

#include "app/events.hpp"
#include "app/faults.hpp"

#include <algorithm>

namespace chat {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds grace(std::chrono::milliseconds idle_timeout) {
    constexpr std::chrono::milliseconds longest{60'000};
    return idle_timeout.count() > 0 ? std::min(idle_timeout, longest) : longest;
}

namespace {

std::string last_words(std::string_view why) {
    return "You are cut off: " + std::string(why) + ". Goodbye!" + std::string(line_end);
}

}  // namespace

Session::Session(std::shared_ptr<Writer> writer, app::Who who, PersonId person, const std::string& lobby,
                 Backend& backend, const SessionLimits& limits, Arrivals* arrivals)
    : Participant(person, std::move(writer)),
      who_(who),
      protocol_(person, lobby),
      backend_(backend),
      limits_(limits),
      bucket_(limits.rate, limits.burst),
      arrivals_(arrivals),
      pause_(this->writer->socket().get_executor()),
      came_(Clock::now()),
      active_(came_) {
    this->writer->set_last_words(last_words);
}

// ---- what they want -------------------------------------------------------------------------------------------------

Step Session::typed(std::string_view line) {
    if (is_leaving()) return {};
    // With --faults the line has been obeyed already, and nobody is to hear it. Only what breaks the room must get
    // there.
    if (app::faults::are_on && line == "!throw door")
        return protocol_.answer("The door will throw after the next newcomer.");
    if (app::faults::are_on && line == "!throw room" && !backend_.has_the_rooms()) {
        return protocol_.answer("The rooms are those of another node: nothing is thrown here.");
    }
    return protocol_.line(line);
}

net::awaitable<void> Session::carry_out(Step step) {
    active_ = Clock::now();
    was_asked_ = false;
    for (;;) {
        print(step);
        if (step.close) is_leaving_ = true;
        if (std::holds_alternative<std::monostate>(step.then)) co_return;
        is_waiting_ = true;
        if (const auto* submission = std::get_if<Submission>(&step.then)) {
            std::string refused;
            if (!has_come_in_) refused = co_await wait_to_come_in();
            if (refused.empty()) refused = co_await backend_.submit(*this, *submission);
            step = outcome(refused);
        } else {
            const std::string answer = co_await backend_.ask(*this, std::get<Question>(step.then));
            step = answered(answer);
        }
    }
}

/// Everybody hears of newcomers, so they come in one after the other. Why this one may not, or nothing when it is their
/// turn.
net::awaitable<std::string> Session::wait_to_come_in() {
    if (arrivals_ == nullptr) co_return std::string();
    const auto wait = arrivals_->take(socket().peername(), Clock::now());
    if (!wait) co_return "too many people come from where you are: wait a little";
    if (wait->count() > 0) {
        pause_.expires_after(*wait);
        const bool is_there = co_await socket().async_pause(pause_);
        if (!is_there) is_leaving_ = true;
    }
    co_return is_leaving() ? "you have gone" : "";
}

/// The backend has carried out a submission, or `refused` it: what is to be done next.
Step Session::outcome(const std::string& refused) {
    is_waiting_ = false;
    auto entered = std::exchange(entered_, {});
    // Somebody who was in no room yet is simply refused, and may try again.
    const auto down = std::exchange(went_down_, {});
    if (down && !protocol_.room().empty()) return protocol_.room_down(*down);
    if (!refused.empty()) {
        app::tell(who_, app::events::was_refused, refused);
        return protocol_.refused(refused);
    }
    return entered ? std::move(*entered) : done();
}

Step Session::answered(const std::string& answer) {
    is_waiting_ = false;
    print(protocol_.answer(answer));
    const auto down = std::exchange(went_down_, {});
    return down ? protocol_.room_down(*down) : Step();
}

/// They are in the room that they wanted to join, if it was that.
Step Session::done() {
    const std::string before = protocol_.room();
    Step step = protocol_.done();
    has_come_in_ = has_come_in_ || !protocol_.room().empty();
    if (protocol_.room() != before) app::tell(who_, app::events::is_in_room, protocol_.name(), protocol_.room());
    return step;
}

net::awaitable<void> Session::leave() {
    is_leaving_ = true;
    if (auto farewell = protocol_.hang_up()) {
        if (!writer->why_cut_off().empty()) std::get<Leave>(farewell->request).why = writer->why_cut_off();
        co_await backend_.submit(*this, *farewell);
    }
    backend_.forget(*this);
}

// ---- how fast they are ----------------------------------------------------------------------------------------------

bool Session::is_too_fast() {
    if (is_leaving()) return false;
    const auto wait = bucket_.take(active_);
    if (wait.count() > 0) pause_.expires_after(wait);
    return wait.count() > 0 || writer->backlog() > longest_unread;
}

net::awaitable<void> Session::wait() {
    const bool is_there = co_await socket().async_pause(pause_);
    if (!is_there) is_leaving_ = true;
    if (!is_leaving()) co_await writer->eased(longest_unread);
}

// ---- how they are sent away -----------------------------------------------------------------------------------------

void Session::check_idle(Clock::time_point now) {
    if (is_leaving()) return;
    const auto name_timeout = limits_.name_timeout, idle_timeout = limits_.idle_timeout;
    if (is_nameless() && name_timeout.count() > 0 && now - came_ >= name_timeout) {
        app::tell(who_, app::events::is_idle, name_timeout.count());
        return say_goodbye(protocol_.nameless());
    }
    if (idle_timeout.count() == 0 || now - active_ < idle_timeout) return;
    if (!was_asked_) {
        was_asked_ = true;
        return print(protocol_.idle(false));
    }
    if (now - active_ < idle_timeout + grace(idle_timeout)) return;
    app::tell(who_, app::events::is_idle, idle_timeout.count());
    say_goodbye(protocol_.idle(true));
}

void Session::give_up_place() {
    app::tell(who_, app::events::is_cut_off, "others need the place");
    say_goodbye(protocol_.others_wait());
    writer->write_now();
    socket().shutdown(net::tcp::socket::shutdown_both);
}

void Session::stop() {
    backend_.forget(*this);  // everybody goes, and nobody needs to hear it of each of them
    say_goodbye({"The server is closing. Goodbye!" + std::string(line_end), {}, true});
}

/// They are read on until their end of the stream has come: a system that gets bytes which nobody will read resets the
/// connection, and what they are owed would be lost.
void Session::say_goodbye(const Step& step) {
    is_leaving_ = true;
    print(step);
    pause_.cancel();
    writer->wait_no_longer();
    writer->end(farewell);
}

// ---- what the backend tells them ------------------------------------------------------------------------------------

void Session::entered() {
    entered_ = done();
    print(*entered_);
    entered_->print.clear();
}

void Session::room_down(std::string_view words) {
    app::tell(who_, app::events::is_out_of_room, protocol_.room());
    if (is_waiting_) {
        went_down_ = words;
    } else {
        print(protocol_.room_down(words));
    }
}

void Session::removed(std::string_view why) {
    app::tell(who_, app::events::is_removed, protocol_.room(), why);
    if (!is_leaving_) print(protocol_.removed(why));
}

void Session::rejoined(std::string_view refused) {
    print(protocol_.rejoined(refused));
    if (refused.empty()) {
        app::tell(who_, app::events::is_in_room, protocol_.name(), protocol_.room());
    } else {
        app::tell(who_, app::events::was_refused, refused);
    }
}

}  // namespace chat
