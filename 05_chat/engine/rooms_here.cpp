#include "05_chat/engine/rooms_here.hpp"

#include "app/events.hpp"
#include "app/faults.hpp"

namespace chat {

boost::system::result<Line, Refusal> RoomsHere::apply(std::string_view room, const Request& request,
                                                      const app::Who& by) {
    const bool was_open = std::holds_alternative<Say>(request) || house_.find(room) != nullptr;
    try {
        app::faults::throw_in("room");
        auto result = engine_.submit(room, request);
        if (result) {
            if (!std::holds_alternative<Say>(request)) tell(room, *result, was_open, by);
            subscribers_.append(room, *result);
            for (const auto& listener : listeners_) listener(room, *result);
        }
        return result;
    } catch (...) {
        failure_ = std::current_exception();
        failed_.notify();
        throw;
    }
}

/// Whoever watches the story sees who is where, also of the people whom others bring.
void RoomsHere::tell(std::string_view room, const Line& line, bool was_open, const app::Who& by) const {
    if (!was_open) app::tell({"server"}, app::events::opens_room, room);
    if (!by.role.empty() && line.kind == Line::Kind::joined) {
        app::tell(by, app::events::has_in_room, line.name, room);
    } else if (!by.role.empty()) {
        app::tell(by, app::events::has_no_longer_in_room, line.name, room);
    }
    if (was_open && house_.find(room) == nullptr) app::tell({"server"}, app::events::closes_room, room);
}

net::awaitable<void> RoomsHere::live(std::function<void()> tell_others) {
    if (std::exchange(has_lived_, true)) {
        tell_others();
        begin_anew();
    }
    while (!failure_ && !is_stopping_) co_await failed_.notified();
    if (!is_stopping_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void RoomsHere::stop_living() {
    is_stopping_ = true;
    failed_.notify();
}

void RoomsHere::begin_anew() {
    const auto people = std::exchange(participants_, {});
    const std::string lobby = house_.lobby();
    house_ = House(limits_, lobby);
    for (const auto& [person, place] : people) {
        place.participant->writer->leave();
        place.participant->room_down("The room has crashed and begins anew: what you type is lost.");
    }
    for (const auto& [person, place] : people) {
        const auto result = apply(place.room, Join{person, place.name});
        if (result) enter(*place.participant, place.room, place.name);
        place.participant->rejoined(result ? std::string_view() : reason(result.error()));
    }
}

void RoomsHere::enter(Participant& participant, const std::string& room, const std::string& name) {
    subscribers_.enter(*participant.writer, room);
    participants_.insert_or_assign(participant.id, Place{&participant, room, name});
}

std::string RoomsHere::answer(const Question& question) const {
    if (question.about == Question::About::rooms) return rooms(house_);
    const Room* room = house_.find(question.room);
    return room == nullptr ? "There is no such room." : who(*room);
}

net::awaitable<std::string> RoomsHere::submit(Participant& participant, const Submission& submission) {
    Writer& writer = *participant.writer;
    // Nobody hears of their own leaving.
    if (std::holds_alternative<Leave>(submission.request)) {
        subscribers_.leave(writer, submission.room);
        const auto place = participants_.find(participant.id);
        if (place != participants_.end() && folded(place->second.room) == folded(submission.room))
            participants_.erase(place);
    }
    const auto result = apply(submission.room, submission.request);
    if (!result) co_return std::string(reason(result.error()));
    if (const auto* join = std::get_if<Join>(&submission.request)) {
        std::string history;
        for (const Line& line : house_.find(submission.room)->history()) encode_text(line, history);
        writer.add(history);
        enter(participant, submission.room, join->name);
    }
    co_return std::string();
}

net::awaitable<std::string> RoomsHere::ask(Participant&, const Question& question) {
    co_return answer(question);
}

}  // namespace chat
