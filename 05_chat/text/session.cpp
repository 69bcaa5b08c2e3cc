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
      pause_(this->writer->socket().executor()),
      came_(Clock::now()),
      active_(came_) {
    this->writer->set_last_words(last_words);
}

// ---- what they want -------------------------------------------------------------------------------------------------

bool Session::obeys(std::string_view line) {
    if (!app::faults::are_on) return false;
    app::faults::obey(line);
    if (line == "!throw door") {
        tell("The door will throw after the next newcomer.");
        return true;
    }
    // The line is to break the rooms, so it has to get there.
    if (line == "!throw room" && !backend_.has_the_rooms()) {
        tell("The rooms are those of another node: nothing is thrown here.");
        return true;
    }
    return false;
}

bool Session::begin(const Step& step) {
    if (is_leaving_) return false;  // they have been told goodbye
    print(step);
    is_leaving_ = is_leaving_ || step.close;
    is_waiting_ = !std::holds_alternative<std::monostate>(step.then);
    return is_waiting_;
}

net::awaitable<result<void, Why>> Session::wait_to_come_in() {
    if (arrivals_ == nullptr) co_return result<void, Why>();
    const auto wait = arrivals_->take(socket().peername(), Clock::now());
    if (!wait) co_return because("too many people come from where you are: wait a little");
    if (wait->count() > 0) {
        pause_.expires_after(*wait);
        const bool is_there = co_await socket().pause(pause_);
        if (!is_there) is_leaving_ = true;
    }
    if (is_leaving()) co_return because("you have gone");
    co_return result<void, Why>();
}

Step Session::outcome(const Submission& submission, const result<void, Why>& outcome) {
    is_waiting_ = false;
    auto entered = std::exchange(entered_, {});
    // Somebody who was in no room yet is simply refused, and may try again.
    const auto down = std::exchange(went_down_, {});
    if (down && !protocol_.room().empty()) {
        go_down(*down);
        return {};
    }
    if (!outcome) {
        app::tell(who_, app::events::was_refused, outcome.error().words);
        return protocol_.refused(outcome.error().words);
    }
    if (std::holds_alternative<Leave>(submission.request)) {
        app::tell(who_, app::events::has_no_longer_in_room, protocol_.name(), submission.room);
    }
    return entered ? std::move(*entered) : done();
}

Step Session::answered(const result<std::string, Why>& answer) {
    is_waiting_ = false;
    Step step = answer ? protocol_.answer(*answer) : protocol_.refused(answer.error().words);
    if (const auto down = std::exchange(went_down_, {})) go_down(*down);
    return step;
}

/// They are in the room that they wanted to join, if it was that.
Step Session::done() {
    const std::string before = protocol_.room();
    Step step = protocol_.done();
    if (protocol_.room().empty() || protocol_.room() == before) return step;
    has_come_in_ = true;
    app::tell(who_, app::events::has_in_room, protocol_.name(), protocol_.room());
    return step;
}

net::awaitable<void> Session::leave() {
    is_leaving_ = true;
    if (auto farewell = protocol_.hang_up()) {
        if (!writer->why_cut_off().empty()) std::get<Leave>(farewell->request).why = writer->why_cut_off();
        try {
            const auto outcome = co_await backend_.submit(*this, *farewell);
            if (outcome) app::tell(who_, app::events::has_no_longer_in_room, protocol_.name(), farewell->room);
        } catch (...) {
            app::tell_crash(who_, std::current_exception());
        }
    }
    backend_.forget(*this);
}

// ---- how fast they are ----------------------------------------------------------------------------------------------

bool Session::is_too_fast() {
    if (is_leaving()) return false;
    active_ = Clock::now();
    was_asked_ = false;
    const auto wait = bucket_.take(active_);
    if (wait.count() > 0) pause_.expires_after(wait);
    return wait.count() > 0 || writer->backlog() > longest_unread;
}

net::awaitable<void> Session::wait() {
    const bool is_there = co_await socket().pause(pause_);
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
    app::tell(who_, app::events::cuts_off_client, "others need the place");
    say_goodbye(protocol_.others_wait());
    writer->write_now();
    socket().shutdown(net::tcp::socket::shutdown_both);
}

void Session::stop() {
    backend_.forget(*this);  // everybody goes, and nobody needs to hear it of each of them
    say_goodbye({"The server is closing. Goodbye!" + std::string(line_end), {}, true});
}

/// They are read until their end of the stream has come. A system that gets bytes which nobody will read resets the
/// connection, and what is still to be sent is lost.
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

/// They are told at once. The protocol knows nothing of what happens while something is submitted.
void Session::room_down(std::string_view words, bool is_kept) {
    if (!protocol_.room().empty()) {
        app::tell(who_, app::events::has_no_longer_in_room, protocol_.name(), protocol_.room());
    }
    const Down down{std::string(words), is_kept};
    if (!is_waiting_) return print(protocol_.room_down(words, is_kept));
    if (!protocol_.room().empty()) tell(words);
    went_down_ = down;
}

/// They have been told.
void Session::go_down(const Down& down) {
    protocol_.room_down(down.words, down.is_kept);
}

void Session::removed(std::string_view why) {
    app::tell(who_, app::events::finds_removed, protocol_.name(), protocol_.room(), why);
    if (!is_leaving_) print(protocol_.removed(why));
}

void Session::rejoined(const result<void, Why>& outcome) {
    if (const auto down = std::exchange(went_down_, {})) go_down(*down);
    print(protocol_.rejoined(outcome));
    if (outcome) {
        app::tell(who_, app::events::has_in_room, protocol_.name(), protocol_.room());
    } else {
        app::tell(who_, app::events::was_refused, outcome.error().words);
    }
}

}  // namespace chat
