#include "05_chat/erlang/room_process.hpp"

#include "05_chat/base/bytes.hpp"
#include "app/text.hpp"

namespace erlang {

namespace {

void put_room_message(std::string& out, const Pid& room, std::string_view text) {
    put_tuple(out, 3);
    put_pid(out, room);
    put_atom(out, "message");
    put_binary(out, text);
}

}  // namespace

void encode_line(const Pid& room, const chat::Line& line, std::string& out) {
    std::string message;
    put_room_message(message, room, chat::words(line));
    chat::put(out, static_cast<std::uint32_t>(message.size()));
    out += message;
}

RoomProcess::RoomProcess(Connection& connection, ProcessTable& processes, Pid room, chat::SharedLog& records,
                         std::uint64_t owner, std::function<chat::PersonId()> next_person)
    : connection_(connection),
      processes_(processes),
      room_(std::move(room)),
      reader_(records, owner),
      next_person_(std::move(next_person)) {}

std::variant<chat::Request, Ignored> RoomProcess::message(std::string_view term) {
    TermReader in(term);
    std::optional<Pid> pid;
    std::optional<std::string> verb;
    std::optional<std::string> text;
    if (in.tuple(3)) pid = in.pid();
    if (pid) verb = in.atom();
    if (verb) text = in.text();
    if (!text || !in.empty() || (verb != "join" && verb != "message")) {
        return Ignored{"a message that the room does not know: " + show(term)};
    }
    if (pid->node != connection_.peer()) {
        return Ignored{"a message in the name of a process of " + app::text::visible(pid->node, max_node_name)};
    }
    const auto known = persons_.find(*pid);
    if (verb == "message") {
        if (known == persons_.end()) return Ignored{"a message of somebody who never joined"};
        return chat::Request(chat::Say{known->second, std::move(*text)});
    }
    if (known != persons_.end()) {
        tell(*pid, chat::reason(chat::Refusal::already_here));
        return Ignored{"a second join of one process"};
    }
    const chat::PersonId person = next_person_();
    persons_.emplace(*pid, person);
    members_.emplace(person, Member{*pid, send_prefix(*pid), {}, 0});
    return chat::Request(chat::Join{person, std::move(*text)});
}

void RoomProcess::outcome(const chat::Request& request, const chat::Outcome& outcome) {
    std::visit([&](const auto& wanted) { hear(wanted, outcome); }, request);
}

void RoomProcess::hear(const chat::Join& request, const chat::Outcome& outcome) {
    const auto found = members_.find(request.person);
    if (found == members_.end()) return;
    Member& member = found->second;
    if (!outcome) {
        tell(member.pid, chat::reason(outcome.error()));
        return forget(request.person);
    }
    member.joined = true;
    member.from = reader_.log().end();
    member.reference = processes_.make_reference();
    references_.emplace(member.reference, request.person);
    connection_.monitor(room_, member.pid, member.reference);
}

void RoomProcess::hear(const chat::Say& request, const chat::Outcome& outcome) {
    if (outcome) return;
    const auto found = members_.find(request.person);
    if (found != members_.end()) tell(found->second.pid, chat::reason(outcome.error()));
}

std::optional<chat::Request> RoomProcess::down(const Down& down) {
    const auto found = references_.find(down.reference);
    if (found == references_.end()) return std::nullopt;
    const chat::PersonId person = found->second;
    forget(person);
    return chat::Leave{person, {}};
}

std::vector<chat::Request> RoomProcess::closed() {
    std::vector<chat::Request> requests;
    for (const auto& [person, member] : members_) requests.push_back(chat::Leave{person, {}});
    members_.clear();
    persons_.clear();
    references_.clear();
    return requests;
}

void RoomProcess::forget(chat::PersonId person) {
    const auto found = members_.find(person);
    references_.erase(found->second.reference);
    persons_.erase(found->second.pid);
    members_.erase(found);
}

void RoomProcess::tell(const Pid& pid, std::string_view text) {
    std::string message;
    put_room_message(message, room_, text);
    connection_.send(pid, message);
}

void RoomProcess::write(std::size_t enough) {
    constexpr std::size_t header = 4;
    while (has_more() && !is_overrun() && connection_.is_up() && connection_.output_size() < enough) {
        const auto at = reader_.position();
        if (sent_to_ == 0) {
            record_.clear();
            reader_.log().copy(at, at + header, record_);
            const std::size_t size = chat::ByteReader(record_).u32();
            record_.clear();
            reader_.log().copy(at + header, at + header + size, record_);
        }
        auto next = members_.upper_bound(sent_to_);
        for (; next != members_.end() && connection_.output_size() < enough; ++next) {
            sent_to_ = next->first;
            if (next->second.joined && next->second.from <= at) {
                connection_.send_prepared(next->second.prefix, record_);
            }
        }
        if (next != members_.end()) return;
        sent_to_ = 0;
        reader_.advance(header + record_.size());
    }
}

}  // namespace erlang
