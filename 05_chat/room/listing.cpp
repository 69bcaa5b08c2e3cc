#include "05_chat/room/listing.hpp"

namespace chat {

namespace {

Listing people(const Room& room, std::size_t most) {
    Listing names(most);
    for (const auto& [person, name] : room.people()) names.add(name);
    return names;
}

}  // namespace

void Listing::add(const std::string& item) {
    if (++count_ > most_) return;
    text_ += (text_.empty() ? "" : ", ") + item;
}

std::string Listing::text() const {
    return count_ > most_ ? text_ + " and " + std::to_string(count_ - most_) + " more" : text_;
}

std::string answer(const Rooms& rooms, const Question& question, std::size_t most) {
    if (question.about == Question::About::people) {
        const Room* room = rooms.find(question.room);
        return room == nullptr ? "There is no such room." : "In the room: " + people(*room, most).text();
    }
    Listing list(most);
    for (const auto& [key, named] : rooms.all()) {
        list.add(named.name + " (" + std::to_string(named.room.people().size()) + ")");
    }
    return "Rooms: " + list.text();
}

std::string who_is_where(const Rooms& rooms, std::size_t most) {
    std::string lines;
    for (const auto& [key, named] : rooms.all()) {
        const bool is_empty = named.room.people().empty();
        lines += "    room " + named.name + ": " + (is_empty ? "nobody" : people(named.room, most).text()) + "\n";
    }
    return lines;
}

}  // namespace chat
