#include "05_chat/link_guest.hpp"

#include <set>
#include <utility>

namespace chat::link {

std::optional<Guest::Event> Guest::next_event() {
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

// ---- the link -------------------------------------------------------------------------------------------------------

void Guest::connected(Clock::time_point now, std::chrono::milliseconds handshake) {
    pulse_.emplace(now, handshake);
    output_.clear();
    encode(Hello{magic, version, node_}, output_);
}

std::string Guest::receive(std::string_view frame, Clock::time_point now) {
    const auto message = decode(frame);
    if (!message) return std::string(reason(message.error()));
    if (!is_up_ && !std::holds_alternative<Hello>(*message)) return "it did not introduce itself";
    pulse_->beat(now);
    return std::visit([this](const auto& word) { return handle(word); }, *message);
}

bool Guest::time(Clock::time_point now) {
    const auto verdict = pulse_->look(now);
    if (verdict == Pulse::Verdict::ask && is_up_) encode(Ping{0}, output_);
    return verdict != Pulse::Verdict::gone;
}

void Guest::lost() {
    is_up_ = false;
    output_.clear();
    stays_.clear();
    std::set<PersonId> told;  // who was on their way from one room into another hears of it once
    for (auto& [stay, visit] : std::exchange(visits_, {})) {
        if (visit.is_in && told.insert(visit.person).second) events_.push_back(IsDown{visit.person});
        if (!comes_back_ || !(visit.is_in || visit.again)) continue;
        visit.is_in = false;
        visit.again = true;
        down_.insert_or_assign(visit.person, std::move(visit));
    }
}

std::string Guest::handle(const Hello& hello) {
    if (is_up_) return "it introduces itself twice";
    is_up_ = true;
    peer_ = hello.node;
    for (auto& [person, visit] : std::exchange(down_, {})) enter(std::move(visit));
    return {};
}

std::string Guest::handle(const Entered& entered) {
    const auto visit = visits_.find(entered.stay);
    if (visit == visits_.end()) return {};
    visit->second.is_in = true;
    events_.push_back(IsIn{visit->second.person, visit->second.room, std::exchange(visit->second.again, false)});
    return {};
}

std::string Guest::handle(const Refused& refused) {
    const auto visit = visits_.find(refused.stay);
    if (visit == visits_.end()) return {};
    const auto& [person, room, name, is_in, again] = visit->second;
    events_.push_back(IsRefused{person, refused.why, !is_in, again});
    if (!is_in) take(visit);
    return {};
}

std::string Guest::handle(const Past& past) {
    const auto visit = visits_.find(past.stay);
    if (visit != visits_.end()) {
        events_.push_back(IsPast{visit->second.person, {0, past.kind, 0, past.name, past.text}});
    }
    return {};
}

std::string Guest::handle(const Spoken& spoken) {
    events_.push_back(IsSpoken{spoken.room, {spoken.sequence, spoken.kind, 0, spoken.name, spoken.text}});
    return {};
}

std::string Guest::handle(const Answer& answer) {
    events_.push_back(IsAnswered{answer.stay, answer.text});
    return {};
}

std::string Guest::handle(const Ping& ping) {
    encode(Pong{ping.number}, output_);
    return {};
}

// ---- the people -----------------------------------------------------------------------------------------------------

void Guest::enter(PersonId person, std::string_view room, std::string_view name) {
    enter({person, std::string(room), std::string(name)});
}

void Guest::enter(Visit visit) {
    encode(Enter{++last_stay_, visit.room, visit.name}, output_);
    stays_.insert_or_assign({visit.person, folded(visit.room)}, last_stay_);
    visits_.emplace(last_stay_, std::move(visit));
}

Guest::Visit Guest::take(std::map<Stay, Visit>::iterator visit) {
    stays_.erase({visit->second.person, folded(visit->second.room)});
    return std::move(visits_.extract(visit).mapped());
}

void Guest::speak(PersonId person, std::string_view room, std::string_view text) {
    if (const auto stay = stays_.find({person, folded(room)}); stay != stays_.end()) {
        encode(Speak{stay->second, std::string(text)}, output_);
    }
}

void Guest::go(PersonId person, std::string_view room, std::string_view why) {
    if (const auto stay = stays_.find({person, folded(room)}); stay != stays_.end()) {
        encode(Go{stay->second, std::string(why)}, output_);
        take(visits_.find(stay->second));
    }
}

Stay Guest::ask(std::string_view room) {
    encode(Ask{++last_stay_, std::string(room)}, output_);
    return last_stay_;
}

void Guest::forget(PersonId person) {
    down_.erase(person);
    for (auto stay = stays_.lower_bound({person, {}}); stay != stays_.end() && stay->first.first == person;) {
        encode(Go{stay->second, {}}, output_);
        visits_.erase(stay->second);
        stay = stays_.erase(stay);
    }
}

}  // namespace chat::link
