#pragma once

#include "05_chat/erlang/dist/connection.hpp"
#include "05_chat/room/room.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace erlang {

/// A room that another Erlang node runs, as our people are in it. The node is ours, or one in Elixir. Each of our
/// people has a process, which does what the original's client does. None of the original's messages says whether a
/// Join went well. But a room of ours monitors whoever it lets in, and says to others why not. A room in Elixir may
/// monitor, too. Where it does not, whoever is spoken to is in. Pure; one thread at a time.
class RemoteRoom {
public:
    /// The room is the process that the connection's node has registered under `name`. Connection and processes must
    /// outlive this.
    RemoteRoom(Connection& connection, ProcessTable& processes, std::string_view name);
    /// Our people's processes end with it.
    ~RemoteRoom();
    RemoteRoom(const RemoteRoom&) = delete;
    RemoteRoom& operator=(const RemoteRoom&) = delete;

    /// Monitors the room; once, when the connection is up.
    void start();
    /// After start(). Asks the room's node something that every node answers.
    void ask();
    /// Whether this is the answer. Then the room is there: a Down that says that there is none would have come before.
    bool is_there(const Message& message) const;
    void join(chat::PersonId person, std::string_view name);
    void say(chat::PersonId person, std::string_view text);
    /// Their process ends, normally. A room that monitors it is told.
    void leave(chat::PersonId person);

    struct Heard {
        chat::PersonId person;
        std::string text;  // well-formed UTF-8 without control characters
    };
    /// What the room says to one of our people with this message. Nothing where it says nothing to one of them.
    std::optional<Heard> message(const Message& message) const;
    /// Whether a room of ours says here that it does not let this person in, and why. They may leave, and join again.
    bool is_refusal(const Heard& heard) const;
    /// The room monitors this process. Returns whose it is, if it is one of our people's.
    std::optional<chat::PersonId> monitored(const Pid& process) const;
    /// They are in, as far as we can know. Returns whether that is news.
    bool let_in(chat::PersonId person);
    /// This says that the room has ended, or (reason noproc) that there is none.
    bool is_down(const Down& down) const { return !reference_.empty() && down.reference == reference_; }
    /// The room, or somebody else there, has ended a process of ours. Returns the person who is out now.
    std::optional<chat::PersonId> exit(const ExitSignal& signal);

private:
    void end(chat::PersonId person, std::string_view reason);
    void send(const Pid& from, std::string_view verb, std::string_view text);

    Connection& connection_;
    ProcessTable& processes_;
    std::string name_;
    Pid watcher_;            // the process of ours that monitors the room
    std::string reference_;  // under which it does; empty before start()
    struct Guest {
        Pid pid;
        bool is_in = false;
    };
    std::map<chat::PersonId, Guest> guests_;
    std::map<Pid, chat::PersonId> persons_;
};

}  // namespace erlang
