#pragma once

#include "05_chat/link_pulse.hpp"
#include "05_chat/node_link.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace chat::link {

/// What a guest node keeps: which of its people are in which of the owner's rooms, over all the links it has had to the
/// owner, one at a time. Words of its people, frames and moments in; frames and events out. It knows no socket. One
/// thread at a time.
class Guest {
public:
    /// `comes_back`: people whose link went are put into their rooms again by the next one.
    Guest(std::string node, bool comes_back) : node_(std::move(node)), comes_back_(comes_back) {}

    // What happens, in order, for the owner of this.

    /// He is in, and hears the room from here on. `again`: in a room that he had lost.
    struct IsIn {
        PersonId person;
        std::string room;
        bool again;
    };
    /// He is not in; or, `entering` false, what he said was refused.
    struct IsRefused {
        PersonId person;
        std::string why;
        bool entering;
        bool again;
    };
    /// For a newcomer: what was said before him.
    struct IsPast {
        PersonId person;
        Line line;
    };
    struct IsSpoken {
        std::string room;
        Line line;
    };
    struct IsAnswered {
        Stay question;
        std::string text;
    };
    /// The link has gone, and he from his room.
    struct IsDown {
        PersonId person;
    };
    using Event = std::variant<IsIn, IsRefused, IsPast, IsSpoken, IsAnswered, IsDown>;
    std::optional<Event> next_event();

    // The link.

    /// There is a connection.
    void connected(Clock::time_point now, std::chrono::milliseconds handshake);
    /// One frame. Not empty: why the link is to be closed.
    std::string receive(std::string_view frame, Clock::time_point now);
    /// False: the owner is gone.
    bool time(Clock::time_point now);
    Clock::time_point deadline() const { return pulse_->deadline(); }
    /// The connection has ended. Questions that are open will not be answered.
    void lost();
    std::string take_output() { return std::exchange(output_, {}); }

    /// The owner has introduced itself: people may come.
    bool is_up() const { return is_up_; }
    const std::string& peer() const { return peer_; }

    // The people. Only while up.

    void enter(PersonId person, std::string_view room, std::string_view name);
    /// He is in that room, else nothing happens.
    void speak(PersonId person, std::string_view room, std::string_view text);
    void go(PersonId person, std::string_view room, std::string_view why);
    /// About a room, or with an empty one about all: the number under which it will be answered. As everything comes in
    /// order, the answer comes after all that came of what was said before.
    Stay ask(std::string_view room);

    /// He has gone, from wherever he was. Also while down.
    void forget(PersonId person);

private:
    struct Visit {
        PersonId person;
        std::string room;
        std::string name;
        bool is_in = false;
        bool again = false;
    };

    void enter(Visit visit);
    /// Ends what is kept of a stay.
    Visit take(std::map<Stay, Visit>::iterator visit);
    std::string handle(const Hello& hello);
    std::string handle(const Entered& entered);
    std::string handle(const Refused& refused);
    std::string handle(const Past& past);
    std::string handle(const Spoken& spoken);
    std::string handle(const Answer& answer);
    std::string handle(const Ping& ping);
    std::string handle(const Pong&) { return {}; }
    template <class GuestsWord>
    std::string handle(const GuestsWord&) {
        return "it speaks as if it were our guest";
    }

    std::string node_;
    bool comes_back_;
    std::optional<Pulse> pulse_;
    bool is_up_ = false;
    std::string peer_;
    Stay last_stay_ = 0;
    std::map<Stay, Visit> visits_;
    std::map<std::pair<PersonId, std::string>, Stay> stays_;  // whose, in which room (folded)
    std::map<PersonId, Visit> down_;                          // who waits for the owner to come back
    std::deque<Event> events_;
    std::string output_;
};

}  // namespace chat::link
