#pragma once

#include "05_chat/link/handshake.hpp"
#include "05_chat/link/pulse.hpp"

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace chat::link {

/// What a guest node keeps: which of its people are in which of the host's rooms. It outlives a link, and has one link
/// at a time. People's words, frames and moments go in; frames and events come out. What the host sends is made
/// printable here, where it comes in, because it may be meant for people's terminals. A guest knows no socket. One
/// thread at a time.
class Guest {
public:
    /// `comes_back`: people whose link was lost are put into their rooms again over the next link.
    Guest(Self self, bool comes_back) : self_(std::move(self)), comes_back_(comes_back) {}

    // What happens, in order, for whoever owns this object.

    /// They are in, and hear the room from here on. `again`: in a room that they had lost.
    struct IsIn {
        PersonId person;
        std::string room;
        bool again;
    };
    /// They are not in; or, `entering` false, what they said was refused.
    struct IsRefused {
        PersonId person;
        std::string why;
        bool entering;
        bool again;
    };
    /// For a newcomer: what was said before they came.
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
    /// The link has gone, and they from their room. `unheard`: so many of their last lines did not come back.
    struct IsDown {
        PersonId person;
        std::size_t unheard;
    };
    using Event = std::variant<IsIn, IsRefused, IsPast, IsSpoken, IsAnswered, IsDown>;
    std::optional<Event> next_event();

    // The link.

    /// There is a connection. `number` is as in Handshake, which may take the time `handshake`.
    void connected(std::uint64_t number, Clock::time_point now, std::chrono::milliseconds handshake);
    /// One frame. The error says why the link is to be closed.
    result<void, Why> receive(std::string_view frame, Clock::time_point now);
    /// False: the host is gone.
    bool time(Clock::time_point now) { return pulse_->time(now, output_); }
    Clock::time_point deadline() const { return pulse_->deadline(); }
    /// The connection has ended. Questions that are open will not be answered.
    void lost();
    std::string take_output() { return std::exchange(output_, {}); }

    /// The host has introduced itself, and people may come.
    bool is_up() const { return handshake_ && handshake_->is_done(); }
    const std::string& peer() const { return handshake_->node(); }

    // The people. Only while up.

    void enter(PersonId person, std::string_view room, std::string_view name);
    /// Where they are not in that room, nothing happens.
    void speak(PersonId person, std::string_view room, std::string_view text);
    void go(PersonId person, std::string_view room, std::string_view why);
    /// Asks about a room, or about all where `room` is empty. Returns the number under which the answer will come.
    /// Everything comes in order, so the answer comes after all that came of what was said before.
    Stay ask(std::string_view room);

    /// They have gone from every room. Also while the link is down.
    void forget(PersonId person);

private:
    struct Visit {
        PersonId person;
        std::string room;
        std::string name;
        bool is_in = false;
        bool again = false;
        std::size_t unheard = 0;  // what they have said that has not come back
    };

    void enter(Visit visit);
    void come_back();
    /// Ends what is kept of a stay.
    Visit take(std::map<Stay, Visit>::iterator visit);
    result<void, Why> handle(const Entered& entered);
    result<void, Why> handle(const Refused& refused);
    result<void, Why> handle(const Past& past);
    result<void, Why> handle(const Spoken& spoken);
    result<void, Why> handle(const Answer& answer);
    result<void, Why> handle(const Ping& ping);
    result<void, Why> handle(const Pong&) { return {}; }
    result<void, Why> handle(const FirstWord auto&) { return because("it introduces itself twice"); }
    result<void, Why> handle(const GuestsWord auto&) { return because("it speaks as if it were our guest"); }

    Self self_;
    bool comes_back_;
    std::optional<Handshake> handshake_;  // of the present link
    std::optional<Pulse> pulse_;
    Stay last_stay_ = 0;
    std::map<Stay, Visit> visits_;
    std::map<std::pair<PersonId, std::string>, Stay> stays_;     // whose, in which room (folded)
    std::map<std::pair<std::string, std::string>, Stay> named_;  // who is in, by room (folded) and name
    std::map<PersonId, Visit> down_;                             // who waits for the host to come back
    std::deque<Event> events_;
    std::string output_;
};

}  // namespace chat::link
