#include "support/process.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ostream>
#include <sstream>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace support {

namespace {

/// The command, behind those that set its conditions and then become it by exec: no code of ours runs between fork and
/// exec, where little is allowed in a program with threads.
std::vector<std::string> with_conditions(const Command& command) {
    std::vector<std::string> words{"setpriv", "--pdeathsig", "KILL"};
    if (command.user) {
        const auto id = std::to_string(*command.user);
        words.insert(words.end(), {"--reuid", id, "--regid", id, "--clear-groups"});
    }
    if (command.max_open_files || command.max_address_space) {
        words.push_back("prlimit");
        if (command.max_open_files) words.push_back("--nofile=" + std::to_string(*command.max_open_files));
        if (command.max_address_space) words.push_back("--as=" + std::to_string(*command.max_address_space));
    }
    words.insert(words.end(), command.words.begin(), command.words.end());
    return words;
}

/// Our environment with the command's changes. Sanitizers are told to leave the signals of a crash alone, and to make
/// one of what they find.
std::vector<std::string> environment_of(const Command& command) {
    auto changes = command.environment;
    for (const auto* const sanitizer : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS"}) {
        const char* const ours = std::getenv(sanitizer);
        changes.try_emplace(sanitizer, std::string(ours != nullptr ? ours : "") + ":handle_segv=0:abort_on_error=1");
    }
    std::vector<std::string> all;
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string text = *variable;
        if (!changes.contains(text.substr(0, text.find('=')))) all.push_back(text);
    }
    for (const auto& [name, value] : changes) all.push_back(name + "=" + value);
    return all;
}

/// A null-terminated array of C strings, which live in `words`.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    for (auto& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    return pointers;
}

/// What posix_spawn does in the child before it becomes the program.
class Preparations {
public:
    Preparations() {
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawnattr_init(&attributes);
        // The child starts with no signal blocked or ignored, whatever the thread that starts it has done.
        sigset_t signals;
        sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes, &signals);
        sigaddset(&signals, SIGPIPE);
        ::posix_spawnattr_setsigdefault(&attributes, &signals);
        set_flags(0);
    }
    ~Preparations() {
        ::posix_spawn_file_actions_destroy(&actions);
        ::posix_spawnattr_destroy(&attributes);
    }
    Preparations(const Preparations&) = delete;
    Preparations& operator=(const Preparations&) = delete;

    void set_flags(int more) {
        ::posix_spawnattr_setflags(&attributes,
                                   static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | more));
    }

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

pid_t spawn(const Command& command, const Preparations& preparations) {
    auto words = with_conditions(command);
    auto environment = environment_of(command);
    pid_t pid = -1;
    const int error = ::posix_spawnp(&pid, words[0].c_str(), &preparations.actions, &preparations.attributes,
                                     pointers_to(words).data(), pointers_to(environment).data());
    if (error != 0) throw std::system_error(error, std::generic_category(), "cannot start " + words[0]);
    return pid;
}

Descriptor pidfd_of(pid_t pid) {
    return Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

std::string proc(pid_t pid, const std::string& file) {
    return "/proc/" + std::to_string(pid) + "/" + file;
}

/// The value of a line `Name:   value …` in /proc/PID/status.
std::size_t status_of(pid_t pid, const std::string& name) {
    std::ifstream status(proc(pid, "status"));
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(name + ":")) return std::stoull(line.substr(name.size() + 1));
    }
    throw Failure("process " + std::to_string(pid) + " has no " + name + ": has it ended?");
}

}  // namespace

std::string to_string(const Exit& exit) {
    if (exit.signal != 0)
        return "killed by signal " + std::to_string(exit.signal) + " SIG" + ::sigabbrev_np(exit.signal);
    return "exited with code " + std::to_string(exit.code);
}

std::ostream& operator<<(std::ostream& out, const Exit& exit) {
    return out << to_string(exit);
}

std::string path_of(const std::string& program) {
    return std::string(FIVE_PROGRAMS) + "/" + program;
}

bool is_installed(const std::string& program) {
    const char* const path = std::getenv("PATH");
    std::istringstream directories(path != nullptr ? path : "");
    for (std::string directory; std::getline(directories, directory, ':');) {
        if (::access((directory + "/" + program).c_str(), X_OK) == 0) return true;
    }
    return false;
}

Process::Process(const Command& command, const Streams& streams) {
    Preparations preparations;
    ::posix_spawn_file_actions_adddup2(&preparations.actions, streams.in, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&preparations.actions, streams.out, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&preparations.actions, streams.err, STDERR_FILENO);
    pid_ = spawn(command, preparations);
    pidfd_ = pidfd_of(pid_);
}

Process::Process(const Command& command, const Tty& tty) {
    Preparations preparations;
    // The first terminal that the leader of a new session opens becomes its controlling terminal.
    preparations.set_flags(POSIX_SPAWN_SETSID);
    ::posix_spawn_file_actions_addopen(&preparations.actions, STDIN_FILENO, tty.path.c_str(), O_RDWR, 0);
    ::posix_spawn_file_actions_adddup2(&preparations.actions, STDIN_FILENO, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&preparations.actions, STDIN_FILENO, STDERR_FILENO);
    pid_ = spawn(command, preparations);
    pidfd_ = pidfd_of(pid_);
}

Process::~Process() {
    if (exit_) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
    if (!exit_) ::kill(pid_, number);
}

Exit Process::wait_exit(std::chrono::milliseconds within) {
    if (exit_) return *exit_;
    const Deadline deadline(within);
    pollfd ended{pidfd_.get(), POLLIN, 0};
    int ready = 0;
    do {
        ready = ::poll(&ended, 1, deadline.left_ms());
    } while (ready < 0 && errno == EINTR);
    if (ready == 0) {
        throw Failure("process " + std::to_string(pid_) + " still runs after " + std::to_string(within.count()) +
                      " ms");
    }
    int status = 0;
    ::waitpid(pid_, &status, 0);
    exit_ = WIFSIGNALED(status) ? killed_by(WTERMSIG(status)) : exited(WEXITSTATUS(status));
    return *exit_;
}

bool Process::is_running() {
    pollfd ended{pidfd_.get(), POLLIN, 0};
    return !exit_ && ::poll(&ended, 1, 0) == 0;
}

std::chrono::milliseconds Process::cpu_time() const {
    std::ifstream file(proc(pid_, "stat"));
    std::string stat;
    std::getline(file, stat);
    // The fields are counted after the name, which stands in brackets and may hold anything (see proc(5)).
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    long user = 0;
    long system = 0;
    fields >> user >> system;
    return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
}

std::size_t Process::resident_bytes() const {
    return status_of(pid_, "VmRSS") * 1024;
}

std::size_t Process::threads() const {
    return status_of(pid_, "Threads");
}

std::size_t Process::open_descriptors() const {
    const std::filesystem::directory_iterator all(proc(pid_, "fd"));
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

}  // namespace support
