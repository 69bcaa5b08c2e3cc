#include "05_chat/rooms_here.hpp"

namespace chat {

boost::system::result<Line, Refusal> RoomsHere::apply(std::string_view room, const Request& request) {
    auto result = engine_.submit(room, request);
    if (result) {
        audiences_.append(room, *result);
        for (const auto& listener : listeners_) listener(room, *result);
    }
    return result;
}

std::string RoomsHere::answer(const Question& question) const {
    if (question.about == Question::About::rooms) return rooms(house_);
    const Room* room = house_.find(question.room);
    return room == nullptr ? "There is no such room." : who(*room);
}

net::awaitable<std::string> RoomsHere::submit(Visitor& visitor, const Submission& submission) {
    Wire& wire = *visitor.wire;
    // Nobody hears of his own leaving.
    if (std::holds_alternative<Leave>(submission.request)) audiences_.leave(wire, submission.room);
    const auto result = apply(submission.room, submission.request);
    if (!result) co_return std::string(reason(result.error()));
    if (std::holds_alternative<Join>(submission.request)) {
        std::string history;
        for (const Line& line : house_.find(submission.room)->history()) encode_text(line, history);
        wire.add(history);
        audiences_.enter(wire, submission.room);
    }
    co_return std::string();
}

net::awaitable<std::string> RoomsHere::ask(Visitor&, const Question& question) {
    co_return answer(question);
}

}  // namespace chat
