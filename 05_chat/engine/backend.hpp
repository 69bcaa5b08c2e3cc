#pragma once

#include "05_chat/base/why.hpp"
#include "05_chat/fanout/writer.hpp"
#include "05_chat/room/listing.hpp"
#include "net/awaitable.hpp"

#include <memory>
#include <string>
#include <string_view>

/// Where the people of the text door meet others. The rooms are this program's own (room_service.hpp), or those of
/// another C++ node (link/backend.hpp), or one on an Erlang node (erlang/backend.hpp). The door does not see the
/// difference. The loop's thread only.
namespace chat {

/// Why nothing can be done while the node that has the room is away. As a refusal's reason, the end of a sentence.
inline constexpr std::string_view room_is_down = "the node that has this room is away";

/// Told to people in that room when its node goes away, and again for each line they type until it is back. `awaited`:
/// we look for the node until it is back (--rejoin).
constexpr std::string_view room_is_away(bool awaited) {
    return awaited ? "The node that has this room is away: what you type is lost. Waiting for it."
                   : "The node that has this room is away: what you type is lost. /quit leaves.";
}

/// A person at the text door, as backends see them.
class Participant {
public:
    Participant(PersonId id, std::shared_ptr<Writer> writer) : id(id), writer(std::move(writer)) {}
    virtual ~Participant() = default;

    const PersonId id;
    const std::shared_ptr<Writer> writer;

    /// Tells them alone this line; without its end.
    virtual void tell(std::string_view line) = 0;
    /// Called during a Join, when they are in and before they hear anybody. A backend that never suspends may leave it
    /// out: the result of submit() says it.
    virtual void entered() = 0;
    /// They are out of their room, until rejoined(): its node is gone. They are told these words, now and whenever they
    /// say something. Where a submission of theirs is open, it is refused after this.
    /// Where what they say `is_kept`, they submit it all the same. What is open is carried out after rejoined() then.
    virtual void room_down(std::string_view words, bool is_kept) = 0;
    /// The room has thrown them out, and goes on without them. They may join it again. `why` is the end of a sentence.
    /// Not while a Join or a Say of theirs is open. But after entered() always: that Join has gone well.
    virtual void removed(std::string_view why) = 0;
    /// The room that was down is back, and they are in it; or they cannot be.
    virtual void rejoined(const result<void, Why>& outcome) = 0;
};

class Backend {
public:
    virtual ~Backend() = default;

    /// Carries out what they want. After a Join they have been sent the room's history, and hear the room from here on.
    /// After a Leave they have been sent everything that was said before.
    virtual net::awaitable<result<void, Why>> submit(Participant& participant, const Submission& submission) = 0;
    virtual net::awaitable<result<std::string, Why>> ask(Participant& participant, const Question& question) = 0;
    /// They have gone: from now on nothing is said to them.
    virtual void forget(Participant& participant) = 0;
    /// Whether the rooms are in this program.
    virtual bool has_the_rooms() const { return false; }
};

/// The first room of whoever names no other.
inline constexpr std::string_view lobby = "lobby";

/// Rooms that another node has (--join).
class RemoteBackend : public Backend {
public:
    /// Goes to that node; comes back when it has let us in, or that has been tried once. What follows (the connection
    /// itself, and --rejoin) goes on by itself until stop().
    virtual net::awaitable<result<void, Why>> open() = 0;
    virtual void stop() = 0;
    /// How the story calls it.
    virtual std::string where() const = 0;
    /// The room there that our people come into first.
    virtual std::string first_room() const = 0;
};

}  // namespace chat
