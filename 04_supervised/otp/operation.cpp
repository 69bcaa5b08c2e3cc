// The one thing that a supervisor is doing: it stops some children, then it starts some.

#include "04_supervised/otp/supervisor.hpp"

#include <utility>

namespace otp {

void Supervisor::advance() {
    while (operation_ && operation_->stopping.empty() && operation_->starting == undefined) {
        if (operation_->shutdown_timer) {
            actions_.push_back(DisarmTimer{*std::exchange(operation_->shutdown_timer, {})});
        }
        if (!operation_->to_stop.empty()) {
            stop_next();
        } else if (operation_->delay > Duration::zero()) {
            const Operation restart = *std::exchange(operation_, {});
            wait_to_restart(restart.child, restart.delay);
        } else if (!operation_->to_start.empty()) {
            start_next();
        } else {
            finish();
        }
    }
}

void Supervisor::stop_next() {
    do {
        const Position position = operation_->to_stop.front();
        operation_->to_stop.pop_front();
        stop_one(position);
    } while (operation_->all_at_once && !operation_->to_stop.empty());
}

void Supervisor::stop_one(Position position) {
    Entry& child = at(position);
    if (child.state == ChildState::exited) return stopped(position, child.exit_reason);
    if (child.state != ChildState::running) return forget(position);
    set_state(child, ChildState::stopping);
    operation_->stopping.insert(child.pid);
    const Shutdown shutdown = child.spec.effective_shutdown();
    if (shutdown.kind == Shutdown::Kind::brutal_kill) {
        actions_.push_back(KillChild{child.pid});
        return;
    }
    actions_.push_back(StopChild{child.pid});
    if (shutdown.kind == Shutdown::Kind::timeout && !operation_->shutdown_timer) {
        operation_->shutdown_timer = next_timer_++;
        actions_.push_back(ArmTimer{*operation_->shutdown_timer, shutdown.time});
    }
}

void Supervisor::stopped(Position position, const Reason& reason) {
    Entry& child = at(position);
    const bool killing = child.spec.effective_shutdown().kind == Shutdown::Kind::brutal_kill;
    // It is fine to end as told. A child that may end by itself may have done so in the same moment.
    const bool as_told = reason == (killing ? Reason::killed() : Reason::shutdown());
    const bool fine = as_told || (child.spec.restart != Restart::permanent && reason.expected());
    if (!fine) {
        if (operation_->all_at_once) {
            ++operation_->failed_stops[reason];
        } else {
            report(Context::shutdown_error, reason, offender(child));
        }
    }
    operation_->stopping.erase(child.pid);
    forget(position);
}

void Supervisor::start_next() {
    const Position position = operation_->to_start.front();
    operation_->to_start.pop_front();
    Entry& child = at(position);
    child.pid = next_pid_++;
    child.label.clear();
    by_pid_[child.pid] = position;
    set_state(child, ChildState::starting);
    if (operation_->kind == Operation::Kind::restart) ++child.restarts;
    operation_->starting = child.pid;
    actions_.push_back(StartChild{child.pid, child.spec});
}

void Supervisor::started(Position position) {
    operation_->starting = undefined;
    operation_->child = position;
    advance();
}

void Supervisor::start_failed(Position position, const Reason& reason) {
    Entry& child = at(position);
    const ChildId id = child.spec.id;
    const Operation failed = *std::exchange(operation_, {});
    switch (failed.kind) {
        case Operation::Kind::init:
            report(Context::start_error, reason, offender(child));
            return terminate(Reason::shutdown("{failed_to_start_child, " + id + ", " + to_string(reason) + "}"));
        case Operation::Kind::restart:
            // The next try begins with the one that failed: rest_for_one keeps those that are up again.
            report(Context::start_error, reason, offender(child));
            set_restarting(position);
            mailbox_.push_back(TryAgain{position, false});
            return;
        case Operation::Kind::start_child: remove(position); break;
        case Operation::Kind::restart_child: forget(position); break;
        case Operation::Kind::terminate_child:
        case Operation::Kind::terminate: break;  // these two start nothing
    }
    reply(failed.request, RequestError{RequestError::Code::start_failed, undefined, to_string(reason)});
}

void Supervisor::finish() {
    const Operation done = *std::exchange(operation_, {});
    switch (done.kind) {
        case Operation::Kind::init: actions_.push_back(SupervisorStarted{}); break;
        case Operation::Kind::restart: break;
        case Operation::Kind::start_child:
        case Operation::Kind::restart_child: {
            const auto child = children_.find(done.child);
            reply(done.request, Done{child == children_.end() ? undefined : child->second.pid});
            break;
        }
        case Operation::Kind::terminate_child: reply(done.request, Done{}); break;
        case Operation::Kind::terminate:
            for (const auto& [reason, children] : done.failed_stops) {
                Entry nobody{.spec = template_};
                Offender all = offender(nobody);
                all.nb_children = children;
                report(Context::shutdown_error, reason, std::move(all));
            }
            over_ = true;
            actions_.push_back(SupervisorExited{done.reason});
            break;
    }
}

}  // namespace otp
