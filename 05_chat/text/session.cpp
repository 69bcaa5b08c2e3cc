#include "05_chat/text/server.hpp"

#include "05_chat/room/rooms.hpp"
#include "app/events.hpp"
#include "app/faults.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <map>

#include <sys/resource.h>

namespace chat {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

std::chrono::milliseconds grace(std::chrono::milliseconds idle_timeout) {
    constexpr std::chrono::milliseconds longest{60'000};
    return idle_timeout.count() > 0 ? std::min(idle_timeout, longest) : longest;
}

namespace {

std::string last_words(std::string_view why) {
    return "You are cut off: " + std::string(why) + ". Goodbye!" + std::string(line_end);
}

/// How many descriptors this process may have.
std::size_t max_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace

// ---- Session
// ----------------------------------------------------------------------------------------------------------

Session::Session(std::shared_ptr<Writer> writer, app::Who who, PersonId person, const std::string& lobby,
                 Backend& backend, const SessionLimits& session_limits, Arrivals* arrivals)
    : Participant(person, std::move(writer)),
      who_(who),
      door_(person, lobby),
      backend_(backend),
      bucket_(session_limits.rate, session_limits.burst),
      arrivals_(arrivals),
      pause_(this->writer->socket().executor()),
      idle_timeout_(session_limits.idle_timeout),
      name_timeout_(session_limits.name_timeout),
      came_(Clock::now()),
      active_(came_) {
    this->writer->set_last_words(last_words);
}

Step Session::typed(std::string_view line) {
    if (is_leaving()) return {};
    // With --faults: it has been obeyed, and is nothing to say to the room; but what is to break in the room has to get
    // there.
    if (app::faults::are_on && line == "!throw door")
        return door_.answer("The door will throw after the next newcomer.");
    if (app::faults::are_on && line == "!throw room" && !backend_.has_the_rooms()) {
        return door_.answer("The rooms are those of another node: nothing is thrown here.");
    }
    return door_.line(line);
}

net::awaitable<void> Session::carry_out(Step step) {
    active_ = Clock::now();
    was_asked_ = false;
    for (;;) {
        print(step);
        if (step.close) is_leaving_ = true;
        if (std::holds_alternative<std::monostate>(step.then)) co_return;
        is_talking_ = true;
        const std::string before = door_.room();
        if (const auto* submission = std::get_if<Submission>(&step.then)) {
            std::string refused;
            if (!has_come_in_) refused = co_await wait_to_come_in();
            if (refused.empty()) refused = co_await backend_.submit(*this, *submission);
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
            has_come_in_ = has_come_in_ || !door_.room().empty();
            if (door_.room() != before) app::tell(who_, app::events::is_in_room, door_.name(), door_.room());
        } else {
            const std::string answer = co_await backend_.ask(*this, std::get<Question>(step.then));
            is_talking_ = false;
            print(door_.answer(answer));
            const auto words = std::exchange(went_down_, {});
            step = words ? door_.room_down(*words) : Step();
        }
    }
}

net::awaitable<void> Session::leave() {
    is_leaving_ = true;
    if (auto farewell = door_.hang_up()) {
        if (!writer->why_cut_off().empty()) std::get<Leave>(farewell->request).why = writer->why_cut_off();
        co_await backend_.submit(*this, *farewell);
    }
    backend_.forget(*this);
}

bool Session::is_too_fast() {
    if (is_leaving()) return false;
    const auto wait = bucket_.take(active_);
    if (wait.count() > 0) pause_.expires_after(wait);
    return wait.count() > 0 || writer->backlog() > longest_unread;
}

net::awaitable<void> Session::wait() {
    const bool is_there = co_await socket().pause(pause_);
    if (!is_there) is_leaving_ = true;
    if (!is_leaving()) co_await writer->eased(longest_unread);
}

/// Everybody hears of a newcomer: why this one may not come in, or nothing when it is their turn.
net::awaitable<std::string> Session::wait_to_come_in() {
    if (arrivals_ == nullptr) co_return std::string();
    const auto wait = arrivals_->take(socket().peername(), Clock::now());
    if (!wait) co_return "too many people come from where you are: wait a little";
    if (wait->count() > 0) {
        pause_.expires_after(*wait);
        const bool is_there = co_await socket().pause(pause_);
        if (!is_there) is_leaving_ = true;
    }
    co_return is_leaving() ? "you have gone" : "";
}

void Session::look(Clock::time_point now) {
    if (is_leaving()) return;
    if (is_nameless() && name_timeout_.count() > 0 && now - came_ >= name_timeout_) {
        app::tell(who_, app::events::is_idle, name_timeout_.count());
        return say_goodbye(door_.nameless());
    }
    if (idle_timeout_.count() == 0 || now - active_ < idle_timeout_) return;
    const bool closing = was_asked_ && now - active_ >= idle_timeout_ + grace(idle_timeout_);
    if (!closing && was_asked_) return;
    was_asked_ = true;
    if (!closing) return print(door_.idle(closing));
    app::tell(who_, app::events::is_idle, idle_timeout_.count());
    say_goodbye(door_.idle(closing));
}

void Session::say_goodbye(const Step& step) {
    is_leaving_ = true;
    print(step);
    pause_.cancel();
    writer->wait_no_longer();
    socket().shutdown(net::tcp::socket::shutdown_receive);
}

void Session::make_place() {
    app::tell(who_, app::events::is_cut_off, "others need the place");
    say_goodbye(door_.others_wait());
    writer->write_now();
    socket().shutdown(net::tcp::socket::shutdown_both);
}

void Session::stop() {
    say_goodbye({"The server is closing. Goodbye!" + std::string(line_end), {}, true});
    backend_.forget(*this);  // everybody goes: they need not hear it of each of them
}

void Session::entered() {
    entered_ = door_.done();
    print(*entered_);
    entered_->print.clear();
}

void Session::room_down(std::string_view words) {
    app::tell(who_, app::events::is_out_of_room, door_.room());
    if (is_talking_) {
        went_down_ = words;
    } else {
        print(door_.room_down(words));
    }
}

void Session::removed(std::string_view why) {
    app::tell(who_, app::events::is_removed, door_.room(), why);
    if (!is_leaving_) print(door_.removed(why));
}

void Session::rejoined(std::string_view refused) {
    print(door_.rejoined(refused));
    if (refused.empty()) {
        app::tell(who_, app::events::is_in_room, door_.name(), door_.room());
    } else {
        app::tell(who_, app::events::was_refused, refused);
    }
}

// ---- TextServer -----------------------------------------------------------------------------------------------------

TextServer::TextServer(asio::io_context& loop, net::Listener listener, Backend& backend, std::string lobby,
                       const SessionLimits& session_limits, Backlog& backlog, std::function<PersonId()> next_person)
    : loop_(loop),
      listener_(std::move(listener)),
      backend_(backend),
      lobby_(std::move(lobby)),
      limits_(session_limits),
      backlog_(backlog),
      next_person_(std::move(next_person)),
      reserve_(loop.get_executor(), [this] { backlog_.cut_off_since(Clock::now()); }),
      shortage_(loop),
      next_look_(loop),
      max_sessions_(max_descriptors() - std::min(reserved_descriptors, max_descriptors() / 2)) {}

void TextServer::start() {
    look_around();
}

void TextServer::welcome(net::AsyncSocket socket) {
    const app::Who who{"client", ++last_client_};
    if (const auto why = why_not(); !why.empty()) {
        app::tell_rejected(who, socket, why);
        return socket.refuse(why);
    }
    const PersonId person = next_person_();
    auto writer = std::make_shared<Writer>(std::move(socket), person, limits_.max_backlog, &backlog_);
    auto session = std::make_shared<Session>(std::move(writer), who, person, lobby_, backend_, limits_,
                                             limits_.rate > 0 ? &arrivals_ : nullptr);
    make_place(max_nameless - 1);
    newcomers_.push_back(session);
    sessions_.push_back(session);
    asio::co_spawn(loop_, session(std::move(session)),
                   [this, who, place = std::prev(sessions_.end())](const std::exception_ptr& crash) {
                       app::tell_crash(who, crash);
                       sessions_.erase(place);
                   });
}

/// Why nobody else can be let in; empty when somebody can.
std::string_view TextServer::why_not() {
    if (!reserve_.is_there()) return "the server is short of memory: try again later";
    if (sessions_.size() >= max_sessions_ && !make_place(0)) return "the server has no place left: try again later";
    return {};
}

/// When more than so many nameless are there, the oldest of them goes: whether one did.
bool TextServer::make_place(std::size_t nameless_allowed) {
    if (newcomers_.size() <= nameless_allowed) return false;
    std::erase_if(newcomers_, [](const std::weak_ptr<Session>& entry) {
        const auto session = entry.lock();
        return !session || !session->is_nameless();
    });
    if (newcomers_.size() <= nameless_allowed) return false;
    newcomers_.front().lock()->make_place();
    newcomers_.pop_front();
    return true;
}

void TextServer::stop() {
    if (std::exchange(is_stopping_, true)) return;
    app::tell({"server"}, app::events::stops_accepting);
    listener_.close();
    shortage_.cancel();
    next_look_.cancel();
    for (const auto& entry : sessions_) {
        if (const auto session = entry.lock()) session->stop();
    }
}

std::string TextServer::who_is_where() const {
    std::map<std::string, Listing> rooms;
    for (const auto& entry : sessions_) {
        const auto session = entry.lock();
        if (session && !session->door().room().empty()) rooms[session->door().room()].add(session->door().name());
    }
    std::string lines;
    for (const auto& [room, names] : rooms) lines += "    room " + room + ": " + names.text() + "\n";
    return lines;
}

net::awaitable<void> TextServer::wait(std::chrono::milliseconds time) {
    if (is_stopping_) co_return;
    shortage_.expires_after(time);
    co_await shortage_.async_wait(net::outcome);
}

/// One look at all, now and then, instead of a timer for each that every line would have to set again.
void TextServer::look_around() {
    const auto now = Clock::now();
    const auto patience = grace(limits_.idle_timeout);
    for (const auto& entry : sessions_) {
        if (const auto session = entry.lock()) session->look(now);
    }
    backlog_.cut_off_since(now - patience);
    const auto shortest = limits_.name_timeout.count() > 0 ? std::min(patience, limits_.name_timeout) : patience;
    next_look_.expires_after(
        std::clamp<std::chrono::milliseconds>(shortest / 8, std::chrono::milliseconds(1), std::chrono::seconds(1)));
    next_look_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !is_stopping_) look_around();
    });
}

}  // namespace chat
