#include "05_chat/erlang/remote_room.hpp"

#include "05_chat/room/names.hpp"
#include "app/text.hpp"

#include <utility>

namespace erlang {

namespace {

/// Whether a room of ours refuses newcomers for this reason.
constexpr bool refuses_newcomers(chat::Refusal refusal) {
    using enum chat::Refusal;
    switch (refusal) {
        case name_empty:
        case name_too_long:
        case name_not_utf8:
        case name_ill_formed:
        case name_invisible:
        case name_taken:
        case room_full:
        case too_many_rooms:
        case out_of_order:
        case unknown: return true;
        case already_here:
        case not_here:
        case text_too_long:
        case text_not_utf8: return false;
    }
    return false;
}

/// More than there are. A number that is no refusal refuses nobody.
constexpr int refusals = 64;

}  // namespace

RemoteRoom::RemoteRoom(Connection& connection, ProcessTable& processes, std::string_view name)
    : connection_(connection), processes_(processes), name_(name), watcher_(processes.spawn()) {}

RemoteRoom::~RemoteRoom() {
    while (!guests_.empty()) leave(guests_.begin()->first);
    processes_.exit(watcher_);
}

void RemoteRoom::start() {
    reference_ = processes_.make_reference();
    connection_.monitor(watcher_, name_, reference_);
}

void RemoteRoom::ask() {
    // Node.ping's question: {'$gen_call', {Pid, Tag}, {is_auth, Node}}.
    std::string question;
    put_tuple(question, 3);
    put_atom(question, "$gen_call");
    put_tuple(question, 2);
    put_pid(question, watcher_);
    question += reference_;
    put_tuple(question, 2);
    put_atom(question, "is_auth");
    put_atom(question, processes_.identity().name);
    connection_.send(watcher_, "net_kernel", question);
}

bool RemoteRoom::is_there(const Message& message) const {
    TermReader in(message.term);
    return message.to == watcher_ && in.tuple(2) && in.reference() == reference_ && in.atom("yes");
}

void RemoteRoom::join(chat::PersonId person, std::string_view name) {
    const auto [found, is_new] = guests_.try_emplace(person);
    if (!is_new) return;
    const Pid& pid = found->second.pid = processes_.spawn();
    persons_.emplace(pid, person);
    send(pid, "join", name);
}

void RemoteRoom::say(chat::PersonId person, std::string_view text) {
    if (const auto found = guests_.find(person); found != guests_.end()) send(found->second.pid, "message", text);
}

void RemoteRoom::leave(chat::PersonId person) {
    end(person, "normal");
}

std::optional<chat::PersonId> RemoteRoom::exit(const ExitSignal& signal) {
    const auto found = persons_.find(signal.to);
    if (found == persons_.end()) return std::nullopt;
    const chat::PersonId person = found->second;
    // A signal with the reason normal ends no other process (erlang:exit/2).
    TermReader reason(signal.reason);
    const auto word = reason.atom();
    if (word == "normal") return std::nullopt;
    end(person, word.value_or("killed") == "kill" ? "killed" : word.value_or("killed"));
    return person;
}

void RemoteRoom::end(chat::PersonId person, std::string_view reason) {
    const auto found = guests_.find(person);
    if (found == guests_.end()) return;
    const Pid pid = found->second.pid;
    guests_.erase(found);
    persons_.erase(pid);
    processes_.exit(pid);
    std::string term;
    put_atom(term, reason);
    connection_.exited(pid, term);
}

void RemoteRoom::send(const Pid& from, std::string_view verb, std::string_view text) {
    std::string message;
    put_tuple(message, 3);
    put_pid(message, from);
    put_atom(message, verb);
    put_binary(message, text);
    connection_.send(from, name_, message);
}

std::optional<RemoteRoom::Heard> RemoteRoom::message(const Message& message) const {
    const auto found = persons_.find(message.to);
    if (found == persons_.end()) return std::nullopt;
    TermReader in(message.term);
    if (!in.tuple(3)) return std::nullopt;
    const auto room = in.pid();
    if (!room || room->node != connection_.peer() || !in.atom("message")) return std::nullopt;
    const auto text = in.text();
    if (!text || !in.empty() || !app::text::is_utf8(*text)) return std::nullopt;
    return Heard{found->second, chat::without_controls(*text)};
}

bool RemoteRoom::is_refusal(const Heard& heard) const {
    const auto found = guests_.find(heard.person);
    if (found == guests_.end() || found->second.is_in) return false;
    for (int number = 0; number < refusals; ++number) {
        const auto refusal = static_cast<chat::Refusal>(number);
        if (refuses_newcomers(refusal) && chat::reason(refusal) == heard.text) return true;
    }
    return false;
}

std::optional<chat::PersonId> RemoteRoom::monitored(const Pid& process) const {
    const auto found = persons_.find(process);
    if (found == persons_.end()) return std::nullopt;
    return found->second;
}

bool RemoteRoom::let_in(chat::PersonId person) {
    const auto found = guests_.find(person);
    return found != guests_.end() && !std::exchange(found->second.is_in, true);
}

}  // namespace erlang
