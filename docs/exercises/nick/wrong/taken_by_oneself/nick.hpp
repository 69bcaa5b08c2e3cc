// Wrong: it looks first whether anybody has the name, and finds the person who asks.
#pragma once

#include "05_chat/room/room.hpp"

#include <string>
#include <utility>

/// `person` is called `name` from now on; what the members are told: "Michael is now known as Mike".
/// Refused: not_here, or what a room says to a Join of that name. Then the room is as it was, to the last detail.
inline boost::system::result<std::string, chat::Refusal> nick(chat::Room& room, chat::PersonId person,
                                                              const std::string& name) {
    for (const auto& [id, taken] : room.people()) {
        if (chat::folded(taken) == chat::folded(name)) return chat::Refusal::name_taken;
    }
    chat::Room changed = room;
    const auto left = changed.apply(changed.last() + 1, chat::Leave{person, {}});
    if (!left) return left.error();
    const auto joined = changed.apply(changed.last() + 1, chat::Join{person, name});
    if (!joined) return joined.error();
    room = std::move(changed);
    return left->name + " is now known as " + joined->name;
}
