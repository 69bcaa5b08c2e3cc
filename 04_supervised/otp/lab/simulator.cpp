#include "04_supervised/otp/lab/simulator.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>

namespace lab {

using namespace otp;
using Kind = TraceLine::Kind;

namespace {

std::vector<ChildSpec> specs_of(const Declaration& declared) {
    std::vector<ChildSpec> specs;
    for (const Declaration& child : declared.children) specs.push_back(child.spec);
    return specs;
}

std::string counted(int times, const std::string& what) {
    return std::to_string(times) + " " + what + (times == 1 ? "" : "s");
}

}  // namespace

Simulator::Node::Node(std::string name, const Declaration& declared)
    : core(std::move(name), declared.flags, specs_of(declared)) {
    for (const Declaration& child : declared.children) declarations.emplace(child.spec.id, child);
}

Simulator::Simulator(Scenario scenario) : scenario_(std::move(scenario)) {}

void Simulator::run() {
    for (const Step& step : scenario_.steps) {
        if (step.when == Step::When::beforehand) say(step.statement);
        if (step.when == Step::When::at) after(step.time, [this, &step] { say(step.statement); });
    }
    auto root = std::make_shared<Node>(scenario_.root.spec.id, scenario_.root);
    nodes_.push_back(root);
    carry_out(*root, root->core.start(now_));
    std::size_t events = 0;
    while (!queue_.empty() && ++events <= max_events) {
        auto next = queue_.extract(queue_.begin());
        now_ = next.key();
        next.mapped()();
    }
    if (!queue_.empty()) tell(Kind::note, "lab", "", "stops here: " + std::to_string(max_events) + " events");
}

void Simulator::after(Duration delay, std::function<void()> what) {
    queue_.emplace(now_ + delay, std::move(what));
}

// Events travel through the queue: those of the same time arrive in the order in which they happened.
void Simulator::deliver(Node& node, Event event) {
    after(Duration::zero(), [this, &node, event = std::move(event)] {
        if (node.alive) carry_out(node, node.core.handle(event, now_));
    });
}

void Simulator::carry_out(Node& node, const Actions& actions) {
    for (const Action& action : actions) {
        std::visit([&](const auto& wanted) { carry_out(node, wanted); }, action);
    }
}

// --- Starts ---------------------------------------------------------------------------------------------------------

void Simulator::carry_out(Node& node, const StartChild& action) {
    const std::string& id = action.spec.id;
    const std::string name = id + "#" + std::to_string(++started_[id]);
    node.names[action.pid] = name;
    tell(Kind::start, node.core.name(), name, "starts " + name);
    run_steps(Step::When::starts, name);
    if (action.spec.type == ChildType::worker) return start_worker(node, action.pid, name, id);

    const auto declared = node.declarations.find(id);
    auto child = std::make_shared<Node>(id, declared == node.declarations.end() ? Declaration{} : declared->second);
    child->parent = &node;
    child->pid_at_parent = action.pid;
    nodes_.push_back(child);
    children_[name] = Child{id, &node, action.pid, child};
    after(Duration::zero(), [this, child] { carry_out(*child, child->core.start(now_)); });
}

void Simulator::start_worker(Node& node, Pid pid, const std::string& name, const std::string& id) {
    Behaviour& worker = behaviour(id);
    const auto answer = [&](Event event) {
        after(worker.starts_in, [this, &node, event = std::move(event)] {
            if (node.alive) carry_out(node, node.core.handle(event, now_));
        });
    };
    if (worker.fails > 0) {
        --worker.fails;
        return answer(ChildStartFailed{pid, worker.fails_with});
    }
    if (worker.ignores > 0) {
        --worker.ignores;
        return answer(ChildIgnored{pid});
    }
    children_[name] = Child{id, &node, pid};
    answer(ChildStarted{pid, name});
}

void Simulator::carry_out(Node& node, const SupervisorStarted&) {
    node.up = true;
    tell(Kind::up, node.core.name(), "", "is up");
    if (node.parent) deliver(*node.parent, ChildStarted{node.pid_at_parent, node.parent->names[node.pid_at_parent]});
}

// --- Ends -----------------------------------------------------------------------------------------------------------

void Simulator::carry_out(Node& node, const SupervisorExited& action) {
    node.alive = false;
    tell(Kind::over, node.core.name(), "", "exits: " + to_string(action.reason));
    trace_.back().reason = action.reason;
    if (!node.parent) return;
    children_.erase(node.parent->names[node.pid_at_parent]);
    if (node.up) {
        deliver(*node.parent, ChildExited{node.pid_at_parent, action.reason});
    } else {
        deliver(*node.parent, ChildStartFailed{node.pid_at_parent, action.reason});
    }
}

void Simulator::carry_out(Node& node, const StopChild& action) {
    const std::string name = node.names[action.pid];
    tell(Kind::ask, node.core.name(), name, "asks " + name + " to stop");
    run_steps(Step::When::stops, name);
    const auto child = children_.find(name);
    if (child == children_.end()) return;  // it ended in this very moment
    if (child->second.node) return deliver(*child->second.node, ExitSignal{Reason::shutdown()});
    const Behaviour& worker = behaviour_.contains(name) ? behaviour_[name] : behaviour(id_of(name));
    if (worker.refuses) return tell(Kind::note, name, name, "does not stop");
    after(worker.stops_in, [this, name, reason = worker.stops_with] { end_child(name, reason); });
}

void Simulator::carry_out(Node& node, const KillChild& action) {
    const std::string name = node.names[action.pid];
    tell(Kind::kill, node.core.name(), name, "kills " + name);
    end_child(name, Reason::killed());
}

void Simulator::end_child(const std::string& name, const Reason& reason) {
    const auto found = children_.find(name);
    if (found == children_.end()) return;
    const Child child = found->second;
    tell(Kind::exit, name, name, "exits: " + to_string(reason));
    trace_.back().reason = reason;
    children_.erase(found);
    if (child.node) kill_children(*child.node);
    deliver(*child.owner, ChildExited{child.pid, reason});
}

// With a supervisor dies everything that is linked to it.
void Simulator::kill_children(Node& node) {
    node.alive = false;
    std::vector<std::string> names;
    for (const auto& [name, child] : children_) {
        if (child.owner == &node) names.push_back(name);
    }
    for (const std::string& name : names) end_child(name, Reason::killed());
}

// --- Timers, answers and reports ------------------------------------------------------------------------------------

void Simulator::carry_out(Node& node, const ArmTimer& action) {
    tell(Kind::timer, node.core.name(), "", "sets a timer: " + std::to_string(action.after.count()) + " ms");
    after(action.after, [this, &node, timer = action.timer] {
        if (!node.alive || node.disarmed.contains(timer)) return;
        tell(Kind::timer, node.core.name(), "", "the timer is up");
        carry_out(node, node.core.handle(TimerFired{timer}, now_));
    });
}

void Simulator::carry_out(Node& node, const DisarmTimer& action) {
    node.disarmed.insert(action.timer);
}

void Simulator::carry_out(Node& node, const Reply& action) {
    std::string text = to_string(action.answer);
    if (const auto* done = std::get_if<Done>(&action.answer); done && done->pid != undefined) {
        text = "ok, " + node.names[done->pid];
    }
    tell(Kind::reply, node.core.name(), "", "answers: " + text);
    trace_.back().request_line = requests_[action.request];
}

void Simulator::carry_out(Node& node, const Report& action) {
    const Offender& offender = action.offender;
    std::string who = offender.label.empty() ? offender.id : offender.label;
    if (offender.nb_children > 0) who = std::to_string(offender.nb_children) + " x " + offender.id;
    tell(Kind::report, node.core.name(), offender.id,
         "reports " + std::string(to_string(action.context)) + ": " + who + ", " + to_string(action.reason) +
             (action.note.empty() ? "" : " (" + action.note + ")"));
    trace_.back().context = action.context;
    trace_.back().reason = action.reason;
}

void Simulator::carry_out(Node& node, const Progress& action) {
    tell(Kind::progress, node.core.name(), action.started.id, "reports progress: " + action.started.label + " runs");
}

// --- The script -----------------------------------------------------------------------------------------------------

Simulator::Behaviour& Simulator::behaviour(const std::string& subject) {
    return behaviour_[subject];
}

// The name of the child that is meant: exactly this one ("a#2"), or the youngest of that id.
std::optional<std::string> Simulator::living(const std::string& subject) const {
    if (children_.contains(subject)) return subject;
    std::optional<std::string> youngest;
    Pid pid = undefined;
    for (const auto& [name, child] : children_) {
        if (child.id == subject && child.pid > pid) {
            youngest = name;
            pid = child.pid;
        }
    }
    return youngest;
}

Simulator::Node* Simulator::supervisor_of(const std::string& id) const {
    const Node* root = nodes_.empty() ? nullptr : nodes_.front().get();
    if (root && id == root->core.name()) return root->alive ? nodes_.front().get() : nullptr;
    const auto name = living(id);
    return name ? children_.at(*name).node.get() : nullptr;
}

void Simulator::run_steps(Step::When when, const std::string& name) {
    for (const Step& step : scenario_.steps) {
        if (step.when == when && (step.child == name || step.child == id_of(name))) say(step.statement);
    }
}

void Simulator::say(const Statement& statement) {
    const std::string& subject = statement.subject;
    const std::string& child = statement.child;
    switch (statement.verb) {
        case Verb::exits: return exits(statement);
        case Verb::fails:
            behaviour(subject).fails = statement.times;
            behaviour(subject).fails_with = statement.reason;
            return tell(Kind::event, subject, subject, "will fail " + counted(statement.times, "start"));
        case Verb::ignores:
            behaviour(subject).ignores = statement.times;
            return tell(Kind::event, subject, subject, "will answer ignore to " + counted(statement.times, "start"));
        case Verb::starts_in: behaviour(subject).starts_in = statement.duration; return;
        case Verb::stops_in: behaviour(subject).stops_in = statement.duration; return;
        case Verb::stops_with: behaviour(subject).stops_with = statement.reason; return;
        case Verb::refuses: behaviour(subject).refuses = true; return;
        case Verb::obeys: behaviour(subject) = Behaviour{}; return;
        case Verb::start_child: return ask_to_start_child(statement);
        case Verb::terminate_child: return ask_to_terminate_child(statement);
        case Verb::restart_child: return ask(statement, "restart_child " + child, RestartChildRequest{child});
        case Verb::delete_child: return ask(statement, "delete_child " + child, DeleteChildRequest{child});
        case Verb::which_children: return ask(statement, "which_children", WhichChildrenRequest{});
        case Verb::count_children: return ask(statement, "count_children", CountChildrenRequest{});
        case Verb::stop: return ask_to_stop(statement);
    }
}

void Simulator::exits(const Statement& statement) {
    const std::string& subject = statement.subject;
    Node& root = *nodes_.front();
    if (subject == root.core.name() && root.alive) {
        tell(Kind::exit, subject, subject, "exits: killed");
        return kill_children(root);
    }
    const auto name = living(subject);
    if (!name) return tell(Kind::note, "lab", subject, subject + " does not live: nothing to exit");
    end_child(*name, statement.reason);
}

void Simulator::ask(const Statement& statement, const std::string& what, Request::Body body) {
    Node* node = supervisor_of(statement.subject);
    if (!node) return tell(Kind::note, "lab", statement.subject, statement.subject + " does not live: nobody to ask");
    const RequestId id = requests_.size() + 1;
    requests_[id] = statement.line;
    tell(Kind::event, node->core.name(), statement.child, "is asked: " + what);
    deliver(*node, Request{id, std::move(body)});
}

void Simulator::ask_to_start_child(const Statement& statement) {
    if (!statement.declared) return ask(statement, "start_child", StartChildRequest{});
    const ChildSpec& spec = statement.declared->spec;
    if (Node* node = supervisor_of(statement.subject)) {
        node->declarations.insert_or_assign(spec.id, *statement.declared);
    }
    ask(statement, "start_child " + spec.id, StartChildRequest{spec});
}

// A dynamic supervisor knows a child by its pid only.
void Simulator::ask_to_terminate_child(const Statement& statement) {
    TerminateChildRequest request{.child = statement.child};
    if (const Node* node = supervisor_of(statement.subject)) {
        const auto is_meant = [&](const auto& child) { return child.second == statement.child; };
        const auto child = std::ranges::find_if(node->names, is_meant);
        if (child != node->names.end()) request.child = child->first;
    }
    ask(statement, "terminate_child " + statement.child, request);
}

void Simulator::ask_to_stop(const Statement& statement) {
    Node* node = supervisor_of(statement.subject);
    if (!node) return tell(Kind::note, "lab", statement.subject, statement.subject + " does not live: nobody to ask");
    tell(Kind::event, node->core.name(), "", "is asked to stop");
    deliver(*node, ExitSignal{Reason::shutdown()});
}

// --- What is seen ---------------------------------------------------------------------------------------------------

void Simulator::tell(Kind kind, const std::string& who, const std::string& subject, std::string text) {
    trace_.push_back({.at = now_, .who = who, .kind = kind, .subject = subject, .text = std::move(text)});
}

std::string Simulator::tree() const {
    const Node& root = *nodes_.front();
    std::string text = root.core.name() + (root.alive ? "  running\n" : "  over\n");
    if (root.alive) append_tree(text, root, 1);
    return text;
}

void Simulator::append_tree(std::string& text, const Node& node, std::size_t depth) const {
    std::vector<ChildInfo> children = node.core.which_children();
    std::ranges::reverse(children);  // in start order, as a person reads
    for (const ChildInfo& child : children) {
        text += std::string(4 * depth, ' ') + to_string(child, now_) + "\n";
        const auto living = children_.find(child.label);
        if (living != children_.end() && living->second.node) append_tree(text, *living->second.node, depth + 1);
    }
}

std::string to_string(const TraceLine& line) {
    const auto ms = std::chrono::duration_cast<Duration>(line.at.time_since_epoch()).count();
    char head[64];
    std::snprintf(head, sizeof head, "%6lld.%03lld  ", static_cast<long long>(ms / 1000),
                  static_cast<long long>(ms % 1000));
    constexpr std::size_t who_width = 14;
    std::string who = line.who;
    who.resize(std::max(who.size() + 2, who_width), ' ');
    return head + who + line.text;
}

}  // namespace lab
