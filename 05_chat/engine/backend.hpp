#pragma once

#include "05_chat/base/why.hpp"
#include "05_chat/fanout/writer.hpp"
#include "05_chat/room/listing.hpp"
#include "net/awaitable.hpp"

#include <memory>
#include <string>
#include <string_view>

/// Where the people of the text door meet others: in this program's own rooms (room_service.hpp), in those of another
/// C++ node (link/backend.hpp), or in one of an Erlang node (erlang/backend.hpp). The door does not see the difference.
/// The loop's thread only.
namespace chat {

/// Why nothing can be done while the node that has the room is away: the end of a sentence, as a refusal's reason is.
inline constexpr std::string_view room_is_down = "the node that has this room is away";

/// What the people of that room are told then, and again whenever they type something. `awaited`: it is looked for
/// until it is back (--rejoin).
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

    /// A line for them alone; without its end.
    virtual void tell(std::string_view line) = 0;
    /// They are in the room that they have submitted to join, and hear it from now on: the moment to tell them so,
    /// before they hear anybody there. A backend that answers at once need not call it.
    virtual void entered() = 0;
    /// They are out of their room: its node is gone. `words` is what they are told, now and whenever they type
    /// something. Also while a submission of theirs is open, which is then refused.
    virtual void room_down(std::string_view words) = 0;
    /// The room has thrown them out, and goes on without them; they may join it again. `why` is the end of a sentence.
    /// Not while a Join or a Say of theirs is open.
    virtual void removed(std::string_view why) = 0;
    /// It is back, and so are they; or they cannot be.
    virtual void rejoined(const result<void, Why>& outcome) = 0;
};

class Backend {
public:
    virtual ~Backend() = default;

    /// Carries out what they want. When it is done, a newcomer has been sent the room's history and hears the room from
    /// here on. After a Leave everything that was said before has reached them.
    virtual net::awaitable<result<void, Why>> submit(Participant& participant, const Submission& submission) = 0;
    virtual net::awaitable<result<std::string, Why>> ask(Participant& participant, const Question& question) = 0;
    /// They have gone: from now on nothing is said to them.
    virtual void forget(Participant& participant) = 0;
    /// Whether the rooms are in this program.
    virtual bool has_the_rooms() const { return false; }
};

}  // namespace chat
