#include "grade/keeper.hpp"

#include "grade/time_limit.hpp"
#include "grade/verdict.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace grade {

namespace {

using support::Descriptor;

/// Fields of /proc/PID/stat: the state (R, S, Z, …) and the parent. '?' when there is no such process.
std::pair<char, pid_t> state_and_parent(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string stat;
    std::getline(file, stat);
    // Counted after the name, which stands in brackets and may hold anything (proc(5)).
    std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
    char state = '?';
    pid_t parent = 0;
    fields >> state >> parent;
    return {state, parent};
}

rlimit given_limit{};  // of open files, before we raised it; set before the first thread, if at all

// ---- in the keeper's process ----------------------------------------------------------------------------------------

constexpr int look_again_ms = 20;
constexpr int looks_per_count = 25;          // counting processes means reading all of /proc
constexpr std::size_t max_processes = 5000;  // below one command; more is a fork bomb, and is ended
constexpr int max_sweeps = 2000;

/// True when no child is left. The first thread of a process may be a zombie while others still hold its sockets; only
/// a process that can be reaped is gone.
bool reap_all() {
    pid_t reaped = 0;
    do {
        reaped = ::waitpid(-1, nullptr, WNOHANG);
    } while (reaped > 0);
    return reaped < 0 && errno == ECHILD;
}

/// Stops whatever is there first, until nothing new appears: a process that is stopped cannot fork faster than we kill.
void kill_all_below() {
    const pid_t self = ::getpid();
    for (const int signal : {SIGSTOP, SIGKILL}) {
        std::size_t known = 0;
        for (int sweep = 0; sweep < max_sweeps; ++sweep) {
            const auto all = family(self);
            for (const pid_t pid : all) {
                if (pid != self) ::kill(pid, signal);
            }
            // Orphans become our children, so to have none means that nothing is left.
            if (signal == SIGKILL ? reap_all() : all.size() <= known) break;
            known = all.size();
            ::usleep(signal == SIGKILL ? 1000 : 200);
        }
    }
}

/// What the keeper tells us: that the command was executed or why not, and later how it ended.
struct News {
    enum class Kind { started, failed, ended } kind;
    int a, b;  // started: pid; failed: errno; ended: whether by itself, and its exit code or signal
};

void tell(int link, News news) {
    ::send(link, &news, sizeof news, MSG_NOSIGNAL);
}

/// Becomes the command. Comes back only where that is not possible, with errno.
int execute(const std::vector<std::string>& command, int output) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // should anybody kill the keeper itself
    const int nothing = ::open("/dev/null", O_RDONLY);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(output, STDERR_FILENO);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (given_limit.rlim_cur != 0) {
        // A shell gives 1024, which would fail every server alike, those that can count further and those that cannot.
        constexpr rlim_t enough_for_a_thousand_clients = 2048;
        rlimit limit = given_limit;
        limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, enough_for_a_thousand_clients));
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    std::vector<char*> words;
    for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    return errno;
}

/// The keeper's life. Returns when nothing is left below it.
void keep(int link, int output, const std::vector<std::string>& command) {
    int executed[2];
    if (::pipe2(executed, O_CLOEXEC) != 0) return tell(link, {News::Kind::failed, errno, 0});
    const pid_t child = ::fork();
    if (child == 0) {
        const int error = execute(command, output);
        std::ignore = ::write(executed[1], &error, sizeof error);
        ::_exit(127);
    }
    ::close(output);  // or the output would never end
    ::close(executed[1]);
    int error = child < 0 ? errno : 0;
    // The pipe closes by itself when the exec succeeds.
    if (child > 0 && ::read(executed[0], &error, sizeof error) <= 0) error = 0;
    if (error != 0) return tell(link, {News::Kind::failed, error, 0});
    tell(link, {News::Kind::started, child, 0});

    pollfd parent{link, POLLIN, 0};
    // Nothing is ever sent to us, so any event is the end.
    for (int look = 1; ::poll(&parent, 1, look_again_ms) == 0; ++look) {
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
            if (pid == child)
                tell(link, {News::Kind::ended, WIFEXITED(status),
                            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status)});
        }
        if (look % looks_per_count == 0 && family(::getpid()).size() > max_processes) break;
    }
    kill_all_below();
}

}  // namespace

std::size_t raise_open_files_limit() {
    ::getrlimit(RLIMIT_NOFILE, &given_limit);
    rlimit raised = given_limit;
    raised.rlim_cur = raised.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &raised);
    return raised.rlim_cur;
}

/// The first thread of a process may be a zombie while others still hold its sockets.
static bool has_ended(pid_t process, char state) {
    if (state != 'Z') return state == 'X' || state == '?';
    std::error_code gone;
    const std::filesystem::directory_iterator threads("/proc/" + std::to_string(process) + "/task", gone);
    return gone || std::distance(begin(threads), end(threads)) <= 1;
}

static std::vector<pid_t> all_processes() {
    std::vector<pid_t> all;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename();
        if (name.find_first_not_of("0123456789") == std::string::npos) all.push_back(std::stoi(name));
    }
    return all;
}

std::size_t zombies_of(const std::vector<pid_t>& parents) {
    const auto all = all_processes();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](pid_t process) {
        const auto [state, parent] = state_and_parent(process);
        return state == 'Z' && std::find(parents.begin(), parents.end(), parent) != parents.end() &&
               has_ended(process, state);
    }));
}

std::vector<pid_t> family(pid_t pid) {
    std::vector<std::pair<pid_t, pid_t>> parents;  // of every process, and then who it is
    for (const pid_t process : all_processes()) {
        const auto [state, parent] = state_and_parent(process);
        if (!has_ended(process, state)) parents.emplace_back(parent, process);
    }
    std::sort(parents.begin(), parents.end());
    std::vector<pid_t> found{pid};
    for (std::size_t i = 0; i < found.size(); ++i) {
        auto child = std::lower_bound(parents.begin(), parents.end(), std::pair<pid_t, pid_t>(found[i], 0));
        for (; child != parents.end() && child->first == found[i]; ++child) found.push_back(child->second);
    }
    return found;
}

Keeper::Keeper(const std::vector<std::string>& command) {
    int link[2];
    int output[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0 || ::pipe2(output, O_CLOEXEC) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot start " + command[0]);
    }
    link_ = Descriptor(link[0]);
    output_ = Descriptor(output[0]);
    keeper_ = ::fork();
    if (keeper_ == 0) {
        ::setsid();
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        // None of our other descriptors: the clients' connections are to end when we close them.
        constexpr int ours_link = 3;
        constexpr int ours_output = 4;
        ::dup2(link[1], 100);
        ::dup2(output[1], 101);
        ::dup2(100, ours_link);
        ::dup2(101, ours_output);
        ::close_range(ours_output + 1, ~0u, 0);
        ::fcntl(ours_link, F_SETFD, FD_CLOEXEC);
        ::fcntl(ours_output, F_SETFD, FD_CLOEXEC);
        ::signal(SIGPIPE, SIG_DFL);
        die_of_signals();
        keep(ours_link, ours_output, command);
        ::_exit(0);
    }
    ::close(link[1]);
    ::close(output[1]);
    ::fcntl(output_.get(), F_SETFL, O_NONBLOCK);
    News news{News::Kind::failed, errno, 0};
    if (keeper_ > 0) {
        ssize_t size = 0;
        do {
            size = ::recv(link_.get(), &news, sizeof news, 0);
        } while (size < 0 && errno == EINTR);  // a signal ends the run at its next wait, not this one
        if (size != sizeof news) news = {News::Kind::failed, EIO, 0};
    }
    if (news.kind == News::Kind::failed) {
        link_.close();
        if (keeper_ > 0) ::waitpid(keeper_, nullptr, 0);
        throw CannotRun("cannot run " + command[0] + ": " + std::generic_category().message(news.a));
    }
    command_ = news.a;
}

Keeper::~Keeper() {
    link_.close();
    output_.close();  // whoever is stuck in printing is not to wait for us
    ::waitpid(keeper_, nullptr, 0);
}

const std::optional<Keeper::Ended>& Keeper::ended() {
    News news{};
    if (!ended_ && ::recv(link_.get(), &news, sizeof news, MSG_DONTWAIT) == sizeof news) ended_ = {news.a != 0, news.b};
    return ended_;
}

std::string Keeper::ending() {
    const auto& how = ended();
    if (!how) return "";
    if (how->by_itself) return "exit code " + std::to_string(how->status);
    const char* const name = ::sigabbrev_np(how->status);
    return "killed by signal " + std::to_string(how->status) + (name != nullptr ? " (" + std::string(name) + ")" : "");
}

std::optional<int> Keeper::exit_code() {
    const auto& how = ended();
    if (!how || !how->by_itself) return std::nullopt;
    return how->status;
}

std::vector<pid_t> Keeper::processes() const {
    auto all = family(keeper_);
    all.erase(all.begin());
    return all;
}

}  // namespace grade
