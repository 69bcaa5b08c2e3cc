#include "05_chat/link/host.hpp"

#include <utility>

namespace chat::link {

Host::Host(Self self, std::function<PersonId()> next_person, std::size_t max_people, std::uint64_t number,
           Clock::time_point now, std::chrono::milliseconds handshake)
    : handshake_(std::move(self), Handshake::Side::host, number),
      next_person_(std::move(next_person)),
      max_people_(max_people),
      pulse_(now, handshake),
      now_(now) {
    handshake_.begin(output_);
}

result<Host::Todo, Why> Host::receive(std::string_view frame, Clock::time_point now) {
    const auto message = decode(frame);
    if (!message) return because(reason(message.error()));
    now_ = now;
    if (!is_up()) {
        if (const auto known = handshake_.receive(*message, output_); !known) return known.error();
        if (is_up()) pulse_.beat(now);
        return Todo();
    }
    pulse_.beat(now);
    return std::visit([this](const auto& word) { return handle(word); }, *message);
}

result<Host::Todo, Why> Host::handle(const Enter& enter) {
    if (stays_.contains(enter.stay)) return because("it uses a number twice");
    if (stays_.size() >= max_people_) {
        encode(Refused{enter.stay, "your node has as many people here as it may"}, output_);
        return Todo();
    }
    pace_.came(now_);
    const auto stay = stays_.try_emplace(enter.stay).first;
    stay->second = {next_person_(), enter.room};
    return Todo(Wanted{enter.stay, {enter.room, Join{stay->second.person, enter.name}}});
}

result<Host::Todo, Why> Host::handle(const Speak& speak) {
    const auto stay = stays_.find(speak.stay);
    if (stay == stays_.end()) return Todo();
    return Todo(Wanted{speak.stay, {stay->second.room, Say{stay->second.person, speak.text}}});
}

result<Host::Todo, Why> Host::handle(const Go& go) {
    const auto stay = stays_.extract(go.stay);
    if (stay.empty()) return Todo();
    return Todo(Wanted{go.stay, {stay.mapped().room, Leave{stay.mapped().person, go.why}}});
}

result<Host::Todo, Why> Host::handle(const Ask& ask) {
    const auto about = ask.room.empty() ? Question::About::rooms : Question::About::people;
    return Todo(Asked{ask.stay, {about, ask.room}});
}

result<Host::Todo, Why> Host::handle(const Ping& ping) {
    encode(Pong{ping.number}, output_);
    return Todo();
}

void Host::outcome(const Wanted& wanted, const result<Line, Refusal>& result, std::span<const Line> history) {
    const bool entering = std::holds_alternative<Join>(wanted.submission.request);
    if (!result) {
        if (entering) stays_.erase(wanted.stay);
        if (!std::holds_alternative<Leave>(wanted.submission.request)) {
            encode(Refused{wanted.stay, std::string(reason(result.error()))}, output_);
        }
    } else if (entering) {
        for (const Line& line : history) encode(Past{wanted.stay, line.kind, line.name, line.text}, output_);
        encode(Entered{wanted.stay, result->sequence}, output_);
    }
}

void Host::answer(const Asked& asked, std::string text) {
    encode(Answer{asked.stay, std::move(text)}, output_);
}

std::vector<Submission> Host::closed() {
    std::vector<Submission> farewells;
    for (const auto& [stay, where] : std::exchange(stays_, {})) {
        farewells.push_back({where.room, Leave{where.person, "node down"}});
    }
    return farewells;
}

}  // namespace chat::link
