#pragma once

#include "05_chat/erlang/dist/connection.hpp"
#include "05_chat/fanout/shared_log.hpp"
#include "05_chat/room/room.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace erlang {

/// The Erlang dialect: the line as `{room, :message, "Michael says: Hello!"}`, a record with four bytes of length.
void encode_line(const Pid& room, const chat::Line& line, std::string& out);

/// So many bytes of output suffice until the node has read some. The message that passes this, and what is said besides
/// to single people, must not be more than `max_output` in all (Bounds).
constexpr std::size_t enough_output(std::size_t max_output) {
    return std::min<std::size_t>(64 * 1024, max_output / 4);
}

/// One of our rooms, as the processes of *one* connected node see it. They join with `{pid, :join, name}`, speak with
/// `{pid, :message, text}`, and get `{room, :message, text}` for every line. The room monitors each member, as a room
/// in Elixir would: a process that ends has left. There are only the original's messages. A name that is refused is
/// answered with one that says so.
///
/// Lines come from a log of records that all connected nodes share (encode_line). The protocol needs a frame for each
/// member and line. The message in it is encoded once. Pure; one thread at a time.
class RoomProcess {
public:
    /// `next_person` gives an id that nobody had before. All references must outlive this.
    RoomProcess(Connection& connection, ProcessTable& processes, Pid room, chat::SharedLog& records,
                std::uint64_t owner, std::function<chat::PersonId()> next_person);

    /// What a message to the room asks of the engine. What comes of it is given to outcome(). Or why it asks nothing.
    std::variant<chat::Request, Ignored> message(std::string_view term);
    /// A process has ended. Returns its Leave, if it was a member.
    std::optional<chat::Request> down(const Down& down);
    /// The connection has ended. Returns the Leave of everybody whom it brought.
    std::vector<chat::Request> closed();
    /// What came of a request. After a Join, the records from here on are the newcomer's.
    void outcome(const chat::Request& request, const chat::Outcome& outcome);

    /// There are records that have not been sent to all members.
    bool has_more() const { return reader_.behind() > 0; }
    /// Bytes of them.
    std::size_t behind() const { return reader_.behind(); }
    /// The node reads too slowly, and records are gone. The connection is to be closed.
    bool is_overrun() const { return reader_.is_overrun(); }
    /// Moves records into the connection's output until that holds `enough` bytes, or no record is left. Call it when
    /// the output has been sent. So a slow node keeps its place in the log, and nothing is copied for it before its
    /// time.
    void write(std::size_t enough);

    std::size_t people() const { return members_.size(); }

private:
    struct Member {
        Pid pid;
        std::string prefix;     // send_prefix(pid)
        std::string reference;  // under which we monitor them
        chat::SharedLog::Position from;
        bool joined = false;  // false: their Join is on its way to the engine
    };

    void hear(const chat::Join& request, const chat::Outcome& outcome);
    void hear(const chat::Say& request, const chat::Outcome& outcome);
    void hear(const chat::Leave&, const chat::Outcome&) {}
    void forget(chat::PersonId person);
    void tell(const Pid& pid, std::string_view text);

    Connection& connection_;
    ProcessTable& processes_;
    Pid room_;
    chat::SharedLog::Reader reader_;
    std::function<chat::PersonId()> next_person_;
    std::map<chat::PersonId, Member> members_;
    std::map<Pid, chat::PersonId> persons_;
    std::map<std::string, chat::PersonId, std::less<>> references_;
    chat::PersonId sent_to_ = 0;  // the last who got the record the reader stands at; 0: nobody yet
    std::string record_;          // that record; kept so that its memory is used again
};

}  // namespace erlang
