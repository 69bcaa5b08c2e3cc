#include "04_supervised/otp/runtime/runtime.hpp"

#include <boost/asio/post.hpp>

#include <ranges>

namespace otp {

namespace asio = boost::asio;

// --- Reports of the children ----------------------------------------------------------------------------------------

void ReportTo::started(std::string label) const {
    tell(ChildStarted{pid_, std::move(label)});
}
void ReportTo::ignored() const {
    tell(ChildIgnored{pid_});
}
void ReportTo::failed(Reason reason) const {
    tell(ChildStartFailed{pid_, std::move(reason)});
}
void ReportTo::exited(Reason reason) const {
    tell(ChildExited{pid_, std::move(reason)});
}
void ReportTo::tell(Event event) const {
    if (const auto supervisor = supervisor_.lock()) supervisor->deliver(std::move(event));
}

// --- Events ---------------------------------------------------------------------------------------------------------

Runtime::Runtime(asio::io_context& loop, Supervisor supervisor, Callbacks callbacks)
    : loop_(loop), supervisor_(std::move(supervisor)), callbacks_(std::move(callbacks)) {}

void Runtime::start() {
    asio::post(loop_, [self = shared_from_this()] {
        self->carry_out(self->supervisor_.start(std::chrono::steady_clock::now()));
    });
}

void Runtime::exit(Reason reason) {
    deliver(ExitSignal{std::move(reason)});
}

void Runtime::kill() {
    for (const auto& [pid, child] : children_) child->kill();
    exit(Reason::killed());
}

void Runtime::request(Request::Body body, OnAnswer on_answer) {
    ++last_request_;
    if (on_answer) unanswered_[last_request_] = std::move(on_answer);
    deliver(Request{last_request_, std::move(body)});
}

void Runtime::deliver(Event event) {
    asio::post(loop_, [self = shared_from_this(), event = std::move(event)] { self->handle(event); });
}

void Runtime::handle(const Event& event) {
    if (supervisor_.over() && !std::holds_alternative<Request>(event)) return;
    const auto actions = supervisor_.handle(event, std::chrono::steady_clock::now());
    if (const auto* exited = std::get_if<ChildExited>(&event)) children_.erase(exited->pid);
    if (const auto* failed = std::get_if<ChildStartFailed>(&event)) children_.erase(failed->pid);
    if (const auto* ignored = std::get_if<ChildIgnored>(&event)) children_.erase(ignored->pid);
    carry_out(actions);
    if (callbacks_.changed) callbacks_.changed();
}

// --- Actions --------------------------------------------------------------------------------------------------------

void Runtime::carry_out(const Actions& actions) {
    for (const auto& action : actions) {
        std::visit([this](const auto& wanted) { carry_out(wanted); }, action);
    }
}

void Runtime::carry_out(const StartChild& action) {
    const ReportTo report_to(weak_from_this(), action.pid);
    try {
        const auto& start = std::any_cast<const Start&>(action.spec.argument);
        children_[action.pid] = start(report_to);
    } catch (const std::exception& error) {
        report_to.failed(Reason::abnormal(error.what()));
    }
}

void Runtime::carry_out(const StopChild& action) {
    if (const auto child = children_.find(action.pid); child != children_.end()) child->second->stop();
}

void Runtime::carry_out(const KillChild& action) {
    if (const auto child = children_.find(action.pid); child != children_.end()) child->second->kill();
}

void Runtime::carry_out(const ArmTimer& action) {
    auto& timer = timers_.try_emplace(action.timer, loop_, action.after).first->second;
    timer.async_wait([weak = weak_from_this(), id = action.timer](boost::system::error_code disarmed) {
        const auto self = weak.lock();
        if (disarmed || !self) return;
        self->timers_.erase(id);
        self->handle(TimerFired{id});
    });
}

void Runtime::carry_out(const DisarmTimer& action) {
    timers_.erase(action.timer);
}

void Runtime::carry_out(const Reply& action) {
    if (const auto on_answer = unanswered_.extract(action.request)) on_answer.mapped()(action.answer);
}

void Runtime::carry_out(const Report& action) {
    if (callbacks_.report) callbacks_.report(action);
}

void Runtime::carry_out(const Progress& action) {
    if (callbacks_.progress) callbacks_.progress(action);
}

void Runtime::carry_out(const SupervisorStarted&) {
    if (callbacks_.started) callbacks_.started();
}

void Runtime::carry_out(const SupervisorExited& action) {
    if (callbacks_.exited) callbacks_.exited(action.reason);
}

// --- The tree -------------------------------------------------------------------------------------------------------

std::string Runtime::tree(std::size_t depth, const Below& below) const {
    const auto now = std::chrono::steady_clock::now();
    const std::string indent(4 * depth, ' ');
    std::string lines;
    // which_children lists the youngest first, as OTP does.
    for (const auto& info : std::views::reverse(supervisor_.which_children())) {
        lines += indent + to_string(info, now) + "\n";
        const auto child = children_.find(info.pid);
        const auto* runtime = child == children_.end() || !child->second ? nullptr : child->second->below();
        if (runtime) lines += runtime->tree(depth + 1);
        if (below) lines += below(info);
    }
    return lines;
}

// --- A supervisor as a child ----------------------------------------------------------------------------------------

namespace {

class SupervisorChild : public Child {
public:
    explicit SupervisorChild(std::shared_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}

    void stop() override { runtime_->exit(Reason::shutdown()); }
    void kill() override { runtime_->kill(); }
    const Runtime* below() const override { return runtime_.get(); }

private:
    std::shared_ptr<Runtime> runtime_;
};

}  // namespace

Start supervisor_child(asio::io_context& loop, const std::string& name, const SupFlags& flags,
                       const std::vector<ChildSpec>& children, const std::function<void(const Report&)>& report,
                       const std::function<void()>& changed, const std::function<void(const Progress&)>& progress) {
    return [=, &loop](const ReportTo& report_to) {
        const auto is_up = std::make_shared<bool>(false);
        const auto started = [report_to, is_up] {
            *is_up = true;
            report_to.started();
        };
        const auto exited = [report_to, is_up](const Reason& reason) {
            if (*is_up) return report_to.exited(reason);
            report_to.failed(reason);
        };
        auto runtime = std::make_shared<Runtime>(
            loop, Supervisor(name, flags, children),
            Runtime::Callbacks{
                .started = started, .exited = exited, .report = report, .progress = progress, .changed = changed});
        runtime->start();
        return std::make_shared<SupervisorChild>(std::move(runtime));
    };
}

}  // namespace otp
