#pragma once

#include "05_chat/room/room.hpp"

#include <string>
#include <utility>

/// `person` is called `name` from now on; what the members are told: "Michael is now known as Mike".
/// Refused: not_here, or what a room says to a Join of that name. Then the room is as it was, to the last detail.
inline boost::system::result<std::string, chat::Refusal> nick(chat::Room& room, chat::PersonId person,
                                                              const std::string& name) {
    // Here: what if the second step is refused?
    const auto left = room.apply(room.last() + 1, chat::Leave{person, {}});
    if (!left) return left.error();
    const auto joined = room.apply(room.last() + 1, chat::Join{person, name});
    if (!joined) return joined.error();
    return left->name + " is now known as " + joined->name;
}
