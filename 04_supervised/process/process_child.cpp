#include "04_supervised/process/process_child.hpp"

#include "app/events.hpp"

#include <csignal>

#include <sys/syscall.h>
#include <sys/wait.h>

namespace process {

namespace asio = boost::asio;
using Kind = Message::Kind;
using otp::Reason;

namespace {

constexpr app::Who server{"server"};

/// How often the watchdog looks within its time.
constexpr int looks = 4;

Spawned spawn_with(const ProcessChild::Options& options, const Descriptor& channel_end) {
    auto descriptors = options.descriptors;
    descriptors.push_back(channel_end.get());
    return spawn(options.program, options.arguments, descriptors);
}

}  // namespace

std::shared_ptr<ProcessChild> ProcessChild::start(asio::io_context& loop, Options options,
                                                  const otp::ReportTo& report_to) {
    auto child = std::make_shared<ProcessChild>(loop, std::move(options), report_to, Channel::pair());
    child->wait_for_end();
    child->limit_start();
    // A plain pointer: the child owns the channel, which must not own the child.
    child->channel_.start([self = child.get()](const Message& message) { self->receive(message); }, [] {});
    return child;
}

ProcessChild::ProcessChild(asio::io_context& loop, Options options, otp::ReportTo report_to,
                           std::pair<Descriptor, Descriptor> ends)
    : options_(std::move(options)),
      report_to_(std::move(report_to)),
      channel_(loop, std::move(ends.first)),
      pidfd_(loop),
      timer_(loop) {
    auto spawned = spawn_with(options_, ends.second);
    pid_ = spawned.pid;
    pidfd_.assign(spawned.pidfd.release());
}

// ---- its end --------------------------------------------------------------------------------------------------------

void ProcessChild::stop() {
    was_asked_ = true;
    signal(SIGTERM);
}

void ProcessChild::kill() {
    signal(SIGKILL);
}

void ProcessChild::signal(int number) {
    ::syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), number, nullptr, 0);
}

void ProcessChild::wait_for_end() {
    pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](boost::system::error_code) { self->ended(); });
}

void ProcessChild::ended() {
    siginfo_t info{};
    const int error = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED | WNOHANG);
    if (error == 0 && info.si_pid == 0) return wait_for_end();
    channel_.receive_rest();  // the last words: the process may have become ready before
    has_ended_ = true;
    timer_.cancel();
    // Where something else has taken the status (SIGCHLD ignored, for instance), nobody knows any more.
    const auto reason = error == 0 ? why_ended(info.si_code, info.si_status) : Reason::abnormal("unknown");
    if (is_ready_) {
        report_to_.exited(reason);
    } else {
        report_to_.failed(reason);
    }
}

Reason ProcessChild::why_ended(int code, int status) const {
    const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; };
    if (was_too_slow_) return Reason::abnormal("not ready within " + ms(options_.start_timeout));
    if (code == CLD_EXITED) {
        if (status == 0) return Reason::normal();
        if (status == exit_shutdown) return Reason::shutdown();
        return Reason::abnormal(last_words_.empty() ? "exit status " + std::to_string(status) : last_words_);
    }
    const auto signal = signal_name(status);
    if (was_hung_) return Reason::abnormal("no heartbeat within " + ms(options_.watchdog) + ": " + signal);
    if (status == SIGKILL) return Reason::killed();
    if (status == SIGTERM && was_asked_) return Reason::shutdown();
    return Reason::abnormal(signal);
}

// ---- its life -------------------------------------------------------------------------------------------------------

void ProcessChild::receive(const Message& message) {
    switch (message.kind) {
        case Kind::ready: return became_ready();
        case Kind::alive: return answered();
        case Kind::fails: last_words_ = message.text; return;
        case Kind::drained:
        case Kind::tree:
        case Kind::changed:
            if (options_.on_message) options_.on_message(message);
            return;
        case Kind::start_accepting:
        case Kind::heartbeat:
        case Kind::stop:
        case Kind::retire:
        case Kind::get_tree: return;  // only the root says this
    }
}

void ProcessChild::became_ready() {
    if (is_ready_ || was_too_slow_) return;
    is_ready_ = true;
    timer_.cancel();
    report_to_.started(std::to_string(pid_));
    if (options_.on_ready) options_.on_ready();
    if (options_.watchdog.count() > 0) watch();
}

void ProcessChild::limit_start() {
    timer_.expires_after(options_.start_timeout);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->is_ready_ || self->has_ended_) return;
        app::tell(server, app::events::starts_too_slowly, self->options_.name);
        self->was_too_slow_ = true;
        self->kill();
    });
}

void ProcessChild::watch() {
    timer_.expires_after(std::max(options_.watchdog / looks, std::chrono::milliseconds(1)));
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->has_ended_) return;
        self->look();
        self->watch();
    });
}

/// Counts looks, not time: after this very process was suspended, or the whole machine, there was one look only.
void ProcessChild::look() {
    channel_.send(Kind::heartbeat);
    asked_ = std::chrono::steady_clock::now();
    looks_in_vain_ = std::exchange(has_answered_, false) ? 0 : looks_in_vain_ + 1;
    if (looks_in_vain_ == looks) end_hung(SIGABRT, options_.watchdog);
    // A process that is stopped does not even get SIGABRT.
    if (looks_in_vain_ == 2 * looks) end_hung(SIGKILL, 2 * options_.watchdog);
}

void ProcessChild::answered() {
    has_answered_ = true;
    const auto after = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - asked_);
    app::tell(server, app::events::answers, options_.name, after.count(), options_.watchdog.count());
}

void ProcessChild::end_hung(int signal_number, std::chrono::milliseconds after) {
    was_hung_ = true;
    app::tell(server, app::events::does_not_answer, options_.name, after.count(), signal_name(signal_number));
    signal(signal_number);
}

}  // namespace process
