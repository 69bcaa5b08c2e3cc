#include "04_supervised/root/rolling_restart.hpp"

#include "app/events.hpp"

#include <ranges>

namespace supervised {

using namespace otp;
namespace events = app::events;

void RollingRestart::start(const std::shared_ptr<Runtime>& supervisor) {
    if (step_ != Step::none) return app::tell({"server"}, events::replaces_already);
    supervisor_ = supervisor;
    for (const auto& child : std::views::reverse(supervisor->supervisor().which_children())) old_.push_back(child.id);
    next();
}

void RollingRestart::next() {
    step_ = Step::none;
    if (old_.empty()) return;
    step_ = Step::starting;
    const auto spec = new_worker_();
    new_ = spec.id;
    app::tell({"server"}, events::replaces, old_.front(), new_);
    supervisor_->request(StartChildRequest{spec}, [this](const Answer& answer) { started(answer); });
}

void RollingRestart::started(const Answer& answer) {
    if (step_ != Step::starting) return;
    if (std::holds_alternative<RequestError>(answer)) {
        app::tell({"server"}, events::keeps, old_.front(), to_string(answer));
        return cancel();
    }
    step_ = Step::retiring;
    children_changed();
}

void RollingRestart::children_changed() {
    if (step_ != Step::retiring) return;
    const auto children = supervisor_->supervisor().which_children();
    const auto old = std::ranges::find(children, old_.front(), &ChildInfo::id);
    if (old == children.end()) return removed();
    switch (old->state) {
        case ChildState::running: return retire();
        case ChildState::undefined:
        case ChildState::restarting: return remove();  // it has no process, and need not get one
        case ChildState::starting:
        case ChildState::stopping:
        case ChildState::exited: return;  // it will change again
    }
}

// Each process is told once. A worker that crashes while it drains comes back as another process, and is told again.
void RollingRestart::retire() {
    const auto process = workers_.find(old_.front());
    if (!process || process == retiring_.lock()) return;
    retiring_ = process;
    process->send(process::Message::Kind::retire);
}

void RollingRestart::drained(const ChildId& id) {
    if (step_ == Step::retiring && id == old_.front()) remove();
}

void RollingRestart::remove() {
    step_ = Step::removing;
    supervisor_->request(TerminateChildRequest{old_.front()});
    supervisor_->request(DeleteChildRequest{old_.front()}, [this](const Answer&) {
        if (step_ == Step::removing) removed();
    });
}

void RollingRestart::removed() {
    workers_.remove(old_.front());
    app::tell({"server"}, events::replaced, old_.front(), new_);
    old_.pop_front();
    next();
}

}  // namespace supervised
