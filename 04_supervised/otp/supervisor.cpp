#include "04_supervised/otp/supervisor.hpp"

#include <algorithm>
#include <utility>

namespace otp {

Supervisor::Supervisor(std::string name, SupFlags flags, std::vector<ChildSpec> children)
    : name_(std::move(name)), flags_(flags), initial_(std::move(children)), window_(flags_.intensity, flags_.period) {}

Actions Supervisor::start(Time now) {
    now_ = now;
    Check checked = check_flags(flags_);
    if (checked) checked = check_childspecs(initial_, flags_);
    if (!checked) {
        over_ = true;
        return {SupervisorExited{Reason::abnormal(checked.error())}};
    }
    operation_ = Operation{.kind = Operation::Kind::init};
    if (dynamic()) {
        template_ = std::move(initial_.front());
    } else {
        for (ChildSpec& spec : initial_) operation_->to_start.push_back(add(std::move(spec)));
    }
    initial_.clear();
    advance();
    run();
    return std::exchange(actions_, {});
}

Actions Supervisor::handle(const Event& event, Time now) {
    now_ = now;
    std::visit([this](const auto& happened) { receive(happened); }, event);
    run();
    return std::exchange(actions_, {});
}

// --- Events ---------------------------------------------------------------------------------------------------------

Supervisor::Entry* Supervisor::child_being_started(Pid pid) {
    return operation_ && pid != undefined && operation_->starting == pid ? &at(*find(pid)) : nullptr;
}

void Supervisor::receive(const ChildStarted& event) {
    Entry* child = child_being_started(event.pid);
    if (!child) return;
    set_state(*child, ChildState::running);
    child->label = event.label;
    // The argument may be large, or own something. A child that is never restarted does not need it again.
    if (child->spec.restart == Restart::temporary) child->spec.argument.reset();
    if (!dynamic()) actions_.push_back(Progress{name_, offender(*child)});
    started(*find(event.pid));
}

void Supervisor::receive(const ChildIgnored& event) {
    Entry* child = child_being_started(event.pid);
    if (!child) return;
    const Position position = *find(event.pid);
    forget(position);
    started(position);
}

void Supervisor::receive(const ChildStartFailed& event) {
    if (child_being_started(event.pid)) start_failed(*find(event.pid), event.reason);
}

void Supervisor::receive(const ChildExited& event) {
    const auto position = find(event.pid);
    if (!position) return;
    Entry& child = at(*position);
    switch (child.state) {
        case ChildState::starting: start_failed(*position, event.reason); break;
        case ChildState::stopping:
            stopped(*position, event.reason);
            advance();
            break;
        case ChildState::running:
            set_state(child, ChildState::exited);
            child.exit_reason = event.reason;
            mailbox_.push_back(Exited{event.pid});
            break;
        case ChildState::undefined:
        case ChildState::restarting:
        case ChildState::exited: break;  // the end is known already
    }
}

void Supervisor::receive(const TimerFired& event) {
    if (operation_ && operation_->shutdown_timer == event.timer) {
        operation_->shutdown_timer.reset();
        for (Pid pid : operation_->stopping) actions_.push_back(KillChild{pid});
        return;
    }
    for (auto& [position, child] : children_) {
        if (child.delay_timer != event.timer) continue;
        child.delay_timer.reset();
        mailbox_.push_back(TryAgain{position, true});
        return;
    }
}

void Supervisor::receive(const ExitSignal& event) {
    mailbox_.push_back(event);
}
void Supervisor::receive(const Request& event) {
    mailbox_.push_back(event);
}

// --- Messages -------------------------------------------------------------------------------------------------------

void Supervisor::run() {
    while (!operation_ && !mailbox_.empty()) {
        const Message message = std::move(mailbox_.front());
        mailbox_.pop_front();
        std::visit([this](const auto& taken) { process(taken); }, message);
    }
}

void Supervisor::process(const ExitSignal& message) {
    if (!over_) terminate(message.reason);
}

void Supervisor::process(const Exited& message) {
    const auto position = find(message.pid);
    if (!position || at(*position).state != ChildState::exited) return;  // an operation has stopped it meanwhile
    Entry& child = at(*position);
    const Reason reason = child.exit_reason;
    const bool restarts =
        child.spec.restart == Restart::permanent || (child.spec.restart == Restart::transient && !reason.expected());
    if (child.spec.restart == Restart::permanent || !reason.expected()) {
        report(Context::child_terminated, reason, offender(child));
        if (restarts) std::get<Report>(actions_.back()).restarts = window_.size_with_one_more(now_);
    }
    if (restarts) return restart(*position);

    const bool significant = child.spec.significant;
    forget(*position);
    if (auto_shutdown_due(significant)) terminate(Reason::shutdown());
}

void Supervisor::process(const TryAgain& message) {
    const auto found = children_.find(message.child);
    // Meanwhile terminate_child may have ended this, or the restart of a sibling have started the child.
    if (found == children_.end() || found->second.state != ChildState::restarting) return;
    if (message.counted) return begin_restart(message.child, Duration::zero());
    restart(message.child);
}

// --- Restarts and the end -------------------------------------------------------------------------------------------

void Supervisor::restart(Position position) {
    if (window_.add(now_)) return begin_restart(position, restart_delay());
    report(Context::shutdown, Reason::abnormal("reached_max_restart_intensity"), offender(at(position)),
           std::to_string(window_.size()) + (window_.size() == 1 ? " restart" : " restarts") + " within " +
               std::to_string(flags_.period.count()) + " s, " + std::to_string(flags_.intensity) +
               " allowed: giving up");
    std::get<Report>(actions_.back()).restarts = window_.size();
    forget(position);
    terminate(Reason::shutdown());
}

// The strategy decides which children stop, and which start then.
void Supervisor::begin_restart(Position position, Duration delay) {
    Entry& child = at(position);
    const Pid last_pid = child.pid;
    without_process(child);
    child.last_pid = last_pid;

    Operation operation{.kind = Operation::Kind::restart, .child = position, .delay = delay};
    std::vector<Position> group{position};
    if (flags_.strategy == Strategy::one_for_all) group = positions_from(0);
    if (flags_.strategy == Strategy::rest_for_one) group = positions_from(position);
    for (Position member : group) {
        if (member != position) operation.to_stop.push_front(member);
        // Temporary siblings are stopped and forgotten. All others come back, even one that had ended for good.
        if (member == position || at(member).spec.restart != Restart::temporary) operation.to_start.push_back(member);
    }
    operation_ = std::move(operation);
    advance();
}

void Supervisor::wait_to_restart(Position position, Duration delay) {
    set_restarting(position);
    Entry& child = at(position);
    child.delay_timer = next_timer_++;
    actions_.push_back(ArmTimer{*child.delay_timer, delay});
}

Duration Supervisor::restart_delay() const {
    Duration delay = flags_.restart_delay;
    for (std::size_t earlier = 1; earlier < window_.size() && delay < flags_.restart_delay_max; ++earlier) {
        delay = std::min(delay * 2, flags_.restart_delay_max);
    }
    return delay;
}

bool Supervisor::auto_shutdown_due(bool significant) const {
    if (!significant || flags_.auto_shutdown == AutoShutdown::never) return false;
    if (flags_.auto_shutdown == AutoShutdown::any_significant) return true;
    return std::ranges::none_of(children_, [](const auto& entry) {
        return entry.second.spec.significant && entry.second.state != ChildState::undefined;
    });
}

void Supervisor::terminate(Reason reason) {
    Operation operation{.kind = Operation::Kind::terminate, .reason = std::move(reason), .all_at_once = dynamic()};
    for (const auto& [position, child] : children_) operation.to_stop.push_front(position);
    operation_ = std::move(operation);
    advance();
}

// --- Children -------------------------------------------------------------------------------------------------------

Supervisor::Position Supervisor::add(ChildSpec spec) {
    const Position position = next_position_++;
    if (!dynamic()) by_id_[spec.id] = position;
    spec.shutdown = spec.effective_shutdown();
    children_.emplace(position, Entry{.spec = std::move(spec), .since = now_});
    return position;
}

void Supervisor::remove(Position position) {
    const Entry& child = at(position);
    if (!dynamic()) by_id_.erase(child.spec.id);
    by_pid_.erase(child.pid);
    children_.erase(position);
}

void Supervisor::set_state(Entry& child, ChildState state) {
    child.state = state;
    child.since = now_;
}

void Supervisor::without_process(Entry& child) {
    if (child.delay_timer) actions_.push_back(DisarmTimer{*std::exchange(child.delay_timer, {})});
    by_pid_.erase(child.pid);
    child.pid = child.last_pid = undefined;
    child.label.clear();
    if (child.state != ChildState::undefined) set_state(child, ChildState::undefined);
}

// The child has no process, and none is expected. Its specification stays, unless nothing could ever start it again.
void Supervisor::forget(Position position) {
    Entry& child = at(position);
    without_process(child);
    if (child.spec.restart == Restart::temporary || dynamic()) remove(position);
}

// A child that waits for its restart is still known by the pid that it had: so terminate_child finds a dynamic child.
void Supervisor::set_restarting(Position position) {
    Entry& child = at(position);
    by_pid_.erase(child.pid);
    child.pid = child.last_pid;
    if (child.pid != undefined) by_pid_[child.pid] = position;
    set_state(child, ChildState::restarting);
}

std::optional<Supervisor::Position> Supervisor::find(const ChildId& id) const {
    const auto found = by_id_.find(id);
    return found == by_id_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<Supervisor::Position> Supervisor::find(Pid pid) const {
    const auto found = by_pid_.find(pid);
    return found == by_pid_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<Supervisor::Position> Supervisor::positions_from(Position first) const {
    std::vector<Position> positions;
    for (auto entry = children_.lower_bound(first); entry != children_.end(); ++entry)
        positions.push_back(entry->first);
    return positions;
}

// --- Reports --------------------------------------------------------------------------------------------------------

void Supervisor::report(Context context, const Reason& reason, Offender offender, std::string note) {
    actions_.push_back(Report{name_, context, reason, std::move(offender), std::move(note)});
}

Offender Supervisor::offender(const Entry& child) const {
    return {.id = child.spec.id,
            .pid = child.pid,
            .label = child.label,
            .start = child.spec.start,
            .restart = child.spec.restart,
            .significant = child.spec.significant,
            .shutdown = child.spec.effective_shutdown(),
            .type = child.spec.type};
}

}  // namespace otp
