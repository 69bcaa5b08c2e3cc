#include "05_chat/server.hpp"

#include "app/events.hpp"

#include <boost/asio.hpp>

#include <algorithm>

namespace chat {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

std::chrono::milliseconds grace(std::chrono::milliseconds idle_timeout) {
    return std::min<std::chrono::milliseconds>(idle_timeout, std::chrono::seconds(60));
}

// ---- Visit ----------------------------------------------------------------------------------------------------------

Visit::Visit(std::shared_ptr<Wire> wire, app::Who who, PersonId person, const std::string& lobby, Venue& venue,
             const Manners& manners)
    : Visitor(person, std::move(wire)),
      who_(who),
      door_(person, lobby),
      venue_(venue),
      bucket_(manners.rate, manners.burst),
      pause_(this->wire->socket().get_executor()),
      idle_timeout_(manners.idle_timeout),
      active_(Clock::now()) {}

net::awaitable<void> Visit::carry_out(Step step) {
    active_ = Clock::now();
    was_asked_ = false;
    for (;;) {
        print(step);
        if (step.close) is_leaving_ = true;
        if (std::holds_alternative<std::monostate>(step.then)) co_return;
        is_talking_ = true;
        const std::string before = door_.room();
        if (const auto* submission = std::get_if<Submission>(&step.then)) {
            const std::string refused = co_await venue_.submit(*this, *submission);
            is_talking_ = false;
            auto entered = std::exchange(entered_, {});
            // Whoever was in no room yet is refused, and may try again.
            if (const auto words = std::exchange(went_down_, {}); words && !door_.room().empty()) {
                step = door_.room_down(*words);
                continue;
            }
            if (!refused.empty()) app::tell(who_, app::events::was_refused, refused);
            if (!refused.empty()) {
                step = door_.refused(refused);
            } else {
                step = entered ? std::move(*entered) : door_.done();
            }
            if (door_.room() != before) app::tell(who_, app::events::is_in_room, door_.name(), door_.room());
        } else {
            const std::string answer = co_await venue_.ask(*this, std::get<Question>(step.then));
            is_talking_ = false;
            print(door_.answer(answer));
            const auto words = std::exchange(went_down_, {});
            step = words ? door_.room_down(*words) : Step();
        }
    }
}

net::awaitable<void> Visit::leave() {
    is_leaving_ = true;
    if (auto farewell = door_.hang_up()) {
        if (!wire->why_cut_off().empty()) std::get<Leave>(farewell->request).why = wire->why_cut_off();
        co_await venue_.submit(*this, *farewell);
    }
    venue_.forget(*this);
}

bool Visit::is_too_fast() {
    const auto wait = bucket_.take(active_);
    if (wait.count() > 0) pause_.expires_after(wait);
    return wait.count() > 0;
}

net::awaitable<void> Visit::pause() {
    co_await pause_.async_wait(net::outcome);
}

void Visit::look(Clock::time_point now) {
    if (is_leaving_ || now - active_ < idle_timeout_) return;
    const bool closing = was_asked_ && now - active_ >= idle_timeout_ + grace(idle_timeout_);
    if (!closing && was_asked_) return;
    was_asked_ = true;
    print(door_.idle(closing));
    if (!closing) return;
    app::tell(who_, app::events::is_idle, idle_timeout_.count());
    is_leaving_ = true;
    socket().shutdown(net::tcp::socket::shutdown_receive);
}

void Visit::stop() {
    is_leaving_ = true;
    tell("The server is closing. Goodbye!");
    venue_.forget(*this);  // everybody goes: he need not hear it of each of them
    pause_.cancel();
    socket().shutdown(net::tcp::socket::shutdown_receive);
}

void Visit::entered() {
    entered_ = door_.done();
    print(*entered_);
    entered_->print.clear();
}

void Visit::room_down(std::string_view words) {
    app::tell(who_, app::events::is_out_of_room, door_.room());
    if (is_talking_) {
        went_down_ = words;
    } else {
        print(door_.room_down(words));
    }
}

void Visit::removed(std::string_view why) {
    app::tell(who_, app::events::is_removed, door_.room(), why);
    if (!is_leaving_) print(door_.removed(why));
}

void Visit::rejoined(std::string_view refused) {
    print(door_.rejoined(refused));
    if (refused.empty()) {
        app::tell(who_, app::events::is_in_room, door_.name(), door_.room());
    } else {
        app::tell(who_, app::events::was_refused, refused);
    }
}

// ---- TextServer -----------------------------------------------------------------------------------------------------

TextServer::TextServer(asio::io_context& loop, net::Listener listener, Venue& venue, std::string lobby,
                       const Manners& manners, std::function<PersonId()> next_person)
    : loop_(loop),
      listener_(std::move(listener)),
      venue_(venue),
      lobby_(std::move(lobby)),
      manners_(manners),
      next_person_(std::move(next_person)),
      shortage_(loop),
      idle_(loop) {}

void TextServer::start() {
    if (manners_.idle_timeout.count() > 0) look_for_idle();
}

void TextServer::welcome(net::Socket socket) {
    const app::Who who{"client", ++last_client_};
    const PersonId person = next_person_();
    auto wire = std::make_shared<Wire>(std::move(socket), person, manners_.max_backlog);
    auto visit = std::make_shared<Visit>(std::move(wire), who, person, lobby_, venue_, manners_);
    visits_.push_back(visit);
    asio::co_spawn(loop_, session(std::move(visit)),
                   [this, who, place = std::prev(visits_.end())](const std::exception_ptr& crash) {
                       app::tell_crash(who, crash);
                       visits_.erase(place);
                   });
}

void TextServer::stop() {
    if (std::exchange(is_stopping_, true)) return;
    app::tell({"server"}, app::events::stops_accepting);
    listener_.close();
    shortage_.cancel();
    idle_.cancel();
    for (const auto& entry : visits_) {
        if (const auto visit = entry.lock()) visit->stop();
    }
}

net::awaitable<void> TextServer::wait(std::chrono::milliseconds time) {
    if (is_stopping_) co_return;
    shortage_.expires_after(time);
    co_await shortage_.async_wait(net::outcome);
}

void TextServer::look_for_idle() {
    const auto now = Clock::now();
    for (const auto& entry : visits_) {
        if (const auto visit = entry.lock()) visit->look(now);
    }
    // One look at all, now and then, instead of a timer for each that every line would have to set again.
    idle_.expires_after(std::max(grace(manners_.idle_timeout) / 8, std::chrono::milliseconds(1)));
    idle_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !is_stopping_) look_for_idle();
    });
}

}  // namespace chat
