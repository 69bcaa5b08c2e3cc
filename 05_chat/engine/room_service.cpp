#include "05_chat/engine/room_service.hpp"

#include "app/events.hpp"
#include "app/faults.hpp"

#include <boost/asio/co_spawn.hpp>

#include <array>
#include <utility>

namespace chat {

namespace {

/// People whom a program that reads the story is told of when it could not hear them come.
constexpr std::size_t most_told_at_once = 1000;

}  // namespace

RoomService::RoomService(const net::Executor& executor, Engine& engine, const Limits& limits, std::string_view lobby,
                         Encode encode, Backlog& backlog)
    : executor_(executor),
      engine_(engine),
      rooms_(limits, lobby),
      encode_(encode),
      subscribers_(executor, backlog),
      failed_(executor) {
    engine_.serve(*this);
}

/// Somebody of the text door who has submitted something, as long as they wait for what comes of it.
class RoomService::Asking {
public:
    Asking(std::multiset<Participant*>& all, Participant& participant) : all_(all), place_(all.insert(&participant)) {}
    ~Asking() { all_.erase(place_); }
    Asking(const Asking&) = delete;
    Asking& operator=(const Asking&) = delete;

private:
    std::multiset<Participant*>& all_;
    std::multiset<Participant*>::iterator place_;
};

// ---- what is wanted -------------------------------------------------------------------------------------------------

net::awaitable<result<void, Why>> RoomService::submit(Participant& participant, const Submission& submission) {
    const int downs = downs_;
    const bool was_in_a_room = participants_.contains(participant.id);
    const Asking asking(asking_, participant);
    if (!why_it_waits_.empty() && told_.insert(participant.id).second) participant.tell(why_it_waits_);
    const auto line = co_await engine_.submit(submission);
    if (!line) co_return because(reason(line.error()));
    if (line->kind == Line::Kind::joined) {
        // They have been put back to where they were, or have been told that they are out.
        if (downs != downs_ && was_in_a_room) {
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

net::awaitable<void> RoomService::take_out(Submission leave) {
    co_await engine_.submit(leave);
}

net::awaitable<result<std::string, Why>> RoomService::ask(Participant&, const Question& question) {
    co_return answer(rooms_, question);
}

void RoomService::forget(Participant& participant) {
    participant.writer->leave();
    participants_.erase(participant.id);
    told_.erase(participant.id);
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
        if (!was_open && has_lived_) app::tell({"server"}, app::events::opens_room, room);
        if (line->kind == Line::Kind::left) let_out(line->person, room);  // nobody hears of their own leaving
        text_.clear();
        encode_(*line, text_);
        subscribers_.append(folded(room), text_);
        for (const auto& listener : listeners_) listener(room, *line);
        tell_line(room, *line);
        const bool is_closed = !is_say && rooms_.find(room) == nullptr;
        if (is_closed && has_lived_) app::tell({"server"}, app::events::closes_room, room);
        return line;
    } catch (...) {
        failure_ = std::current_exception();
        failed_.notify();
        throw;
    }
}

void RoomService::tell_line(const std::string& room, const Line& line) const {
    if (!has_lived_ || !app::story::tells_details()) return;
    constexpr std::array kinds{"", "joined", "said", "left"};
    app::tell_detail({"server"}, app::events::room_line, room, kinds.at(static_cast<std::size_t>(line.kind)), line.name,
                     line.sequence, line.text);
}

/// The rooms are others from here on: empty, or those of a snapshot, in which people have been for long.
void RoomService::tell_who_is_there() const {
    if (!app::story::tells_details()) return;
    app::tell_detail({"server"}, app::events::rooms_begin_anew, rooms_.last());
    std::size_t told = 0;
    for (const auto& [key, named] : rooms_.all()) {
        for (const auto& [person, name] : named.room.people()) {
            if (++told > most_told_at_once) return;
            app::tell_detail({"server"}, app::events::finds_in_room, name, named.name, engine_.home_of(person),
                             rooms_.last());
        }
    }
}

void RoomService::let_in(Participant& participant, const std::string& room, const std::string& name) {
    subscribers_.enter(*participant.writer, folded(room));
    participants_.insert_or_assign(participant.id, Place{&participant, room, name});
}

void RoomService::let_out(PersonId person, std::string_view room) {
    const auto place = participants_.find(person);
    if (place == participants_.end() || place->second.is_down) return;
    subscribers_.leave(*place->second.participant->writer, folded(room));
    if (folded(place->second.room) == folded(room)) participants_.erase(place);  // else they have come into another
}

// ---- as a service ---------------------------------------------------------------------------------------------------

net::awaitable<void> RoomService::live(std::function<void()> tell_others) {
    failure_ = nullptr;  // that of the life before; also where beginning anew has failed
    tell_others_ = std::move(tell_others);
    if (std::exchange(has_lived_, true)) {
        co_await begin_anew();
    } else {
        tell_who_is_there();
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
    tell_who_is_there();
    take_down("The room has crashed and begins anew: what you type is lost.", false);
    for (const Submission& join : come_back()) is_back(join, co_await engine_.submit(join));
}

// ---- what the engine says -------------------------------------------------------------------------------------------

void RoomService::restore(Rooms rooms) {
    rooms_ = std::move(rooms);
    if (has_lived_) tell_who_is_there();
}

void RoomService::take_down(std::string_view words, bool what_they_say_is_kept) {
    ++downs_;
    if (tell_others_) tell_others_();
    for (auto& [person, place] : participants_) {
        place.is_down = true;
        place.participant->writer->leave();
        place.participant->room_down(words, what_they_say_is_kept);
    }
}

std::vector<Submission> RoomService::come_back() {
    std::vector<Submission> joins;
    for (const auto& [person, place] : participants_) {
        if (place.is_down) joins.push_back({place.room, Join{person, place.name}});
    }
    return joins;
}

void RoomService::is_back(const Submission& join, const Outcome& outcome) {
    const PersonId person = std::get<Join>(join.request).person;
    const auto place = participants_.find(person);
    if (place == participants_.end()) {
        // They have gone meanwhile. When they went they were in no room; so nobody else takes them out of this one.
        if (outcome) {
            boost::asio::co_spawn(executor_, take_out({join.room, Leave{person, {}}}),
                                  [](const std::exception_ptr& crash) { app::tell_crash({"server"}, crash); });
        }
        return;
    }
    Participant& participant = *place->second.participant;
    if (outcome) {
        let_in(participant, join.room, outcome->name);
        participant.rejoined({});
    } else {
        participants_.erase(place);
        participant.rejoined(because(reason(outcome.error())));
    }
}

void RoomService::waits(std::string_view words) {
    why_it_waits_ = words;
    told_.clear();
    tell_all(words);
}

void RoomService::goes_on(std::string_view words) {
    why_it_waits_.clear();
    tell_all(words);
}

void RoomService::tell_all(std::string_view words) {
    std::set<Participant*> all(asking_.begin(), asking_.end());
    for (const auto& [person, place] : participants_) all.insert(place.participant);
    for (Participant* participant : all) {
        told_.insert(participant->id);
        participant->tell(words);
    }
}

}  // namespace chat
