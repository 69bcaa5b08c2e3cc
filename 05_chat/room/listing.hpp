#pragma once

#include "05_chat/room/room.hpp"

#include <cstddef>
#include <string>

/// What people and the operator are told about the rooms. Pure functions; any thread.
namespace chat {

/// Names in one list; the rest is counted.
inline constexpr std::size_t max_listed = 100;

/// A question about the rooms; its answer is printed as it is.
struct Question {
    enum class About { people, rooms } about;
    std::string room;
};

/// "a, b and 7 more": a list that stays one line, however many items it has.
class Listing {
public:
    explicit Listing(std::size_t most = max_listed) : most_(most) {}

    void add(const std::string& item);
    std::string text() const;

private:
    std::size_t most_;
    std::size_t count_ = 0;
    std::string text_;
};

/// What /who and /rooms answer: at most `most` by name, and the rest counted.
std::string answer(const Rooms& rooms, const Question& question, std::size_t most = max_listed);
/// Everybody by room, for the operator: a line for each room.
std::string who_is_where(const Rooms& rooms, std::size_t most = max_listed);

}  // namespace chat
