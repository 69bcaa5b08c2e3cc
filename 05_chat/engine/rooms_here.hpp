#pragma once

#include "05_chat/room/rooms.hpp"
#include "05_chat/text/backend.hpp"
#include "app/story.hpp"

#include <exception>
#include <functional>
#include <map>
#include <vector>

namespace chat {

/// The rooms that this program runs, for all its doors: every request goes through apply(), and what comes of it
/// reaches everybody who listens. One thread: the order of a room is the order in which its requests come here, and a
/// lock would have to give the same.
class RoomsHere : public Backend {
public:
    RoomsHere(const net::Executor& executor, const Limits& limits, std::string_view lobby, Backlog& backlog)
        : limits_(limits), house_(limits, lobby), engine_(house_), subscribers_(executor, backlog), failed_(executor) {}

    /// From now on hears every line of every room.
    void subscribe(std::function<void(std::string_view room, const Line& line)> listener) {
        listeners_.push_back(std::move(listener));
    }

    /// The rooms as a supervisor's child. Lives until apply() throws, and throws the same: nobody knows what state a
    /// room is in then. Called again, it begins anew: everybody is out, those of the text door are put back into empty
    /// rooms, and `tell_others` tells the other doors, who must let go of theirs.
    net::awaitable<void> live(std::function<void()> tell_others);
    void stop_living();

    /// An id for somebody new, of whatever door.
    PersonId next_person() { return ++last_person_; }

    /// An exception goes to whoever asked, and to live(). `by`: the link or node whose person it is, which tells of
    /// those who come and go; the text door tells of its own.
    boost::system::result<Line, Refusal> apply(std::string_view room, const Request& request, const app::Who& by = {});
    /// What /who and /rooms answer.
    std::string answer(const Question& question) const;
    const House& house() const { return house_; }
    bool has_the_rooms() const override { return true; }

    net::awaitable<std::string> submit(Participant& participant, const Submission& submission) override;
    net::awaitable<std::string> ask(Participant& participant, const Question& question) override;
    void forget(Participant& participant) override {
        participant.writer->leave();
        participants_.erase(participant.id);
    }

private:
    // A person of the text door who is in a room.
    struct Place {
        Participant* participant;
        std::string room;
        std::string name;
    };
    void enter(Participant& participant, const std::string& room, const std::string& name);
    void begin_anew();
    void tell(std::string_view room, const Line& line, bool was_open, const app::Who& by) const;

    Limits limits_;
    House house_;
    LocalEngine engine_;
    SubscribersByRoom subscribers_;
    std::vector<std::function<void(std::string_view, const Line&)>> listeners_;
    PersonId last_person_ = 0;
    std::map<PersonId, Place> participants_;
    std::exception_ptr failure_;  // why live() is to end
    Notify failed_;
    bool has_lived_ = false;
    bool is_stopping_ = false;
};

}  // namespace chat
