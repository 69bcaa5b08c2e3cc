#pragma once

#include "05_chat/room/room.hpp"

#include <map>
#include <string>
#include <string_view>

/// The rooms of one house, and the engine that orders what happens in them. Pure; one thread at a time.
namespace chat {

/// Owns the rooms. A room is there while somebody is in it; the lobby is always there.
/// Rooms are called by the same rules as people, without regard to ASCII case.
class House {
public:
    House(const Limits& limits, std::string_view lobby);

    /// Room::apply in the room of that name. A Join opens the room if it may (name_*, too_many_rooms); the last Leave
    /// closes it, and its history with it.
    boost::system::result<Line, Refusal> apply(std::string_view room, Sequence at, const Request& request);

    /// Null where there is no such room.
    const Room* find(std::string_view room) const;

    struct Named {
        std::string name;  // as its first participant wrote it
        Room room;
    };
    /// In the order of their folded names.
    const std::map<std::string, Named>& rooms() const { return rooms_; }
    const std::string& lobby() const { return lobby_; }

private:
    Limits limits_;
    std::string lobby_;
    std::map<std::string, Named> rooms_;  // by folded name
};

/// The engine of a house that orders its own rooms: first come, first served, at once. An engine over a broker would
/// publish the request instead, and call House::apply when it comes back with the broker's number.
class LocalEngine {
public:
    explicit LocalEngine(House& house) : house_(house) {}

    boost::system::result<Line, Refusal> submit(std::string_view room, const Request& request) {
        return house_.apply(room, ++last_, request);
    }

private:
    House& house_;
    Sequence last_ = 0;  // one order for all rooms: a room that closes and opens again never meets an old number
};

/// "a, b and 7 more": a list that stays one line, however many there are.
class Listing {
public:
    explicit Listing(std::size_t most = 100) : most_(most) {}

    void add(const std::string& item);
    std::string text() const;

private:
    std::size_t most_;
    std::size_t count_ = 0;
    std::string text_;
};

/// What a text door prints for /who: the people of the room, at most `most` by name and the rest counted.
std::string who(const Room& room, std::size_t most = 100);
/// What it prints for /rooms, in the same manner.
std::string rooms(const House& house, std::size_t most = 100);
/// Both for the operator, a line for each room.
std::string who_is_where(const House& house, std::size_t most = 100);

}  // namespace chat
