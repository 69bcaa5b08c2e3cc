#pragma once

#include "05_chat/room/room.hpp"

#include <string>
#include <string_view>

/// Rooms whose requests happen in the order in which they come.
struct OrderedRooms : chat::Rooms {
    using Rooms::Rooms;
    chat::Outcome submit(std::string_view room, const chat::Request& request) {
        return apply(++last, {std::string(room), request});
    }
    chat::Sequence last = 0;
};
