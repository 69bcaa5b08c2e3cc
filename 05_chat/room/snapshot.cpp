// Rooms from what another copy of them has told: for a node that comes late, and has not heard the requests. Whatever
// was asked for before is in people, history and the last place; what follows from the next request, follows from
// those.

#include "05_chat/room/room.hpp"

#include <utility>

namespace chat {

Room::Room(const Limits& limits, Sequence last, std::map<PersonId, std::string> people, const std::deque<Line>& history)
    : limits_(limits), last_(last), people_(std::move(people)) {
    for (const auto& [person, name] : people_) names_.emplace(folded(name), person);
    for (const Line& line : history) remember(line);
}

Rooms::Rooms(const Limits& limits, std::string_view lobby, Sequence last, std::vector<Named> rooms)
    : Rooms(limits, lobby) {
    last_ = last;
    for (Named& each : rooms) rooms_.insert_or_assign(folded(each.name), std::move(each));
}

}  // namespace chat
