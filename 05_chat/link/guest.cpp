#include "05_chat/link/guest.hpp"

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

void Guest::connected(std::uint64_t number, Clock::time_point now, std::chrono::milliseconds handshake) {
    handshake_.emplace(self_, Handshake::Side::guest, number);
    pulse_.emplace(now, handshake);
    output_.clear();
    handshake_->begin(output_);
}

result<void, Why> Guest::receive(std::string_view frame, Clock::time_point now) {
    const auto message = decode(frame);
    if (!message) return because(reason(message.error()));
    if (!is_up()) {
        if (auto known = handshake_->receive(*message, output_); !known) return known;
        if (!is_up()) return {};
        come_back();
        pulse_->beat(now);
        return {};
    }
    pulse_->beat(now);
    return std::visit([this](const auto& word) { return handle(word); }, *message);
}

void Guest::lost() {
    handshake_.reset();
    output_.clear();
    stays_.clear();
    named_.clear();
    std::set<PersonId> told;  // people on their way from one room into another hear of it once
    for (auto& [stay, visit] : std::exchange(visits_, {})) {
        if (visit.is_in && told.insert(visit.person).second) events_.push_back(IsDown{visit.person, visit.unheard});
        if (!comes_back_ || !(visit.is_in || visit.again)) continue;
        visit.is_in = false;
        visit.again = true;
        visit.unheard = 0;
        down_.insert_or_assign(visit.person, std::move(visit));
    }
}

void Guest::come_back() {
    for (auto& [person, visit] : std::exchange(down_, {})) enter(std::move(visit));
}

result<void, Why> Guest::handle(const Entered& entered) {
    const auto visit = visits_.find(entered.stay);
    if (visit == visits_.end()) return {};
    visit->second.is_in = true;
    named_.insert_or_assign({folded(visit->second.room), visit->second.name}, entered.stay);
    events_.push_back(IsIn{visit->second.person, visit->second.room, std::exchange(visit->second.again, false)});
    return {};
}

result<void, Why> Guest::handle(const Refused& refused) {
    if (refused.stay == 0) return because("it refuses us: " + printable(refused.why));
    const auto visit = visits_.find(refused.stay);
    if (visit == visits_.end()) return {};
    auto& [person, room, name, is_in, again, unheard] = visit->second;
    events_.push_back(IsRefused{person, printable(refused.why), !is_in, again});
    if (is_in && unheard > 0) --unheard;
    if (!is_in) take(visit);
    return {};
}

result<void, Why> Guest::handle(const Past& past) {
    const auto visit = visits_.find(past.stay);
    if (visit != visits_.end()) {
        events_.push_back(IsPast{visit->second.person, {0, past.kind, 0, printable(past.name), printable(past.text)}});
    }
    return {};
}

result<void, Why> Guest::handle(const Spoken& spoken) {
    if (const auto speaker = named_.find({folded(spoken.room), spoken.name});
        speaker != named_.end() && spoken.kind == Line::Kind::said) {
        if (auto& unheard = visits_.at(speaker->second).unheard; unheard > 0) --unheard;
    }
    events_.push_back(
        IsSpoken{spoken.room, {spoken.sequence, spoken.kind, 0, printable(spoken.name), printable(spoken.text)}});
    return {};
}

result<void, Why> Guest::handle(const Answer& answer) {
    events_.push_back(IsAnswered{answer.stay, printable(answer.text)});
    return {};
}

result<void, Why> Guest::handle(const Ping& ping) {
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
    if (visit->second.is_in) named_.erase({folded(visit->second.room), visit->second.name});
    return std::move(visits_.extract(visit).mapped());
}

void Guest::speak(PersonId person, std::string_view room, std::string_view text) {
    if (const auto stay = stays_.find({person, folded(room)}); stay != stays_.end()) {
        encode(Speak{stay->second, std::string(text)}, output_);
        ++visits_.at(stay->second).unheard;
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
        const auto gone = stay++;
        take(visits_.find(gone->second));
    }
}

}  // namespace chat::link
