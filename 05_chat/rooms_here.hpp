#pragma once

#include "05_chat/house.hpp"
#include "05_chat/venue.hpp"

#include <functional>
#include <vector>

namespace chat {

/// The rooms that this program runs, for all its doors: every request goes through apply(), and what comes of it
/// reaches everybody who listens. One thread: the order of a room is the order in which its requests come here, and a
/// lock would have to give the same.
class RoomsHere : public Venue {
public:
    RoomsHere(net::Executor executor, const Limits& limits, std::size_t max_backlog, std::string_view lobby)
        : house_(limits, lobby), engine_(house_), audiences_(executor, max_backlog) {}

    /// From now on hears every line of every room.
    void subscribe(std::function<void(std::string_view room, const Line& line)> listener) {
        listeners_.push_back(std::move(listener));
    }

    /// An id for somebody new, of whatever door.
    PersonId next_person() { return ++last_person_; }

    boost::system::result<Line, Refusal> apply(std::string_view room, const Request& request);
    /// What /who and /rooms answer.
    std::string answer(const Question& question) const;
    const House& house() const { return house_; }

    net::awaitable<std::string> submit(Visitor& visitor, const Submission& submission) override;
    net::awaitable<std::string> ask(Visitor& visitor, const Question& question) override;
    void forget(Visitor& visitor) override { visitor.wire->leave(); }

private:
    House house_;
    LocalEngine engine_;
    Audiences audiences_;
    std::vector<std::function<void(std::string_view, const Line&)>> listeners_;
    PersonId last_person_ = 0;
};

}  // namespace chat
