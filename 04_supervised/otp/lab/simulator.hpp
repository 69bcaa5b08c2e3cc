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
    supervision::Time at;
    std::string who;
    Kind kind;
    std::string subject;  // a child's id; the name of its life ("a#2") for start, ask, kill and exit
    std::string text;
    std::optional<supervision::Context> context{};  // report
    supervision::Reason reason{};                   // report, exit, over
    std::size_t request_line = 0;                   // reply: the script's line that asked
};

/// Plays a scenario: drives one Supervisor for each supervisor of the tree, in virtual time, and plays all children.
/// Everything that a driver of real processes must do is here in its simplest form. One thread.
class Simulator {
public:
    explicit Simulator(Scenario scenario);

    /// Plays to the end: until nothing more can happen, or `max_events` is reached.
    void run();

    const std::vector<TraceLine>& trace() const { return trace_; }
    /// The tree as it stands: one line for each child, indented.
    std::string tree() const;
    supervision::Time now() const { return now_; }

    /// More than a script of sensible size ever needs; a restart loop that never ends is cut here.
    static constexpr std::size_t max_events = 200'000;

private:
    // A running supervisor, and the declarations that its children are started from.
    struct Node {
        Node(std::string name, const Declaration& declared);
        supervision::Supervisor core;
        std::map<std::string, Declaration> declarations;
        Node* parent = nullptr;
        supervision::Pid pid_at_parent = supervision::undefined;
        bool up = false, alive = true;
        std::map<supervision::Pid, std::string> lives{};  // the names of its children
        std::set<supervision::TimerId> disarmed{};
    };

    // One life of a child.
    struct Life {
        std::string id;
        Node* owner;
        supervision::Pid pid;
        std::shared_ptr<Node> node{};  // if it is a supervisor
    };

    // What a worker does when it is started or stopped.
    struct Manners {
        int fails = 0, ignores = 0;
        supervision::Reason fails_with{};
        supervision::Duration starts_in{0}, stops_in{0};
        supervision::Reason stops_with = supervision::Reason::shutdown();
        bool refuses = false;
    };

    void after(supervision::Duration delay, std::function<void()> what);
    void deliver(Node& node, supervision::Event event);
    void perform(Node& node, const supervision::Actions& actions);
    void perform(Node& node, const supervision::StartChild& action);
    void perform(Node& node, const supervision::StopChild& action);
    void perform(Node& node, const supervision::KillChild& action);
    void perform(Node& node, const supervision::ArmTimer& action);
    void perform(Node& node, const supervision::DisarmTimer& action);
    void perform(Node& node, const supervision::Reply& action);
    void perform(Node& node, const supervision::Report& action);
    void perform(Node& node, const supervision::Progress& action);
    void perform(Node& node, const supervision::SupervisorStarted& action);
    void perform(Node& node, const supervision::SupervisorExited& action);

    void start_worker(Node& node, supervision::Pid pid, const std::string& name, const std::string& id);
    void end_life(const std::string& name, const supervision::Reason& reason);
    void kill_children(Node& node);
    void say(const Statement& statement);
    void request(const Statement& statement);
    void run_steps(Step::When when, const std::string& name);
    Manners& manners(const std::string& subject);
    std::string life_of(const std::string& subject) const;
    Node* supervisor_of(const std::string& id) const;
    void tell(TraceLine::Kind kind, const std::string& who, const std::string& subject, std::string text);
    void append_tree(std::string& text, const Node& node, std::size_t depth) const;

    Scenario scenario_;
    supervision::Time now_{};
    std::multimap<supervision::Time, std::function<void()>> queue_;
    std::vector<std::shared_ptr<Node>> nodes_;  // the root first; kept to the end, for what is still under way
    std::map<std::string, Life> lives_;         // by name, "a#2"; the living ones
    std::map<std::string, int> started_;        // by id: how many starts were tried
    std::map<std::string, Manners> manners_;    // by id, or by the name of one life
    std::map<supervision::RequestId, std::size_t> requests_;  // the lines they come from
    std::vector<TraceLine> trace_;
};

/// One line of the lab's output: `  1.000  root     starts a#2`.
std::string to_string(const TraceLine& line);

}  // namespace lab
