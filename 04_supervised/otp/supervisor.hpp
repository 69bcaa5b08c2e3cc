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

namespace otp {

/// An OTP supervisor as a pure state machine: events in, actions out. It has no thread, no clock and no process.
///
/// The runtime calls `start` once, carries out the actions in their order, and tells the supervisor with `handle` what
/// became of them. The runtime must answer every StartChild, and report the end of every child that was started. It
/// loses nothing by calling late: only `now` counts.
///
/// Like a gen_server, the supervisor does one thing at a time. While a child is starting or stopping, everything else
/// waits in the mailbox, in order of arrival. A restart that failed is tried again by a message that the supervisor
/// puts into its own mailbox, behind the requests that wait there. So terminate_child and the parent's exit signal get
/// through even where a child can never start.
///
/// How a child's end becomes a new child: receive(ChildExited), process(Exited), restart, begin_restart, and, in
/// operation.cpp, start_next.
///
/// Not thread-safe: one thread, or one strand, at a time.
class Supervisor {
public:
    /// `name` is for reports. Invalid flags or specifications are not thrown at the caller: `start` answers with
    /// SupervisorExited and OTP's reason, as supervisor:start_link does.
    Supervisor(std::string name, SupFlags flags, std::vector<ChildSpec> children);

    /// Starts the children from left to right, each when the one before it is up. In the end comes SupervisorStarted.
    /// Where a child cannot start, those before it are stopped, and SupervisorExited comes.
    Actions start(Time now);

    /// Ignores events about pids and timers that are not known any more: such an event was under way already.
    Actions handle(const Event& event, Time now);

    /// OTP's which_children, with more to tell; static children in reverse start order. The request of that name waits
    /// its turn in the mailbox. This looks at the present moment, even in the middle of a restart.
    std::vector<ChildInfo> which_children() const;
    ChildCounts count_children() const;
    /// The specification with its defaults filled in; nothing where there is none. Of a dynamic supervisor, the
    /// template.
    std::optional<ChildSpec> get_childspec(const ChildId& id) const;

    const std::string& name() const { return name_; }
    const SupFlags& flags() const { return flags_; }
    bool over() const { return over_; }

private:
    // Where a child stands in the start order. A restart does not change it.
    using Position = std::uint64_t;

    // What the supervisor knows of a child, through all its restarts.
    struct Entry {
        ChildSpec spec;
        ChildState state = ChildState::undefined;
        Pid pid = undefined;
        Pid last_pid = undefined;  // during a restart: the pid before it
        std::string label{};
        Reason exit_reason{};                  // in the state exited
        std::optional<TimerId> delay_timer{};  // in the state restarting, where it waits for restart_delay
        unsigned restarts = 0;
        Time since{};
    };

    // What the mailbox holds besides requests and exit signals: a child has ended, a restart is to be tried again.
    struct Exited {
        Pid pid;
    };
    struct TryAgain {
        Position child;
        bool counted;  // true: it only waited for its delay, and was counted before
    };
    using Message = std::variant<Request, ExitSignal, Exited, TryAgain>;

    // The one thing that the supervisor is doing: first it stops some children, then it starts some, then it finishes.
    struct Operation {
        enum class Kind { init, restart, start_child, restart_child, terminate_child, terminate };
        Kind kind;
        RequestId request = 0;
        Position child = 0;  // what a request, or the restart, is about
        Reason reason{};     // of terminate: the supervisor will exit with it
        Duration delay{0};   // of a restart: the wait before the first start
        std::deque<Position> to_stop{}, to_start{};
        bool all_at_once = false;  // stop all at the same time under one timer, instead of one after another
        std::set<Pid> stopping{};  // asked or killed, and not gone yet
        Pid starting = undefined;  // the start is under way
        std::optional<TimerId> shutdown_timer{};
        std::map<Reason, std::size_t> failed_stops{};  // with all_at_once: counted, and reported at the end
    };

    bool dynamic() const { return flags_.strategy == Strategy::simple_one_for_one; }

    // Events, with an overload for each kind: one without would not compile.
    void receive(const ChildStarted& event);
    void receive(const ChildIgnored& event);
    void receive(const ChildStartFailed& event);
    void receive(const ChildExited& event);
    void receive(const TimerFired& event);
    void receive(const ExitSignal& event);
    void receive(const Request& event);

    // Messages, taken from the mailbox while no operation is under way.
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
    Entry* child_being_started(Pid pid);
    void started(Position position);
    void start_failed(Position position, const Reason& reason);
    void finish();

    // Children.
    Position add(ChildSpec spec);
    void remove(Position position);
    void set_state(Entry& child, ChildState state);
    void without_process(Entry& child);
    void forget(Position position);
    void set_restarting(Position position);
    Entry& at(Position position) { return children_.at(position); }
    std::optional<Position> find(const ChildId& id) const;
    std::optional<Position> find(Pid pid) const;
    /// A child without a process, which alone may be restarted or deleted by its id; or why it may not.
    boost::system::result<Position, RequestError::Code> ended_child(const ChildId& id);
    std::vector<Position> positions_from(Position first) const;

    void report(Context context, const Reason& reason, Offender offender, std::string note = {});
    Offender offender(const Entry& child) const;
    void reply(RequestId request, Answer answer);

    std::string name_;
    SupFlags flags_;
    ChildSpec template_;              // of a dynamic supervisor
    std::vector<ChildSpec> initial_;  // until start() takes them
    RestartWindow window_;

    std::map<Position, Entry> children_;           // in start order
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

}  // namespace otp
