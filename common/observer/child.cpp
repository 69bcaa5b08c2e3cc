#include "observer/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace observer {

namespace {

/// So that a server which tells a lot does not have to wait for us to be scheduled.
constexpr int pipe_bytes = 1 << 20;

void check(bool is_good, const std::string& what) {
    if (!is_good) throw std::system_error(errno, std::system_category(), what);
}

/// In the new process: becomes the program, or says through the pipe why it cannot.
[[noreturn]] void become(const std::vector<char*>& words, int output, int failure, pid_t parent) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) ::_exit(1);  // we were too late to ask for that signal
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) std::signal(number, SIG_DFL);
    ::dup2(output, STDOUT_FILENO);
    // Nothing of ours, above all not the socket that the page is asked for at. What was opened as it should be closes
    // anyway; Asio's sockets do not.
    constexpr unsigned first = 3;
    ::close_range(first, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execvp(words.front(), words.data());
    const int error = errno;
    const auto written = ::write(failure, &error, sizeof error);
    ::_exit(written == sizeof error ? 127 : 126);
}

}  // namespace

Child::Child(const std::vector<std::string>& command) {
    std::vector<char*> words;
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    std::array<int, 2> out{}, failure{};
    check(::pipe2(out.data(), O_CLOEXEC) == 0, "pipe");
    check(::pipe2(failure.data(), O_CLOEXEC) == 0, "pipe");
    ::fcntl(out[0], F_SETPIPE_SZ, pipe_bytes);  // where that is not allowed, a smaller one has to do
    ::fcntl(out[0], F_SETFL, O_NONBLOCK);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    check(child >= 0, "fork");
    if (child == 0) become(words, out[1], failure[1], parent);
    pid_ = child;  // NOLINT(cppcoreguidelines-prefer-member-initializer): it is born only here
    ::close(out[1]);
    ::close(failure[1]);
    int error = 0;
    const auto size = ::read(failure[0], &error, sizeof error);  // nothing, once it has become the program
    ::close(failure[0]);
    output_ = out[0];
    if (size == sizeof error) {
        ::waitpid(pid_, nullptr, 0);
        throw std::system_error(error, std::system_category(), command.front());
    }
    // By its number: glibc 2.36 declares pidfd_open without extern "C".
    pidfd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    check(pidfd_ >= 0, "pidfd_open");
}

void Child::signal(int number) const {
    if (!is_over_) ::kill(pid_, number);
}

bool Child::has_ended(End& end) {
    int status = 0;
    if (is_over_ || ::waitpid(pid_, &status, WNOHANG) != pid_) return false;
    is_over_ = true;
    if (WIFSIGNALED(status)) {
        constexpr int by_signal = 128;
        end = {by_signal + WTERMSIG(status), true, "by signal " + std::string(::sigabbrev_np(WTERMSIG(status)))};
    } else {
        const int code = WEXITSTATUS(status);
        end = {code, code != 0, "with exit status " + std::to_string(code)};
    }
    return true;
}

}  // namespace observer
