#include "05_chat/room/rooms.hpp"

namespace chat {

void Listing::add(const std::string& item) {
    if (++count_ > most_) return;
    text_ += (text_.empty() ? "" : ", ") + item;
}

std::string Listing::text() const {
    return count_ > most_ ? text_ + " and " + std::to_string(count_ - most_) + " more" : text_;
}

House::House(const Limits& limits, std::string_view lobby) : limits_(limits), lobby_(lobby) {
    rooms_.try_emplace(folded(lobby), Named{lobby_, Room(limits_)});
}

boost::system::result<Line, Refusal> House::apply(std::string_view room, Sequence at, const Request& request) {
    const std::string key = folded(room);
    auto found = rooms_.find(key);
    if (found == rooms_.end()) {
        if (!std::holds_alternative<Join>(request)) return Refusal::not_here;
        if (const auto wrong = check_name(room)) return *wrong;
        if (rooms_.size() >= limits_.max_rooms) return Refusal::too_many_rooms;
        found = rooms_.try_emplace(key, Named{std::string(room), Room(limits_)}).first;
    }
    auto outcome = found->second.room.apply(at, request);
    // Also after a Join that was refused: an empty room must not stay open because somebody had a bad name.
    if (found->second.room.people().empty() && key != folded(lobby_)) rooms_.erase(found);
    return outcome;
}

const Room* House::find(std::string_view room) const {
    const auto found = rooms_.find(folded(room));
    return found == rooms_.end() ? nullptr : &found->second.room;
}

std::string who(const Room& room, std::size_t most) {
    Listing names(most);
    for (const auto& [person, name] : room.people()) names.add(name);
    return "In the room: " + names.text();
}

std::string rooms(const House& house, std::size_t most) {
    Listing list(most);
    for (const auto& [key, named] : house.rooms()) {
        list.add(named.name + " (" + std::to_string(named.room.people().size()) + ")");
    }
    return "Rooms: " + list.text();
}

std::string who_is_where(const House& house, std::size_t most) {
    std::string lines;
    for (const auto& [key, named] : house.rooms()) {
        Listing names(most);
        for (const auto& [person, name] : named.room.people()) names.add(name);
        lines += "    room " + named.name + ": " + (named.room.people().empty() ? "nobody" : names.text()) + "\n";
    }
    return lines;
}

}  // namespace chat
