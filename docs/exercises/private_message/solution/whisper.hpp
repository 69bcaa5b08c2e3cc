#pragma once

#include "05_chat/room/room.hpp"
#include "app/text.hpp"

#include <algorithm>
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
inline boost::system::result<Whisper, chat::Refusal> whisper(const chat::Room& room, const chat::Limits& limits,
                                                             chat::PersonId from, std::string_view name,
                                                             std::string_view text) {
    const auto& people = room.people();
    const auto speaker = people.find(from);
    const auto hearer = std::find_if(people.begin(), people.end(), [&](const auto& person) {
        return chat::folded(person.second) == chat::folded(name);
    });
    if (speaker == people.end() || hearer == people.end()) return chat::Refusal::not_here;
    if (text.size() > limits.max_line) return chat::Refusal::text_too_long;
    if (!app::text::is_utf8(text)) return chat::Refusal::text_not_utf8;
    return Whisper{hearer->first, speaker->second + " whispers: " + chat::without_controls(text)};
}
