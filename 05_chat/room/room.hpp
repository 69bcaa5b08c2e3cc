#pragma once

#include "05_chat/room/names.hpp"
#include "net/error.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

/// Chat rooms as state machines: requests in, lines out. They know no socket, no thread and no clock.
///
/// Three things are kept apart. *Doors* (text/, link/, erlang/) know how somebody speaks. The *engine* (engine/)
/// decides in which order requests happen. The *rooms* are what follows from the requests in that order, and from
/// nothing else. So two copies that apply the same requests in the same order agree on everything: also on who got a
/// name that two people asked for at once. That is why many machines can have the same rooms.
///
/// One thread at a time.
namespace chat {

/// A person in the rooms; given by the engine, never used twice.
using PersonId = std::uint64_t;

/// A place in the order in which things happen. All rooms have one order. Refused requests take a place, too.
using Sequence = std::uint64_t;

struct Limits {
    std::size_t max_line = 4096;             // --max-line: bytes of one thing said
    std::size_t history = 20;                // --history: things said that a newcomer is shown
    std::size_t max_people = 10000;          // --max-people: in one room
    std::size_t max_rooms = 1000;            // --max-rooms: at a time
    std::size_t history_bytes = 512 * 1024;  // of those things together, as they are shown: half of --max-backlog
};

/// Bytes of the reason for which somebody left, as everybody is shown it.
inline constexpr std::size_t max_why = 100;

// What somebody wants of a room.

struct Join {
    PersonId person;
    std::string name;
};
struct Say {
    PersonId person;
    std::string text;
};
struct Leave {
    PersonId person;
    std::string why;  // shown in brackets after "has left the room"; empty when they simply went
};
using Request = std::variant<Join, Say, Leave>;

/// A request, and the room that it is for. The rules for rooms' names are those for people's, also without regard to
/// ASCII case.
struct Submission {
    std::string room;
    Request request;
};

/// What happened, with its place in the order. Every member gets it; only newcomers do not get their own `joined`.
struct Line {
    enum class Kind : std::uint8_t { joined = 1, said = 2, left = 3 };
    Sequence sequence;
    Kind kind;
    PersonId person;
    std::string name;
    std::string text;  // said: the text; left: why, or empty; joined: empty
};

/// Speech that begins so is an action: "/me waves" is told as "Michael waves", as on IRC. It travels as any speech
/// does.
inline constexpr std::string_view action = "/me ";

/// The line in the words of the original: "Michael says: Hello!".
std::string words(const Line& line);
void append_words(const Line& line, std::string& out);

/// What came of a request: the line, or why there is none.
using Outcome = boost::system::result<Line, Refusal>;

class Room {
public:
    explicit Room(const Limits& limits) : limits_(limits) {}
    /// As it was when another copy answered this (snapshot.cpp).
    Room(const Limits& limits, Sequence last, std::map<PersonId, std::string> people, const std::deque<Line>& history);

    /// What follows from `request` at its place in the order. Each place must be after the last one.
    Outcome apply(Sequence at, const Request& request);

    /// The people in the order of their ids, each with the name they chose.
    const std::map<PersonId, std::string>& people() const { return people_; }
    /// The last things said, oldest first. A newcomer is shown them. They are never so many bytes that the newcomer
    /// would be too far behind at once.
    const std::deque<Line>& history() const { return history_; }
    Sequence last() const { return last_; }

private:
    Outcome happen(const Join& request);
    Outcome happen(const Say& request);
    Outcome happen(const Leave& request);
    void remember(const Line& line);

    Limits limits_;
    Sequence last_ = 0;
    std::map<PersonId, std::string> people_;
    std::unordered_map<std::string, PersonId> names_;  // folded name: who has it
    std::deque<Line> history_;
    std::size_t history_bytes_ = 0;
};

/// All rooms. A room is there while somebody is in it; the lobby is always there.
class Rooms {
public:
    Rooms(const Limits& limits, std::string_view lobby);
    /// As they were when another copy answered this (snapshot.cpp). The lobby need not be among them.
    struct Named;
    Rooms(const Limits& limits, std::string_view lobby, Sequence last, std::vector<Named> rooms);

    /// Room::apply in the room of that name. A Join opens the room if it may (name_*, too_many_rooms). The last Leave
    /// closes it, and its history is gone.
    /// A place that is not after the last one is a repetition: out_of_order, and nothing changes. Room could not know
    /// that: the repetition of the Join that opened a room must not open it again.
    Outcome apply(Sequence at, const Submission& submission);

    /// Everybody is out, and nothing is remembered but the last place: the order goes on.
    void begin_anew();

    /// Null where there is no such room.
    const Room* find(std::string_view room) const;

    struct Named {
        std::string name;  // as whoever opened it wrote it
        Room room;
    };
    /// In the order of their folded names.
    const std::map<std::string, Named>& all() const { return rooms_; }
    /// The last place that was given to a request, of whatever room.
    Sequence last() const { return last_; }
    const std::string& lobby() const { return lobby_; }
    const Limits& limits() const { return limits_; }

private:
    Limits limits_;
    std::string lobby_;
    Sequence last_ = 0;
    std::map<std::string, Named> rooms_;  // by folded name
};

}  // namespace chat
