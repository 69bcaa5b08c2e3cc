#include "04_supervised/otp/runtime/runtime.hpp"

#include <boost/asio/post.hpp>

#include <ranges>

namespace supervision {

namespace asio = boost::asio;

// --- Link -----------------------------------------------------------------------------------------------------------

void Link::started(std::string label) const {
    tell(ChildStarted{pid_, std::move(label)});
}
void Link::ignored() const {
    tell(ChildIgnored{pid_});
}
void Link::failed(Reason reason) const {
    tell(ChildStartFailed{pid_, std::move(reason)});
}
void Link::exited(Reason reason) const {
    tell(ChildExited{pid_, std::move(reason)});
}
void Link::tell(Event event) const {
    if (const auto supervisor = supervisor_.lock()) supervisor->deliver(std::move(event));
}

// --- Events ---------------------------------------------------------------------------------------------------------

Driver::Driver(asio::io_context& loop, Supervisor supervisor, Listeners listeners)
    : loop_(loop), supervisor_(std::move(supervisor)), listeners_(std::move(listeners)) {}

void Driver::start() {
    asio::post(loop_, [self = shared_from_this()] {
        self->carry_out(self->supervisor_.start(std::chrono::steady_clock::now()));
    });
}

void Driver::exit(Reason reason) {
    deliver(ExitSignal{std::move(reason)});
}

void Driver::kill() {
    for (const auto& [pid, life] : lives_) life->kill();
    exit(Reason::killed());
}

void Driver::request(Request request, ReplyTo reply) {
    ++last_request_;
    if (reply) replies_[last_request_] = std::move(reply);
    deliver(supervision::Request{last_request_, std::move(request)});
}

void Driver::deliver(Event event) {
    asio::post(loop_, [self = shared_from_this(), event = std::move(event)] { self->handle(event); });
}

void Driver::handle(const Event& event) {
    if (supervisor_.over() && !std::holds_alternative<supervision::Request>(event)) return;
    const auto actions = supervisor_.handle(event, std::chrono::steady_clock::now());
    if (const auto* exited = std::get_if<ChildExited>(&event)) lives_.erase(exited->pid);
    if (const auto* failed = std::get_if<ChildStartFailed>(&event)) lives_.erase(failed->pid);
    if (const auto* ignored = std::get_if<ChildIgnored>(&event)) lives_.erase(ignored->pid);
    carry_out(actions);
    if (listeners_.changed) listeners_.changed();
}

// --- Actions --------------------------------------------------------------------------------------------------------

void Driver::carry_out(const Actions& actions) {
    for (const auto& action : actions) {
        std::visit([this](const auto& wanted) { carry_out(wanted); }, action);
    }
}

void Driver::carry_out(const StartChild& action) {
    const Link link(weak_from_this(), action.pid);
    try {
        lives_[action.pid] = std::any_cast<const Start&>(action.spec.argument)(link);
    } catch (const std::exception& error) {
        link.failed(Reason::abnormal(error.what()));
    }
}

void Driver::carry_out(const StopChild& action) {
    if (const auto life = lives_.find(action.pid); life != lives_.end()) life->second->stop();
}

void Driver::carry_out(const KillChild& action) {
    if (const auto life = lives_.find(action.pid); life != lives_.end()) life->second->kill();
}

void Driver::carry_out(const ArmTimer& action) {
    auto& timer = timers_.try_emplace(action.timer, loop_, action.after).first->second;
    timer.async_wait([weak = weak_from_this(), id = action.timer](boost::system::error_code disarmed) {
        const auto self = weak.lock();
        if (disarmed || !self) return;
        self->timers_.erase(id);
        self->handle(TimerFired{id});
    });
}

void Driver::carry_out(const DisarmTimer& action) {
    timers_.erase(action.timer);
}

void Driver::carry_out(const Reply& action) {
    if (const auto reply = replies_.extract(action.request)) reply.mapped()(action.answer);
}

void Driver::carry_out(const Report& action) {
    if (listeners_.report) listeners_.report(action);
}

void Driver::carry_out(const Progress& action) {
    if (listeners_.progress) listeners_.progress(action);
}

void Driver::carry_out(const SupervisorStarted&) {
    if (listeners_.started) listeners_.started();
}

void Driver::carry_out(const SupervisorExited& action) {
    if (listeners_.exited) listeners_.exited(action.reason);
}

// --- The tree -------------------------------------------------------------------------------------------------------

std::string Driver::tree(std::size_t depth, const Below& below) const {
    const auto now = std::chrono::steady_clock::now();
    const std::string indent(4 * depth, ' ');
    std::string lines;
    // which_children lists the youngest first, as OTP does.
    for (const auto& child : std::views::reverse(supervisor_.which_children())) {
        lines += indent + to_string(child, now) + "\n";
        const auto life = lives_.find(child.pid);
        const auto* driver = life == lives_.end() || !life->second ? nullptr : life->second->below();
        if (driver) lines += driver->tree(depth + 1);
        if (below) lines += below(child);
    }
    return lines;
}

// --- A supervisor as a child ----------------------------------------------------------------------------------------

namespace {

class SupervisorLife : public Life {
public:
    explicit SupervisorLife(std::shared_ptr<Driver> driver) : driver_(std::move(driver)) {}

    void stop() override { driver_->exit(Reason::shutdown()); }
    void kill() override { driver_->kill(); }
    const Driver* below() const override { return driver_.get(); }

private:
    std::shared_ptr<Driver> driver_;
};

}  // namespace

Start supervisor_child(asio::io_context& loop, const std::string& name, const SupFlags& flags,
                       const std::vector<ChildSpec>& children, const std::function<void(const Report&)>& report,
                       const std::function<void()>& changed) {
    return [=, &loop](const Link& link) {
        const auto is_up = std::make_shared<bool>(false);
        const auto started = [link, is_up] {
            *is_up = true;
            link.started();
        };
        const auto exited = [link, is_up](const Reason& reason) { *is_up ? link.exited(reason) : link.failed(reason); };
        auto driver = std::make_shared<Driver>(
            loop, Supervisor(name, flags, children),
            Driver::Listeners{.started = started, .exited = exited, .report = report, .changed = changed});
        driver->start();
        return std::make_shared<SupervisorLife>(std::move(driver));
    };
}

}  // namespace supervision
