#pragma once

#include "04_supervised/otp/lab/scenario.hpp"
#include "04_supervised/otp/supervisor.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lab {

/// One thing that happened, or that a supervisor did.
struct TraceLine {
    enum class Kind {
        event,     // the script's doing
        exit,      // a child ended
        start,     // `who` starts `subject`
        ask,       // `who` asks `subject` to stop
        kill,      // `who` kills `subject`
        progress,  // the reports of `who`
        report,
        reply,  // `who` answers a request
        timer,
        up,    // `who` has started all its children
        over,  // `who` has exited
        note   // why nothing happens, the end of the script
    };
    otp::Time at;
    std::string who;
    Kind kind;
    std::string subject;  // an id, "a"; with start, ask, kill and exit the name of one child, "a#2"
    std::string text;
    std::optional<otp::Context> context{};  // report
    otp::Reason reason{};                   // report, exit, over
    std::size_t request_line = 0;           // reply: the script's line that asked
};

/// Plays a scenario in virtual time: the supervisors are real ones, and all their children are played. So this is a
/// runtime in its simplest form. One thread.
class Simulator {
public:
    explicit Simulator(Scenario scenario);

    /// Plays to the end: until nothing more can happen, or `max_events` is reached.
    void run();

    const std::vector<TraceLine>& trace() const { return trace_; }
    /// The tree as it stands: one line for each child, indented.
    std::string tree() const;
    otp::Time now() const { return now_; }

    /// More than a script of sensible size ever needs; a restart loop that never ends is cut here.
    static constexpr std::size_t max_events = 200'000;

private:
    // A running supervisor, and the declarations that its children are started from.
    struct Node {
        Node(std::string name, const Declaration& declared);
        otp::Supervisor core;
        std::map<std::string, Declaration> declarations;
        Node* parent = nullptr;
        otp::Pid pid_at_parent = otp::undefined;
        bool up = false, alive = true;
        std::map<otp::Pid, std::string> names{};  // the names of its children
        std::set<otp::TimerId> disarmed{};
    };

    // A child that lives.
    struct Child {
        std::string id;
        Node* owner;
        otp::Pid pid;
        std::shared_ptr<Node> node{};  // if it is a supervisor
    };

    // What a worker does when it is started or stopped.
    struct Behaviour {
        int fails = 0, ignores = 0;
        otp::Reason fails_with{};
        otp::Duration starts_in{0}, stops_in{0};
        otp::Reason stops_with = otp::Reason::shutdown();
        bool refuses = false;
    };

    void after(otp::Duration delay, std::function<void()> what);
    void deliver(Node& node, otp::Event event);
    // An overload for each kind of action: one without would not compile.
    void carry_out(Node& node, const otp::Actions& actions);
    void carry_out(Node& node, const otp::StartChild& action);
    void carry_out(Node& node, const otp::StopChild& action);
    void carry_out(Node& node, const otp::KillChild& action);
    void carry_out(Node& node, const otp::ArmTimer& action);
    void carry_out(Node& node, const otp::DisarmTimer& action);
    void carry_out(Node& node, const otp::Reply& action);
    void carry_out(Node& node, const otp::Report& action);
    void carry_out(Node& node, const otp::Progress& action);
    void carry_out(Node& node, const otp::SupervisorStarted& action);
    void carry_out(Node& node, const otp::SupervisorExited& action);

    void start_worker(Node& node, otp::Pid pid, const std::string& name, const std::string& id);
    void end_child(const std::string& name, const otp::Reason& reason);
    void kill_children(Node& node);
    void say(const Statement& statement);
    void exits(const Statement& statement);
    void ask(const Statement& statement, const std::string& what, otp::Request::Body body);
    void ask_to_start_child(const Statement& statement);
    void ask_to_terminate_child(const Statement& statement);
    void ask_to_stop(const Statement& statement);
    void run_steps(Step::When when, const std::string& name);
    Behaviour& behaviour(const std::string& subject);
    std::optional<std::string> living(const std::string& subject) const;
    Node* supervisor_of(const std::string& id) const;
    void tell(TraceLine::Kind kind, const std::string& who, const std::string& subject, std::string text);
    void append_tree(std::string& text, const Node& node, std::size_t depth) const;

    Scenario scenario_;
    otp::Time now_{};
    std::multimap<otp::Time, std::function<void()>> queue_;
    std::vector<std::shared_ptr<Node>> nodes_;        // the root first; kept to the end, for what is still under way
    std::map<std::string, Child> children_;           // those that live, by name, "a#2"
    std::map<std::string, int> started_;              // by id: how many starts were tried
    std::map<std::string, Behaviour> behaviour_;      // by id, or by the name of one child
    std::map<otp::RequestId, std::size_t> requests_;  // the lines they come from
    std::vector<TraceLine> trace_;
};

/// One line of the lab's output: `  1.000  root     starts a#2`.
std::string to_string(const TraceLine& line);

}  // namespace lab
