#include "05_chat/room/room.hpp"

#include <utility>

namespace chat {

namespace {

/// Bytes that a newcomer is sent for a line of history: its own, and those that a door puts around them.
std::size_t cost(const Line& line) {
    constexpr std::size_t around = 32;  // " says: " and CR LF; a link's header and lengths
    return line.name.size() + line.text.size() + around;
}

}  // namespace

void append_words(const Line& line, std::string& out) {
    out += line.name;
    switch (line.kind) {
        case Line::Kind::joined: out += " has joined the room"; return;
        case Line::Kind::said:
            if (line.text.starts_with(action)) {
                out.append(" ").append(line.text, action.size());
            } else {
                out.append(" says: ").append(line.text);
            }
            return;
        case Line::Kind::left: out += " has left the room"; break;
    }
    if (!line.text.empty()) out.append(" (").append(line.text).append(")");
}

std::string words(const Line& line) {
    std::string all;
    append_words(line, all);
    return all;
}

Outcome Room::apply(Sequence at, const Request& request) {
    last_ = at;
    return std::visit([this](const auto& wanted) { return happen(wanted); }, request);
}

Outcome Room::happen(const Join& request) {
    if (const auto wrong = check_name(request.name)) return *wrong;
    if (people_.contains(request.person)) return Refusal::already_here;
    if (people_.size() >= limits_.max_people) return Refusal::room_full;
    if (!names_.try_emplace(folded(request.name), request.person).second) return Refusal::name_taken;
    people_.emplace(request.person, request.name);
    return Line{last_, Line::Kind::joined, request.person, request.name, {}};
}

Outcome Room::happen(const Say& request) {
    const auto speaker = people_.find(request.person);
    if (speaker == people_.end()) return Refusal::not_here;
    if (request.text.size() > limits_.max_line) return Refusal::text_too_long;
    auto text = sayable(request.text);
    if (!text) return Refusal::text_not_utf8;
    Line line{last_, Line::Kind::said, request.person, speaker->second, std::move(*text)};
    remember(line);
    return line;
}

void Room::remember(const Line& line) {
    history_.push_back(line);
    history_bytes_ += cost(line);
    while (history_.size() > limits_.history || history_bytes_ > limits_.history_bytes) {
        history_bytes_ -= cost(history_.front());
        history_.pop_front();
    }
}

Outcome Room::happen(const Leave& request) {
    const auto person = people_.extract(request.person);
    if (person.empty()) return Refusal::not_here;
    names_.erase(folded(person.mapped()));
    return Line{last_, Line::Kind::left, request.person, person.mapped(),
                shortened(without_controls(request.why), max_why)};
}

Rooms::Rooms(const Limits& limits, std::string_view lobby) : limits_(limits), lobby_(lobby) {
    begin_anew();
}

void Rooms::begin_anew() {
    rooms_.clear();
    rooms_.try_emplace(folded(lobby_), Named{lobby_, Room(limits_)});
}

Outcome Rooms::apply(Sequence at, const Submission& submission) {
    if (at <= last_) return Refusal::out_of_order;
    last_ = at;
    const auto& [room, request] = submission;
    const std::string key = folded(room);
    auto found = rooms_.find(key);
    if (found == rooms_.end()) {
        if (!std::holds_alternative<Join>(request)) return Refusal::not_here;
        if (const auto wrong = check_name(room)) return *wrong;
        if (rooms_.size() >= limits_.max_rooms) return Refusal::too_many_rooms;
        found = rooms_.try_emplace(key, Named{room, Room(limits_)}).first;
    }
    auto outcome = found->second.room.apply(at, request);
    // A Join that was refused may have opened it. An empty room must not stay open because somebody had a bad name.
    if (found->second.room.people().empty() && key != folded(lobby_)) rooms_.erase(found);
    return outcome;
}

const Room* Rooms::find(std::string_view room) const {
    const auto found = rooms_.find(folded(room));
    return found == rooms_.end() ? nullptr : &found->second.room;
}

}  // namespace chat
