#include "05_chat/engine/room_service.hpp"

#include "app/events.hpp"
#include "app/faults.hpp"

#include <utility>

namespace chat {

RoomService::RoomService(const net::Executor& executor, Engine& engine, const Limits& limits, std::string_view lobby,
                         Encode encode, Backlog& backlog)
    : engine_(engine), rooms_(limits, lobby), encode_(encode), subscribers_(executor, backlog), failed_(executor) {
    engine_.apply_with([this](Sequence at, const Submission& submission) { return apply(at, submission); });
}

// ---- what is wanted -------------------------------------------------------------------------------------------------

net::awaitable<result<void, Why>> RoomService::submit(Participant& participant, const Submission& submission) {
    const int life = lives_;
    const auto line = co_await engine_.submit(submission);
    if (!line) co_return because(reason(line.error()));
    if (line->kind == Line::Kind::joined) {
        if (life != lives_ && participants_.contains(participant.id)) {  // begin_anew() puts them where they were
            const Submission leave{submission.room, Leave{participant.id, {}}};
            co_await engine_.submit(leave);
            co_return because("the rooms have begun anew meanwhile");
        }
        std::string history;
        for (const Line& said : rooms_.find(submission.room)->history()) encode_(said, history);
        participant.writer->add(history);
        let_in(participant, submission.room, line->name);
    }
    co_return result<void, Why>();
}

/// The story tells who is where, also of the people whom links and nodes bring.
net::awaitable<Outcome> RoomService::submit(const Submission& submission, app::Who by) {
    auto line = co_await engine_.submit(submission);
    if (line && line->kind == Line::Kind::joined) {
        app::tell(by, app::events::has_in_room, line->name, submission.room);
    } else if (line && line->kind == Line::Kind::left) {
        app::tell(by, app::events::has_no_longer_in_room, line->name, submission.room);
    }
    co_return line;
}

net::awaitable<void> RoomService::let_go(const Submission& leave, app::Who by) {
    try {
        co_await submit(leave, by);
    } catch (...) {
        app::tell_crash(by, std::current_exception());
    }
}

net::awaitable<result<std::string, Why>> RoomService::ask(Participant&, const Question& question) {
    co_return answer(rooms_, question);
}

void RoomService::forget(Participant& participant) {
    participant.writer->leave();
    participants_.erase(participant.id);
}

// ---- what happens ---------------------------------------------------------------------------------------------------

/// For each request that the engine has ordered, whoever submitted it.
Outcome RoomService::apply(Sequence at, const Submission& submission) {
    const std::string& room = submission.room;
    try {
        app::faults::throw_in("room");
        const bool is_say = std::holds_alternative<Say>(submission.request);
        const bool was_open = is_say || rooms_.find(room) != nullptr;
        auto line = rooms_.apply(at, submission);
        if (!line) return line;
        if (!was_open) app::tell({"server"}, app::events::opens_room, room);
        if (line->kind == Line::Kind::left) let_out(line->person, room);  // nobody hears of their own leaving
        text_.clear();
        encode_(*line, text_);
        subscribers_.append(folded(room), text_);
        for (const auto& listener : listeners_) listener(room, *line);
        if (!is_say && rooms_.find(room) == nullptr) app::tell({"server"}, app::events::closes_room, room);
        return line;
    } catch (...) {
        failure_ = std::current_exception();
        failed_.notify();
        throw;
    }
}

void RoomService::let_in(Participant& participant, const std::string& room, const std::string& name) {
    subscribers_.enter(*participant.writer, folded(room));
    participants_.insert_or_assign(participant.id, Place{&participant, room, name});
}

void RoomService::let_out(PersonId person, std::string_view room) {
    const auto place = participants_.find(person);
    if (place == participants_.end()) return;
    subscribers_.leave(*place->second.participant->writer, folded(room));
    if (folded(place->second.room) == folded(room)) participants_.erase(place);  // else they have come into another
}

// ---- as a service ---------------------------------------------------------------------------------------------------

net::awaitable<void> RoomService::live(std::function<void()> tell_others) {
    failure_ = nullptr;  // that of the life before; also where beginning anew has failed
    if (lives_++ > 0) {
        tell_others();
        co_await begin_anew();
    }
    while (!failure_ && !is_stopping_) co_await failed_.notified();
    if (!is_stopping_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void RoomService::stop_living() {
    is_stopping_ = true;
    failed_.notify();
}

net::awaitable<void> RoomService::begin_anew() {
    rooms_.begin_anew();
    const auto people = participants_;
    for (const auto& [person, place] : people) {
        place.participant->writer->leave();
        place.participant->room_down("The room has crashed and begins anew: what you type is lost.");
    }
    for (const auto& [person, place] : people) {
        if (!participants_.contains(person)) continue;  // they have gone meanwhile
        const Submission join{place.room, Join{person, place.name}};
        const Submission leave{place.room, Leave{person, {}}};
        const auto line = co_await engine_.submit(join);
        if (!participants_.contains(person)) {
            if (line) co_await engine_.submit(leave);
        } else if (line) {
            let_in(*place.participant, place.room, place.name);
            place.participant->rejoined({});
        } else {
            participants_.erase(person);
            place.participant->rejoined(because(reason(line.error())));
        }
    }
}

}  // namespace chat
