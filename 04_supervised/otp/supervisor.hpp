#pragma once

#include "04_supervised/otp/messages.hpp"
#include "04_supervised/otp/restart_window.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace supervision {

/// An OTP supervisor as a pure state machine: events in, actions out; no thread, no clock, no process of its own.
///
/// The driver calls `start` once, carries out the actions in their order, and tells the supervisor with `handle` what
/// became of them. It must answer every StartChild, and report the end of every child that it started, whoever ended
/// it. It gives up nothing by calling late: only `now` counts.
///
/// Like a gen_server the supervisor does one thing at a time. While a child is starting or stopping, whatever else
/// comes in waits in its mailbox, in order of arrival; and a restart that failed is tried again by a message that the
/// supervisor puts into its own mailbox, behind the requests that wait there already, so that terminate_child or the
/// parent's exit signal get through even when a child can never start.
///
/// Not thread-safe: one thread, or one strand, at a time.
class Supervisor {
public:
    /// `name` is for reports. Invalid flags or specifications are not thrown at the caller: `start` answers with
    /// SupervisorExited and OTP's reason, as supervisor:start_link does.
    Supervisor(std::string name, SupFlags flags, std::vector<ChildSpec> children);

    /// Starts the children from left to right, each when the one before it is up. Ends in SupervisorStarted, or, after
    /// the started ones have been stopped again, in SupervisorExited.
    Actions start(Time now);

    /// Events about pids and timers that are no longer known are ignored: they were under way when the matter ended.
    Actions handle(const Event& event, Time now);

    /// OTP's which_children, with more to tell: static children in reverse start order. Unlike the request, which waits
    /// its turn in the mailbox, this looks at the present moment, even in the middle of a restart.
    std::vector<ChildInfo> which_children() const;
    ChildCounts count_children() const;
    /// The specification with its defaults filled in; nothing = not_found. For a dynamic supervisor, the template.
    std::optional<ChildSpec> get_childspec(const ChildId& id) const;

    const std::string& name() const { return name_; }
    const SupFlags& flags() const { return flags_; }
    bool over() const { return over_; }

private:
    // Where a child stands in the start order. Kept through its restarts.
    using Position = std::uint64_t;

    struct Child {
        ChildSpec spec;
        ChildState state = ChildState::undefined;
        Pid pid = undefined;
        Pid last_pid = undefined;  // during a restart: the life that ended
        std::string label{};
        Reason exit_reason{};                  // in the state exited: what the mailbox will tell about it
        std::optional<TimerId> delay_timer{};  // in the state restarting: it waits for restart_delay
        unsigned restarts = 0;
        Time since{};
    };

    // What the mailbox holds besides requests and exit signals.
    struct Exited {
        Pid pid;
    };
    struct TryAgain {
        Position child;
        bool counted;  // the restart was counted before its delay
    };
    using Message = std::variant<Request, ExitSignal, Exited, TryAgain>;

    // The one thing that the supervisor is doing: first stop these, then start those, then `finish`.
    struct Operation {
        enum class Kind { init, restart, start_child, restart_child, terminate_child, terminate };
        Kind kind;
        RequestId request = 0;
        Position child = 0;  // whom a request, or the restart, is about
        Reason reason{};     // terminate: with what the supervisor will exit
        Duration delay{0};   // restart: wait so long before the first start
        std::deque<Position> to_stop{}, to_start{};
        bool all_at_once = false;  // stop them in parallel under one timer, instead of one after another
        std::set<Pid> stopping{};  // asked or killed, not gone yet
        Pid starting = undefined;  // the one whose start is under way
        std::optional<TimerId> shutdown_timer{};
        std::map<Reason, std::size_t> failed_stops{};  // all_at_once: counted, and reported at the end
    };

    bool dynamic() const { return flags_.strategy == Strategy::simple_one_for_one; }

    // Events.
    void receive(const ChildStarted& event);
    void receive(const ChildIgnored& event);
    void receive(const ChildStartFailed& event);
    void receive(const ChildExited& event);
    void receive(const TimerFired& event);
    void receive(const ExitSignal& event);
    void receive(const Request& event);

    // Messages, taken from the mailbox while nothing else is going on.
    void run();
    void process(const Request& message);
    void process(const ExitSignal& message);
    void process(const Exited& message);
    void process(const TryAgain& message);

    void answer(RequestId id, const StartChildRequest& request);
    void answer(RequestId id, const TerminateChildRequest& request);
    void answer(RequestId id, const RestartChildRequest& request);
    void answer(RequestId id, const DeleteChildRequest& request);
    void answer(RequestId id, const WhichChildrenRequest& request);
    void answer(RequestId id, const CountChildrenRequest& request);

    // Restarts and the end.
    void restart(Position position);
    void begin_restart(Position position, Duration delay);
    void wait_to_restart(Position position, Duration delay);
    Duration restart_delay() const;
    bool auto_shutdown_due(bool significant) const;
    void terminate(Reason reason);

    // The operation under way.
    void advance();
    void stop_next();
    void stop_one(Position position);
    void stopped(Position position, const Reason& reason);
    void start_next();
    Child* child_being_started(Pid pid);
    void started(Position position);
    void start_failed(Position position, const Reason& reason);
    void finish();

    // Children.
    Position add(ChildSpec spec);
    void remove(Position position);
    void set_state(Child& child, ChildState state);
    void without_process(Child& child);
    void forget(Position position);
    void set_restarting(Position position);
    Child& at(Position position) { return children_.at(position); }
    std::optional<Position> find(const ChildId& id) const;
    std::optional<Position> find(Pid pid) const;
    std::vector<Position> positions_from(Position first) const;

    void report(Context context, const Reason& reason, Offender offender, std::string note = {});
    Offender offender(const Child& child) const;
    void reply(RequestId request, Answer answer);

    std::string name_;
    SupFlags flags_;
    ChildSpec template_;              // of a dynamic supervisor
    std::vector<ChildSpec> initial_;  // until start() takes them
    RestartWindow window_;

    std::map<Position, Child> children_;           // in start order
    std::unordered_map<ChildId, Position> by_id_;  // static supervisors only
    std::unordered_map<Pid, Position> by_pid_;
    Position next_position_ = 1;
    Pid next_pid_ = 1;
    TimerId next_timer_ = 1;

    std::deque<Message> mailbox_;
    std::optional<Operation> operation_;
    bool over_ = false;

    Time now_{};       // of the event being handled
    Actions actions_;  // what it has led to so far
};

}  // namespace supervision
