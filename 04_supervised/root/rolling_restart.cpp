#include "04_supervised/root/rolling_restart.hpp"

#include "app/events.hpp"

#include <ranges>

using namespace supervision;
namespace events = app::events;

namespace {

constexpr app::Who server{"server"};

}  // namespace

void Replacement::start(const std::shared_ptr<Driver>& supervisor) {
    if (phase_ != Phase::none) return app::tell(server, events::replaces_already);
    supervisor_ = supervisor;
    for (const auto& child : std::views::reverse(supervisor->supervisor().which_children())) old_.push_back(child.id);
    next();
}

void Replacement::next() {
    phase_ = Phase::none;
    if (old_.empty()) return;
    phase_ = Phase::starting;
    const auto spec = successor_();
    new_ = spec.id;
    app::tell(server, events::replaces, old_.front(), new_);
    supervisor_->request(StartChildRequest{spec}, [this](const Answer& answer) { started(answer); });
}

void Replacement::started(const Answer& answer) {
    if (phase_ != Phase::starting) return;
    if (std::holds_alternative<RequestError>(answer)) {
        app::tell(server, events::keeps, old_.front(), to_string(answer));
        return cancel();
    }
    phase_ = Phase::retiring;
    look();
}

void Replacement::look() {
    if (phase_ != Phase::retiring) return;
    const auto children = supervisor_->supervisor().which_children();
    const auto child = std::ranges::find(children, old_.front(), &ChildInfo::id);
    if (child == children.end()) return removed();
    if (child->state == ChildState::running) {
        // Told once for each life: a worker that crashes while it drains comes back, and is told again.
        const auto process = workers_.find(child->id);
        if (!process || process == retiring_.lock()) return;
        retiring_ = process;
        process->send(control::Message::Kind::retire);
    } else if (child->state == ChildState::restarting || child->state == ChildState::undefined) {
        remove();  // it has no process, and need not get one
    }
}

void Replacement::drained(const ChildId& id) {
    if (phase_ == Phase::retiring && id == old_.front()) remove();
}

void Replacement::remove() {
    phase_ = Phase::removing;
    supervisor_->request(TerminateChildRequest{old_.front()});
    supervisor_->request(DeleteChildRequest{old_.front()}, [this](const Answer&) {
        if (phase_ == Phase::removing) removed();
    });
}

void Replacement::removed() {
    workers_.remove(old_.front());
    app::tell(server, events::replaced, old_.front(), new_);
    old_.pop_front();
    next();
}
