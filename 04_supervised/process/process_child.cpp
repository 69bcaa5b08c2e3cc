#include "04_supervised/process/process_child.hpp"

#include "app/events.hpp"

#include <csignal>
#include <cstring>

#include <sys/syscall.h>
#include <sys/wait.h>

namespace supervision {

namespace asio = boost::asio;
using Kind = control::Message::Kind;

namespace {

constexpr app::Who server{"server"};

/// How often the watchdog looks within its time.
constexpr int looks = 4;

Spawned spawn_with(const Process::Options& options, const Descriptor& control_end) {
    auto descriptors = options.descriptors;
    descriptors.push_back(control_end.get());
    return spawn(options.program, options.arguments, descriptors);
}

}  // namespace

std::shared_ptr<Process> Process::start(asio::io_context& loop, Options options, const Link& link) {
    auto process = std::make_shared<Process>(loop, std::move(options), link, control::Socket::pair());
    process->wait_for_end();
    process->limit_start();
    // Not the process itself: it owns what would own it.
    process->control_.start([self = process.get()](const auto& message) { self->receive(message); }, [] {});
    return process;
}

Process::Process(asio::io_context& loop, Options options, Link link, std::pair<Descriptor, Descriptor> ends)
    : options_(std::move(options)),
      link_(std::move(link)),
      control_(loop, std::move(ends.first)),
      pidfd_(loop),
      timer_(loop) {
    auto spawned = spawn_with(options_, ends.second);
    pid_ = spawned.pid;
    pidfd_.assign(spawned.pidfd.release());
}

// ---- its end --------------------------------------------------------------------------------------------------------

void Process::stop() {
    was_asked_ = true;
    signal(SIGTERM);
}

void Process::kill() {
    signal(SIGKILL);
}

void Process::signal(int number) {
    ::syscall(SYS_pidfd_send_signal, pidfd_.native_handle(), number, nullptr, 0);
}

void Process::wait_for_end() {
    pidfd_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [self = shared_from_this()](boost::system::error_code) { self->ended(); });
}

void Process::ended() {
    siginfo_t info{};
    const int error = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.native_handle()), &info, WEXITED | WNOHANG);
    if (error == 0 && info.si_pid == 0) return wait_for_end();
    control_.receive_rest();  // its last words: it may have become ready before
    has_ended_ = true;
    timer_.cancel();
    // Where somebody else has taken its status (SIGCHLD ignored, for instance), nobody knows any more.
    const auto reason = error == 0 ? why_ended(info.si_code, info.si_status) : Reason::abnormal("unknown");
    is_ready_ ? link_.exited(reason) : link_.failed(reason);
}

Reason Process::why_ended(int code, int status) const {
    const auto ms = [](std::chrono::milliseconds time) { return std::to_string(time.count()) + " ms"; };
    if (was_too_slow_) return Reason::abnormal("not ready within " + ms(options_.start_timeout));
    if (code == CLD_EXITED) {
        if (status == 0) return Reason::normal();
        if (status == control::exit_shutdown) return Reason::shutdown();
        return Reason::abnormal("exit status " + std::to_string(status));
    }
    const std::string signal = "SIG" + std::string(::sigabbrev_np(status));
    if (was_hung_) return Reason::abnormal("no heartbeat within " + ms(options_.watchdog) + ": " + signal);
    if (status == SIGKILL) return Reason::killed();
    if (status == SIGTERM && was_asked_) return Reason::shutdown();
    return Reason::abnormal(signal);
}

// ---- its life -------------------------------------------------------------------------------------------------------

void Process::receive(const control::Message& message) {
    if (message.kind == Kind::alive) {
        has_answered_ = true;
    } else if (message.kind != Kind::ready) {
        if (options_.on_message) options_.on_message(message);
    } else if (!is_ready_ && !was_too_slow_) {
        is_ready_ = true;
        timer_.cancel();
        link_.started(std::to_string(pid_));
        if (options_.on_ready) options_.on_ready();
        if (options_.watchdog.count() > 0) watch();
    }
}

void Process::limit_start() {
    timer_.expires_after(options_.start_timeout);
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->is_ready_ || self->has_ended_) return;
        app::tell(server, app::events::starts_too_slowly, self->options_.name);
        self->was_too_slow_ = true;
        self->kill();
    });
}

void Process::watch() {
    timer_.expires_after(std::max(options_.watchdog / looks, std::chrono::milliseconds(1)));
    timer_.async_wait([weak = weak_from_this()](boost::system::error_code cancelled) {
        const auto self = weak.lock();
        if (cancelled || !self || self->has_ended_) return;
        self->look();
        self->watch();
    });
}

/// Looks are counted, not time: where this very process was suspended, or the whole machine, it has looked only once.
void Process::look() {
    control_.send(Kind::heartbeat);
    looks_in_vain_ = std::exchange(has_answered_, false) ? 0 : looks_in_vain_ + 1;
    const bool abort = looks_in_vain_ == looks;
    const bool kill = looks_in_vain_ == 2 * looks;  // a process that is stopped does not even get SIGABRT
    if (!abort && !kill) return;
    was_hung_ = true;
    app::tell(server, app::events::does_not_answer, options_.name, options_.watchdog.count() * (abort ? 1 : 2),
              abort ? "SIGABRT" : "SIGKILL");
    signal(abort ? SIGABRT : SIGKILL);
}

}  // namespace supervision
