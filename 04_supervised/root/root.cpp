#include "04_supervised/root/root.hpp"

#include "04_supervised/otp/runtime/reports.hpp"
#include "app/events.hpp"
#include "app/server.hpp"

#include <boost/asio.hpp>

#include <csignal>
#include <iostream>

#include <fcntl.h>

namespace events = app::events;
using control::Message;
using namespace supervision;

namespace {

constexpr app::Who server{"server"};

/// What a worker needs beyond its own --shutdown-timeout until it has exited; then it is killed.
constexpr std::chrono::milliseconds exit_slack{2000};

std::string name_of(int signal) {
    return "SIG" + std::string(::sigabbrev_np(signal));
}

bool can_open_terminal() {
    return Descriptor(::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)).get() >= 0;
}

}  // namespace

Root::Root(const Options& options)
    : options_(options),
      signals_(loop_, SIGINT, SIGTERM, SIGHUP),
      has_terminal_(can_open_terminal()),
      replacement_(workers_, [this] { return worker(last_number_ + 1); }),
      tree_view_(loop_, workers_) {
    signals_.add(SIGUSR1);
    std::signal(SIGCHLD, SIG_DFL);  // whoever started us may have ignored it; then nobody would learn how workers end
    auto listener = app::listen_or_exit(loop_, options.server);
    address_ = listener.sockname();
    listener_ = Descriptor(listener.release());
}

int Root::run(const SupFlags& flags, const std::vector<ChildSpec>& children) {
    supervisor_ = std::make_shared<Driver>(
        loop_, Supervisor("root", flags, children),
        Driver::Listeners{.started = [this] { started(); },
                          .exited = [this](const Reason& reason) { exited(reason); },
                          .report = [this](const Report& report) { reported(report); },
                          .progress = [this](const Progress& progress) { progressed(progress); },
                          .changed = [this] { changed(); }});
    supervisor_->start();
    wait_for_signal();
    loop_.run();
    app::tell(server, events::stopped);
    return exit_code_.value_or(EXIT_FAILURE);
}

// ---- workers --------------------------------------------------------------------------------------------------------

ChildSpec Root::worker(unsigned number) {
    last_number_ = number;
    const ChildId id = "worker-" + std::to_string(number);
    return {.id = id,
            .start = options_.arguments.front(),
            .shutdown = Shutdown::timeout(options_.pool.shutdown_timeout + exit_slack),
            .argument = Start([this, number, id](const Link& link) { return start_worker(number, id, link); })};
}

std::shared_ptr<Life> Root::start_worker(unsigned number, const ChildId& id, const Link& link) {
    if (is_stopping_) {
        link.ignored();
        return nullptr;
    }
    auto process = Process::start(loop_,
                                  {.name = id,
                                   .program = "/proc/self/exe",
                                   .arguments = options_.arguments_of_worker(number),
                                   .descriptors = {listener_.get()},
                                   .watchdog = std::chrono::milliseconds(options_.watchdog_ms),
                                   .on_ready =
                                       [this, id] {
                                           if (is_announced_ && !is_stopping_)
                                               workers_.find(id)->send(Message::Kind::start_accepting);
                                       },
                                   .on_message = [this, id](const Message& message) { receive(id, message); }},
                                  link);
    workers_.add(id, process);
    return process;
}

void Root::receive(const ChildId& id, const Message& message) {
    switch (message.kind) {
        case Message::Kind::drained: return replacement_.drained(id);
        case Message::Kind::tree: return tree_view_.answered(id, message.text);
        case Message::Kind::changed: return changed();
        default: return;  // what only the root says
    }
}

// ---- what the supervisor says ---------------------------------------------------------------------------------------

void Root::started() {
    if (is_stopping_) return;
    app::announce(options_.server, address_);
    is_announced_ = true;
    for (const auto& progress : untold_) tell(progress);
    untold_.clear();
    workers_.tell_all(Message::Kind::start_accepting);
}

void Root::progressed(const Progress& progress) {
    is_announced_ ? tell(progress) : untold_.push_back(progress);
}

void Root::reported(const Report& report) {
    if (report.context == Context::shutdown) {
        std::cerr << "04_supervised gives up: " << last_crash_ << "; " << why_it_gives_up(report) << std::endl;
        stop_accepting();
    } else {
        last_crash_ = report.offender.id + " ended: " + to_string(report.reason);
    }
    if (is_announced_) return tell(report);
    std::cerr << to_string(report) << std::endl;  // the first line of stdout is not out, and must come first
}

void Root::changed() {
    replacement_.look();
    if (options_.tree && is_announced_ && !is_stopping_) tree_view_.show_changes(supervisor_);
}

void Root::exited(const Reason& reason) {
    if (!exit_code_) exit_code_ = EXIT_FAILURE;
    if (!is_announced_ && !is_stopping_) std::cerr << "04_supervised cannot start: " << to_string(reason) << std::endl;
    listener_.close();
    loop_.stop();
}

// ---- signals --------------------------------------------------------------------------------------------------------

void Root::wait_for_signal() {
    signals_.async_wait([this](boost::system::error_code, int signal) {
        app::tell(server, events::got_signal, name_of(signal));
        obey(signal);
        wait_for_signal();
    });
}

void Root::obey(int signal) {
    if (signal == SIGUSR1) return tree_view_.show(supervisor_);
    // A terminal that is closed says SIGHUP too, and then nobody is left to stop us.
    const bool terminal_has_gone = signal == SIGHUP && has_terminal_ && !can_open_terminal();
    if (signal == SIGHUP && !terminal_has_gone) {
        if (is_announced_ && !is_stopping_) replacement_.start(supervisor_);
        return;
    }
    if (!is_stopping_) stop();
}

void Root::stop() {
    exit_code_ = EXIT_SUCCESS;
    stop_accepting();
    supervisor_->exit(Reason::shutdown());
}

/// All workers at once, and the root; the supervisor then stops them one after another, as OTP does, and one that still
/// has clients does not make those of the next one wait.
void Root::stop_accepting() {
    is_stopping_ = true;
    replacement_.cancel();
    app::tell(server, events::stops_accepting);
    listener_.close();
    workers_.tell_all(Message::Kind::stop);
}
