#include "process.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace bench {

using namespace std::chrono_literals;

namespace {

constexpr auto ready_within = 60s;  // Elixir on a busy machine
constexpr auto end_within = 2s;     // after SIGTERM; then SIGKILL

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::system_category(), what);
}

std::string file_text(const std::string& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

// proc(5): fields 16 and 17 of /proc/PID/stat, in ticks. The name before them may contain blanks, but ends with ')'.
std::chrono::nanoseconds of_dead_children(pid_t pid) {
    const std::string stat = file_text("/proc/" + std::to_string(pid) + "/stat");
    std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
    std::string skipped;
    for (int field = 3; field < 16; ++field) fields >> skipped;
    long user = 0, system = 0;
    fields >> user >> system;
    return std::chrono::nanoseconds(1s) / sysconf(_SC_CLK_TCK) * (user + system);
}

}  // namespace

std::vector<pid_t> family(pid_t pid) {
    std::vector<pid_t> found{pid};
    for (std::size_t i = 0; i < found.size(); ++i) {
        // Children are listed under the thread that started them; our servers fork in their main thread.
        const std::string of = std::to_string(found[i]);
        std::istringstream children(file_text("/proc/" + of + "/task/" + of + "/children"));
        for (pid_t child; children >> child;) found.push_back(child);
    }
    return found;
}

std::chrono::nanoseconds cpu_time(pid_t pid) {
    auto sum = of_dead_children(pid);
    for (const pid_t member : family(pid)) {
        clockid_t clock;
        timespec used;
        if (const int error = clock_getcpuclockid(member, &clock); error != 0 || clock_gettime(clock, &used) != 0) {
            if (member != pid) continue;  // a worker that has just ended
            throw std::system_error(error ? error : errno, std::system_category(), "the server's CPU time");
        }
        sum += std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
    }
    return sum;
}

double context_switches(pid_t pid) {
    double sum = 0;
    for (const pid_t member : family(pid)) {
        std::error_code gone;
        for (const auto& task :
             std::filesystem::directory_iterator("/proc/" + std::to_string(member) + "/task", gone)) {
            const std::string status = file_text(task.path() / "status");
            // voluntary_ctxt_switches is the end of nonvoluntary_ctxt_switches, too.
            constexpr std::string_view name = "voluntary_ctxt_switches:";
            for (auto at = status.find(name); at != status.npos; at = status.find(name, at + 1)) {
                sum += std::stod(status.substr(at + name.size()));
            }
        }
    }
    return sum;
}

std::chrono::nanoseconds busy_time() {
    std::istringstream fields(file_text("/proc/stat"));
    std::string name;
    long user = 0, nice = 0, system = 0, idle = 0, disk = 0, interrupts = 0, softirqs = 0, stolen = 0;
    fields >> name >> user >> nice >> system >> idle >> disk >> interrupts >> softirqs >> stolen;
    return std::chrono::nanoseconds(1s) / sysconf(_SC_CLK_TCK) * (user + nice + system + stolen);
}

std::size_t resident_bytes(pid_t pid) {
    std::size_t sum = 0;
    for (const pid_t member : family(pid)) {
        const std::string rollup = file_text("/proc/" + std::to_string(member) + "/smaps_rollup");
        const auto at = rollup.find("\nRss:");
        if (at != std::string::npos) sum += std::stoul(rollup.substr(at + 5)) * 1024;
    }
    if (sum == 0) throw std::runtime_error("cannot read the memory of process " + std::to_string(pid));
    return sum;
}

std::size_t peak_bytes(pid_t pid) {
    const std::string status = file_text("/proc/" + std::to_string(pid) + "/status");
    const auto at = status.find("\nVmHWM:");
    if (at == std::string::npos) throw std::runtime_error("cannot read the memory of process " + std::to_string(pid));
    return std::stoul(status.substr(at + 7)) * 1024;
}

static cpu_set_t own_cores() {
    cpu_set_t own;
    if (sched_getaffinity(0, sizeof own, &own) != 0) fail("sched_getaffinity");
    return own;
}

Cores choose_cores() {
    const cpu_set_t allowed = own_cores();
    const auto siblings = [](int core) {
        return file_text("/sys/devices/system/cpu/cpu" + std::to_string(core) + "/topology/thread_siblings_list");
    };
    std::optional<int> server, sibling;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        if (!CPU_ISSET(core, &allowed)) continue;
        if (!server) {
            server = core;
        } else if (siblings(core) != siblings(*server)) {
            return {*server, core, ""};
        } else if (!sibling) {
            sibling = core;
        }
    }
    if (sibling) return {*server, *sibling, "server and load run on two hyperthreads of one core"};
    return {*server, *server, "server and load shared a core: the figures say little"};
}

static cpu_set_t just(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return set;
}

static void run_on(const cpu_set_t& cores) {
    if (sched_setaffinity(0, sizeof cores, &cores) != 0) fail("sched_setaffinity");
}

// Asked for the first time before anybody is pinned.
static const cpu_set_t& unpinned() {
    static const cpu_set_t cores = own_cores();
    return cores;
}

void pin_to(int core) {
    unpinned();
    run_on(just(core));
}

void keep_off(pid_t pid, int core) {
    cpu_set_t others = unpinned();
    CPU_CLR(core, &others);
    if (CPU_COUNT(&others) == 0) return;
    if (sched_setaffinity(pid, sizeof others, &others) != 0) fail("sched_setaffinity");
}

OnAllCores::OnAllCores() : before_(own_cores()) {
    run_on(unpinned());
}

OnAllCores::~OnAllCores() {
    sched_setaffinity(0, sizeof before_, &before_);
}

std::size_t raise_file_limit() {
    rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) fail("getrlimit");
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) fail("setrlimit");
    return files.rlim_cur;
}

// A port that is free now. Somebody else may take it before the server does; then the server says so.
static std::uint16_t free_port() {
    const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    const bool bound = probe >= 0 && bind(probe, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                       getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0;
    close(probe);
    if (!bound) fail("a free port");
    return ntohs(address.sin_port);
}

static bool is_gone(pid_t pid) {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid;
}

Server::Server(const std::vector<std::string>& command, std::optional<int> core) {
    constexpr std::string_view place = "{port}";
    std::vector<std::string> words = command;
    bool is_told = false;
    for (std::string& word : words) {
        const auto at = word.find(place);
        if (at == word.npos) continue;
        if (!is_told) port_ = free_port();
        is_told = true;
        word.replace(at, place.size(), std::to_string(port_));
    }
    start(words, core);
    try {
        if (is_told) {
            wait_for_port(command[0]);
        } else {
            wait_for_first_line(command[0]);
        }
    } catch (...) {
        stop();
        throw;
    }
}

void Server::start(const std::vector<std::string>& command, std::optional<int> core) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe");
    output_ = ends[0];
    errors_ = memfd_create("stderr", MFD_CLOEXEC);
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const cpu_set_t only = just(core.value_or(0));
    const pid_t parent = getpid();

    pid_ = fork();
    if (pid_ == 0) {
        // A group of its own, so that it can be ended with all it started, and Ctrl-C reaches only the bench, which
        // then ends it in order.
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(1);
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, nullptr);
        if (core && sched_setaffinity(0, sizeof only, &only) != 0) _exit(1);
        // A worker that is made to crash is not to spend the measured time on writing a core file.
        const rlimit no_core{0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDOUT_FILENO);
        dup2(errors_, STDERR_FILENO);
        execv(arguments[0], arguments.data());
        _exit(127);
    }
    close(ends[1]);
    if (pid_ < 0) {
        close(output_);
        close(errors_);
        fail("fork");
    }
}

void Server::wait_for_first_line(const std::string& program) {
    std::string line;
    const auto deadline = std::chrono::steady_clock::now() + ready_within;
    while (line.find('\n') == std::string::npos) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd readable{output_, POLLIN, 0};
        char bytes[256];
        if (left <= 0ms || poll(&readable, 1, static_cast<int>(left.count())) <= 0) break;
        const ssize_t got = read(output_, bytes, sizeof bytes);
        if (got <= 0) break;
        line.append(bytes, static_cast<std::size_t>(got));
    }
    const auto colon = line.rfind(':', line.find('\n'));
    if (!line.starts_with("Listening on ") || colon == std::string::npos ||
        std::from_chars(line.data() + colon + 1, line.data() + line.size(), port_).ec != std::errc()) {
        throw std::runtime_error(program + " did not say `Listening on HOST:PORT`, but `" +
                                 line.substr(0, line.find('\n')) + "`" + last_words());
    }
}

void Server::wait_for_port(const std::string& program) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    const auto deadline = std::chrono::steady_clock::now() + ready_within;
    while (std::chrono::steady_clock::now() < deadline && !is_gone(pid_)) {
        const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const bool is_ready = connect(probe, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
        close(probe);
        if (is_ready) return;
        std::this_thread::sleep_for(5ms);
    }
    throw std::runtime_error(program + " does not listen on port " + std::to_string(port_) + last_words());
}

// What it said last on stderr, behind a colon; empty if it said nothing.
std::string Server::last_words() const {
    std::string text(std::min<off_t>(4096, std::max<off_t>(0, lseek(errors_, 0, SEEK_END))), '\0');
    const off_t from = lseek(errors_, 0, SEEK_END) - static_cast<off_t>(text.size());
    const ssize_t got = pread(errors_, text.data(), text.size(), from);
    text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    while (text.ends_with('\n')) text.pop_back();
    return text.empty() ? "" : ": " + text.substr(text.rfind('\n') + 1);
}

Server::~Server() {
    stop();
}

void Server::stop() {
    kill(pid_, SIGTERM);
    const auto deadline = std::chrono::steady_clock::now() + end_within;
    while (waitpid(pid_, nullptr, WNOHANG) == 0 && std::chrono::steady_clock::now() < deadline) {
        std::this_thread::sleep_for(1ms);
    }
    kill(-pid_, SIGKILL);  // whatever is left of its group
    waitpid(pid_, nullptr, 0);
    close(output_);
    close(errors_);
}

}  // namespace bench
