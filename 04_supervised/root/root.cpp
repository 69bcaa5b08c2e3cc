#include "04_supervised/root/root.hpp"

#include "04_supervised/otp/runtime/reports.hpp"
#include "app/events.hpp"
#include "app/server.hpp"

#include <boost/asio.hpp>

#include <csignal>
#include <iostream>

#include <fcntl.h>

namespace supervised {

namespace events = app::events;
using process::Message;
using namespace otp;

namespace {

constexpr app::Who server{"server"};

/// A worker may take this long to exit beyond the time of its clients. Then it is killed.
constexpr std::chrono::milliseconds exit_slack{2000};

bool can_open_terminal() {
    return process::Descriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).get() >= 0;
}

}  // namespace

Root::Root(Settings settings)
    : settings_(std::move(settings)),
      signals_(loop_, SIGINT, SIGTERM, SIGHUP),
      has_terminal_(can_open_terminal()),
      rolling_restart_(workers_, [this] { return worker(last_number_ + 1); }),
      tree_view_(loop_, workers_) {
    signals_.add(SIGUSR1);
    std::signal(SIGCHLD, SIG_DFL);  // it may be ignored from birth; then nobody would learn how workers end
    auto listener = app::listen_or_exit(loop_, settings_.server);
    address_ = listener.sockname();
    listener_ = process::Descriptor(listener.release());
}

int Root::run(const SupFlags& flags, const std::vector<ChildSpec>& children) {
    supervisor_ = std::make_shared<Runtime>(
        loop_, Supervisor("root", flags, children),
        Runtime::Callbacks{.started = [this] { started(); },
                           .exited = [this](const Reason& reason) { exited(reason); },
                           .report = [this](const Report& report) { reported(report); },
                           .progress = [this](const Progress& progress) { progressed(progress); },
                           .changed = [this] { changed(); }});
    supervisor_->start();
    wait_for_signal();
    loop_.run();
    if (is_announced_) app::tell(server, events::stopped);
    return exit_status_.value_or(EXIT_FAILURE);
}

// ---- workers --------------------------------------------------------------------------------------------------------

ChildSpec Root::worker(unsigned number) {
    last_number_ = number;
    const ChildId id = "worker-" + std::to_string(number);
    return {.id = id,
            .start = settings_.program,
            .shutdown = Shutdown::timeout(settings_.shutdown_timeout + exit_slack),
            .argument =
                Start([this, number, id](const ReportTo& report_to) { return start_worker(number, id, report_to); })};
}

std::shared_ptr<Child> Root::start_worker(unsigned number, const ChildId& id, const ReportTo& report_to) {
    if (is_stopping_) {
        report_to.ignored();
        return nullptr;
    }
    const bool again = workers_.has_been_up(id);
    auto worker =
        process::ProcessChild::start(loop_,
                                     {.name = id,
                                      .program = "/proc/self/exe",
                                      .arguments = settings_.arguments_of_worker(number, again),
                                      .descriptors = {listener_.get()},
                                      .start_timeout = settings_.start_timeout,
                                      .watchdog = settings_.watchdog,
                                      .on_ready = [this, id] { worker_is_ready(id); },
                                      .on_message = [this, id](const Message& message) { receive(id, message); }},
                                     report_to);
    workers_.add(id, worker);
    return worker;
}

void Root::worker_is_ready(const ChildId& id) {
    workers_.is_up(id);
    if (is_serving()) workers_.find(id)->send(Message::Kind::start_accepting);
}

void Root::receive(const ChildId& id, const Message& message) {
    switch (message.kind) {
        case Message::Kind::drained: return rolling_restart_.drained(id);
        case Message::Kind::tree: return tree_view_.answered(id, message.text);
        case Message::Kind::changed: return changed();
        // Its ProcessChild has heard these.
        case Message::Kind::ready:
        case Message::Kind::alive:
        case Message::Kind::fails:
        // Only the root says these.
        case Message::Kind::start_accepting:
        case Message::Kind::heartbeat:
        case Message::Kind::stop:
        case Message::Kind::retire:
        case Message::Kind::get_tree: return;
    }
}

// ---- what the supervisor says ---------------------------------------------------------------------------------------

void Root::started() {
    if (is_stopping_) return;
    app::announce(settings_.server, address_);
    is_announced_ = true;
    tell_started(supervisor_->supervisor());
    for (const auto& progress : untold_) tell(progress);
    untold_.clear();
    workers_.tell_all(Message::Kind::start_accepting);
}

void Root::progressed(const Progress& progress) {
    if (is_announced_) {
        tell(progress);
    } else {
        untold_.push_back(progress);
    }
}

void Root::reported(const Report& report) {
    if (report.context == Context::shutdown) {
        std::cerr << settings_.program << " gives up: " << last_crash_ << "; " << why_it_gives_up(report) << std::endl;
        stop_accepting();
    } else {
        last_crash_ = report.offender.id + " ended: " + to_string(report.reason);
    }
    if (is_announced_) return tell(report);
    if (report.context == Context::start_error) {
        why_it_cannot_start_ = report.offender.id + ": " + to_string(report.reason);  // and exited() comes
    } else {
        std::cerr << to_string(report) << std::endl;  // the first line of stdout is not out, and must come first
    }
}

void Root::changed() {
    rolling_restart_.children_changed();
    if (settings_.tree && is_serving()) tree_view_.show_changes(supervisor_);
}

void Root::exited(const Reason& reason) {
    if (!exit_status_) exit_status_ = EXIT_FAILURE;
    if (!is_announced_ && !is_stopping_) {
        const auto why = why_it_cannot_start_.empty() ? to_string(reason) : why_it_cannot_start_;
        std::cerr << settings_.program << " cannot start: " << why << std::endl;
    }
    listener_.close();
    loop_.stop();
}

// ---- signals --------------------------------------------------------------------------------------------------------

void Root::wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code, int signal) {
        app::tell(server, events::got_signal, process::signal_name(signal));
        obey(signal);
        wait_for_signal();
    });
}

void Root::obey(int signal) {
    if (signal == SIGUSR1) return tree_view_.show(supervisor_);
    if (signal == SIGHUP) return hang_up();
    stop();
}

/// SIGHUP comes from a person who wants new workers, or from a terminal that is closed. With the terminal goes the
/// person who could stop the server.
void Root::hang_up() {
    const bool terminal_has_gone = has_terminal_ && !can_open_terminal();
    if (terminal_has_gone) return stop();
    if (is_serving()) rolling_restart_.start(supervisor_);
}

void Root::stop() {
    if (is_stopping_) return;
    exit_status_ = EXIT_SUCCESS;
    stop_accepting();
    supervisor_->exit(Reason::shutdown());
}

/// The root and all workers at once. The supervisor stops the workers one after another, as OTP does; without this, the
/// second one would begin to drain only when the first one has ended.
void Root::stop_accepting() {
    is_stopping_ = true;
    rolling_restart_.cancel();
    app::tell(server, events::stops_accepting);
    listener_.close();
    workers_.tell_all(Message::Kind::stop);
}

}  // namespace supervised
