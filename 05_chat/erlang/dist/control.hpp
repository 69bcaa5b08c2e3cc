#pragma once

#include "05_chat/erlang/dist/term.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// What connected Erlang nodes say to each other: control messages (erts' "Distribution Protocol", section Protocol
/// between Connected Nodes). A frame is four bytes of length, the byte 'p', a control term, and for the sends a message
/// term. A frame of length 0 is a tick: "I am still here". Pure; any thread.
namespace erlang {

/// A process of ours, named by its pid or by the name it is registered under.
using Target = std::variant<Pid, std::string>;

// In a Control, terms and references are views into the frame it was read from.

struct SendToName {
    Pid from;
    std::string name;
    std::string_view message;
};
struct SendToPid {
    Pid to;
    std::string_view message;
};
struct Link {
    Pid from;
    Pid to;
};
struct Unlink {
    std::string_view id;  // sent back in the answer
    Pid from;
    Pid to;
};
struct Monitor {
    Pid from;
    Target target;
    std::string_view reference;
};
struct Demonitor {
    Pid from;
    std::string_view reference;
};
/// Somebody we monitor has ended.
struct MonitorExit {
    Pid to;
    std::string_view reference;
    std::string_view reason;
};
/// A linked process has ended, or somebody called exit(pid, reason).
struct Exit {
    Pid from;
    Pid to;
    std::string_view reason;
};
/// Well-formed, and nothing to us.
struct Other {
    std::int64_t operation;
};

using Control = std::variant<SendToName, SendToPid, Link, Unlink, Monitor, Demonitor, MonitorExit, Exit, Other>;

/// The control message of one frame (without its length, not empty). Nothing where the frame is ill-formed. The
/// message of a send is *not* looked into: it is whatever its receiver makes of it.
std::optional<Control> read_control(std::string_view frame);

// Each appends one whole frame to `out`. `message` and `reason` are terms without the version byte; `reference` is one
// that came, or one of ProcessTable::make_reference.

void put_send(std::string& out, const Pid& from, std::string_view name, std::string_view message);
void put_send(std::string& out, const Pid& to, std::string_view message);
void put_monitor(std::string& out, const Pid& from, const Target& target, std::string_view reference);
void put_demonitor(std::string& out, const Pid& from, const Target& target, std::string_view reference);
void put_monitor_exit(std::string& out, const Target& from, const Pid& to, std::string_view reference,
                      std::string_view reason);
void put_exit(std::string& out, const Pid& from, const Pid& to, std::string_view reason);
void put_unlink_answer(std::string& out, std::string_view id, const Pid& from, const Pid& to);

/// What comes before the message in put_send(out, to, message), without the length: the same for everything that is
/// sent to `to`, so a room makes it once.
std::string send_prefix(const Pid& to);

}  // namespace erlang
