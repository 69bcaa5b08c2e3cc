#pragma once

#include "05_chat/room/room.hpp"

#include <string>
#include <string_view>

/// A line for one person alone.
struct Whisper {
    chat::PersonId to;
    std::string line;  // "Michael whispers: psst"
};

/// `from` says `text` to whoever is called `name`, and to nobody else: the room stays as it is.
/// Refused: not_here when `from` is not in the room, or nobody of that name is; text_too_long (more than max_line
/// bytes), text_not_utf8.
inline boost::system::result<Whisper, chat::Refusal> whisper(chat::Room& room,
                                                             [[maybe_unused]] const chat::Limits& limits,
                                                             chat::PersonId from,
                                                             [[maybe_unused]] std::string_view name,
                                                             std::string_view text) {
    // Here: this says it to everybody.
    const auto said = room.apply(room.last() + 1, chat::Say{from, std::string(text)});
    if (!said) return said.error();
    return Whisper{from, chat::words(*said)};
}
