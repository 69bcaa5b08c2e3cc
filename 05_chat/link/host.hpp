#pragma once

#include "05_chat/base/node_pace.hpp"
#include "05_chat/link/handshake.hpp"
#include "05_chat/link/pulse.hpp"
#include "05_chat/room/listing.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chat::link {

/// What the host of the rooms keeps for one link: who is behind it, and what they want. Frames and moments go in;
/// frames come out, and what is to be asked of the engine. A host knows no socket. One thread at a time.
class Host {
public:
    /// `next_person` gives an id that nobody had before. There are at most `max_people` stays at a time. `number` is as
    /// in Handshake, which may take the time `handshake`.
    Host(Self self, std::function<PersonId()> next_person, std::size_t max_people, std::uint64_t number,
         Clock::time_point now, std::chrono::milliseconds handshake);

    /// What a frame asks for. What comes of it is given to outcome() or answer() before the next frame.
    struct Wanted {
        Stay stay;
        Submission submission;
    };
    struct Asked {
        Stay stay;
        Question question;
    };
    using Todo = std::variant<std::monostate, Wanted, Asked>;

    /// One frame. The error says why the link is to be closed.
    result<Todo, Why> receive(std::string_view frame, Clock::time_point now);
    void outcome(const Wanted& wanted, const result<Line, Refusal>& result, std::span<const Line> history = {});
    void answer(const Asked& asked, std::string text);
    /// False: the peer is gone.
    bool time(Clock::time_point now) { return pulse_.time(now, output_); }
    Clock::time_point deadline() const { return pulse_.deadline(); }

    /// Frames for this link alone, to be sent after everything that is in the rooms' log now.
    std::string take_output() { return std::exchange(output_, {}); }
    /// The link has ended: the Leave of everybody behind it.
    std::vector<Submission> closed();

    /// The guest has introduced itself. peer() is what it calls itself, life() which run of it this is.
    bool is_up() const { return handshake_.is_done(); }
    const std::string& peer() const { return handshake_.node(); }
    std::uint64_t life() const { return handshake_.life(); }
    std::size_t people() const { return stays_.size(); }
    /// The guest is read as fast as so many people.
    std::size_t pace(Clock::time_point now) { return pace_.of(stays_.size(), now); }

private:
    struct Where {
        PersonId person;
        std::string room;
    };

    result<Todo, Why> handle(const Enter& enter);
    result<Todo, Why> handle(const Speak& speak);
    result<Todo, Why> handle(const Go& go);
    result<Todo, Why> handle(const Ask& ask);
    result<Todo, Why> handle(const Ping& ping);
    result<Todo, Why> handle(const Pong&) { return Todo(); }
    result<Todo, Why> handle(const FirstWord auto&) { return because("it introduces itself twice"); }
    result<Todo, Why> handle(const HostsWord auto&) { return because("it speaks as if the rooms were its own"); }

    Handshake handshake_;
    std::function<PersonId()> next_person_;
    std::size_t max_people_;
    Pulse pulse_;
    std::map<Stay, Where> stays_;
    NodePace pace_;
    Clock::time_point now_;  // of the frame in hand
    std::string output_;
};

}  // namespace chat::link
