#pragma once

#include "05_chat/engine/backend.hpp"
#include "05_chat/engine/engine.hpp"
#include "app/story.hpp"

#include <exception>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

/// The rooms that this program has, for all its doors. Whatever anybody wants of a room goes to the engine; what the
/// engine orders is applied here, and what comes of it reaches everybody who listens. The loop's thread only.
class RoomService : public Backend, private Replica {
public:
    /// How the text door writes a line, with its end.
    using Encode = void (*)(const Line& line, std::string& out);

    /// `engine` and `backlog` outlive this.
    RoomService(const net::Executor& executor, Engine& engine, const Limits& limits, std::string_view lobby,
                Encode encode, Backlog& backlog);

    /// From now on hears every line of every room.
    void subscribe(std::function<void(std::string_view room, const Line& line)> listener) {
        listeners_.push_back(std::move(listener));
    }

    /// The rooms as a supervisor's child. Lives until a request cannot be applied because something throws, and throws
    /// the same: nobody knows what state a room is in then. Called again, it begins anew: everybody is out, those of
    /// the text door are put back into empty rooms, and `tell_others` tells the other doors, who must let go of theirs.
    net::awaitable<void> live(std::function<void()> tell_others);
    void stop_living();

    /// An id for somebody new, of whatever door.
    PersonId next_person() { return engine_.next_person(); }
    const Rooms& rooms() const override { return rooms_; }

    /// For people of links and nodes. The story tells of their coming and going in the name of `by`. As Engine::submit.
    net::awaitable<Outcome> submit(const Submission& submission, app::Who by);
    /// The same for one of several who leave at once. What throws is told, and the next one can leave.
    net::awaitable<void> let_go(const Submission& leave, app::Who by);

    // For those of the text door, which tells of its own.
    net::awaitable<result<void, Why>> submit(Participant& participant, const Submission& submission) override;
    net::awaitable<result<std::string, Why>> ask(Participant& participant, const Question& question) override;
    void forget(Participant& participant) override;
    bool has_the_rooms() const override { return true; }

private:
    // A person of the text door who is in a room.
    struct Place {
        Participant* participant;
        std::string room;
        std::string name;
        bool is_down = false;  // they were there until go_down(), and are not back
    };
    class Asking;

    // For the engine.
    Outcome apply(Sequence at, const Submission& submission) override;
    void restore(Rooms rooms) override;
    void go_down(std::string_view words) override { take_down(words, true); }
    std::vector<Submission> come_back() override;
    void is_back(const Submission& join, const Outcome& outcome) override;
    void waits(std::string_view words) override;
    void goes_on(std::string_view words) override;

    void take_down(std::string_view words, bool what_they_say_is_kept);
    void tell_line(const std::string& room, const Line& line) const;
    void tell_who_is_there() const;
    net::awaitable<void> take_out(Submission leave);
    void let_in(Participant& participant, const std::string& room, const std::string& name);
    void let_out(PersonId person, std::string_view room);
    net::awaitable<void> begin_anew();
    void tell_all(std::string_view words);

    net::Executor executor_;
    Engine& engine_;
    Rooms rooms_;
    Encode encode_;
    Subscribers subscribers_;  // the people of the text door, by their rooms' folded names
    std::vector<std::function<void(std::string_view, const Line&)>> listeners_;
    std::map<PersonId, Place> participants_;
    std::string text_;            // the line that is appended; kept so that its memory is used again
    std::exception_ptr failure_;  // why live() is to end
    Notify failed_;
    std::function<void()> tell_others_;   // the other doors, that everybody is out
    int downs_ = 0;                       // how often go_down() was called
    std::multiset<Participant*> asking_;  // who waits in submit()
    std::string why_it_waits_;            // words for everybody; empty: it does not
    std::set<PersonId> told_;             // who has been told them
    bool has_lived_ = false;              // before that nothing is told: it comes from before the program's first line
    bool is_stopping_ = false;
};

}  // namespace chat
