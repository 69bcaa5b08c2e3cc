#pragma once

#include "04_supervised/otp/spec.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What goes into a supervisor (events), and what comes out (actions). Plain values; any thread.
namespace otp {

// --- What a supervisor says about its children ----------------------------------------------------------------------

/// What a child is doing at this moment.
enum class ChildState {
    undefined,  // a specification without a process: the child answered ignore, ended for good or was stopped
    starting,   // the start was ordered, the answer is not here yet
    running,
    stopping,    // asked to stop or being killed
    restarting,  // the restart failed, or waits for restart_delay
    exited       // ended, and the supervisor has not got round to it yet
};

/// A line of `--tree`.
struct ChildInfo {
    ChildId id{};
    Pid pid = undefined;  // of a child in the state restarting, the one that it had last
    std::string label;    // what the runtime calls it, e.g. "4711" for an operating system's pid
    ChildType type = ChildType::worker;
    ChildState state = ChildState::undefined;
    unsigned restarts = 0;  // those that restart_child asked for do not count
    Time since{};           // when `state` began
};

struct ChildCounts {
    std::size_t specs = 0, active = 0, supervisors = 0, workers = 0;
    bool operator==(const ChildCounts&) const = default;
};

enum class Context { start_error, child_terminated, shutdown_error, shutdown };

/// The child that a report is about.
struct Offender {
    ChildId id{};
    Pid pid = undefined;
    std::string label{};
    std::size_t nb_children = 0;  // not 0: that many dynamic children at once, instead of one with a pid
    std::string start{};
    Restart restart = Restart::permanent;
    bool significant = false;
    Shutdown shutdown{};
    ChildType type = ChildType::worker;
};

/// One report, as OTP's logger gets it.
struct Report {
    std::string supervisor;
    Context context;
    Reason reason;
    Offender offender;
    std::string note{};        // the arithmetic in words: "2 restarts within 5 s, 1 allowed: giving up". May be empty
    std::size_t restarts = 0;  // how many the window holds, the one that this leads to included
};

/// A static child runs (OTP makes no progress reports about dynamic ones, of which there may be millions).
struct Progress {
    std::string supervisor;
    Offender started;
};

// --- Requests and their answers -------------------------------------------------------------------------------------

struct StartChildRequest {
    ChildSpec spec;  // of a dynamic supervisor only `argument` is looked at: the rest is the template's
};
struct TerminateChildRequest {
    std::variant<ChildId, Pid> child;  // an id; of a dynamic supervisor a pid
};
struct RestartChildRequest {
    ChildId id{};
};
struct DeleteChildRequest {
    ChildId id{};
};
struct WhichChildrenRequest {};
struct CountChildrenRequest {};

/// The runtime's number for a request, given back with its answer.
using RequestId = std::uint64_t;

struct Request {
    using Body = std::variant<StartChildRequest, TerminateChildRequest, RestartChildRequest, DeleteChildRequest,
                              WhichChildrenRequest, CountChildrenRequest>;
    RequestId id = 0;
    Body body;
};

struct RequestError {
    enum class Code {
        not_found,
        running,             // delete_child, restart_child: stop it first
        restarting,          // delete_child, restart_child: the supervisor is restarting it
        already_started,     // start_child: `pid` has the id
        already_present,     // start_child: the specification is there, without a process
        simple_one_for_one,  // a dynamic supervisor does not do this, or not by id
        max_children,
        invalid_spec,  // `detail` says what is wrong with it
        start_failed,  // `detail` is the reason
        noproc         // the supervisor is over
    };
    Code code;
    Pid pid = undefined;
    std::string detail{};
};

/// `pid` is undefined after a start that answered ignore, and where the request starts nothing.
struct Done {
    Pid pid = undefined;
};

using Answer = std::variant<Done, std::vector<ChildInfo>, ChildCounts, RequestError>;

// --- Events: what the runtime tells the supervisor -------------------------------------------------------------------

using TimerId = std::uint64_t;

/// The three answers to the action StartChild.
struct ChildStarted {
    Pid pid;
    std::string label{};
};
struct ChildIgnored {  // the child had nothing to do, which is no error
    Pid pid;
};
struct ChildStartFailed {
    Pid pid;
    Reason reason;
};

/// The child is gone. Where this comes before an answer to the start, it counts as ChildStartFailed.
struct ChildExited {
    Pid pid;
    Reason reason;
};

struct TimerFired {
    TimerId timer;
};

/// The parent, or a person, wants the supervisor to end: Erlang's exit signal from the parent.
struct ExitSignal {
    Reason reason;
};

using Event = std::variant<ChildStarted, ChildIgnored, ChildStartFailed, ChildExited, TimerFired, ExitSignal, Request>;

// --- Actions: what the supervisor wants done, in this order ---------------------------------------------------------

/// Start a child; answer with ChildStarted, ChildIgnored or ChildStartFailed under this pid.
struct StartChild {
    Pid pid;
    ChildSpec spec;
};
/// Ask a child to end (Erlang's exit signal `shutdown`, a SIGTERM, a cancellation). Its end comes as ChildExited.
struct StopChild {
    Pid pid;
};
/// End a child without asking it. Its end comes as ChildExited, with the reason `killed`.
struct KillChild {
    Pid pid;
};
struct ArmTimer {
    TimerId timer;
    Duration after;
};
/// A TimerFired that is under way already will be ignored.
struct DisarmTimer {
    TimerId timer;
};
struct Reply {
    RequestId request;
    Answer answer;
};
/// All children of the start are up: supervisor:start_link returns {ok, Pid}.
struct SupervisorStarted {};
/// The supervisor is over, and none of its children lives. Without a SupervisorStarted before it, the start failed.
struct SupervisorExited {
    Reason reason;
};

using Action = std::variant<StartChild, StopChild, KillChild, ArmTimer, DisarmTimer, Reply, Report, Progress,
                            SupervisorStarted, SupervisorExited>;
using Actions = std::vector<Action>;

// --- In words -------------------------------------------------------------------------------------------------------

std::string_view to_string(Context context);
std::string_view to_string(ChildState state);
std::string_view to_string(RequestError::Code code);
std::string to_string(const Answer& answer);

/// One line, as OTP's logger writes them: `Supervisor: root. Context: child_terminated. Reason: killed. Offender:
/// id=worker-1,pid=4711.`, and after it the note. What came from outside is escaped (app::text::visible).
std::string to_string(const Report& report);
std::string to_string(const Progress& progress);

/// One line of a tree: `worker-1  4711  running  2 restarts  for 3.5 s`.
std::string to_string(const ChildInfo& child, Time now);

}  // namespace otp
