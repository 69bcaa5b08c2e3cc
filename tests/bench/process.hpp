#pragma once

#include <sched.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Other processes, as the bench needs them: started, pinned, weighed and ended.
namespace bench {

/// `pid` and all its living descendants that their main threads have started.
std::vector<pid_t> family(pid_t pid);

/// CPU time `pid` and its living descendants have used, all threads, user and kernel together (clock_getcpuclockid(3):
/// nanoseconds, where /proc/PID/stat counts in ticks of 10 ms), and what its children had used that are gone
/// (/proc/PID/stat, cutime and cstime). Throws std::system_error where there is no such process.
std::chrono::nanoseconds cpu_time(pid_t pid);

/// How often a thread of `pid` and its living descendants stopped running, to wait or because it was pushed away
/// (proc(5), /proc/PID/task/TID/status). Threads that are gone are not in it.
double context_switches(pid_t pid);

/// The time that all processors together have spent on anything at all, or that a host took away from them (proc(5),
/// /proc/stat: in ticks of 10 ms, softirqs left out, which serve nobody in particular).
std::chrono::nanoseconds busy_time();

/// Bytes of memory `pid` and its descendants have resident (/proc/PID/smaps_rollup, which is exact where the counters
/// of /proc/PID/statm may lag by some hundred pages). Throws std::runtime_error where it cannot be read.
std::size_t resident_bytes(pid_t pid);

/// The most that `pid` alone ever had resident. Throws std::runtime_error where it cannot be read.
std::size_t peak_bytes(pid_t pid);

/// The cores the server and the load are kept on.
struct Cores {
    int server;
    int load;
    std::string shared;  ///< empty, or in which way the two get in each other's way
};

/// Two of the cores this process may use, not hyperthreads of one core where there is a choice.
Cores choose_cores();

/// Keeps the calling thread, and what it starts from now on, on `core`.
void pin_to(int core);

/// Moves another process to any of the cores on which the calling thread might run before it was pinned for the first
/// time, but not to this one, where there is another one. What it has started stays where it is.
void keep_off(pid_t pid, int core);

/// While it lives, the calling thread, and what it starts, may run wherever it might before it was pinned for the first
/// time.
class OnAllCores {
public:
    OnAllCores();
    OnAllCores(const OnAllCores&) = delete;
    OnAllCores& operator=(const OnAllCores&) = delete;
    ~OnAllCores();

private:
    cpu_set_t before_;
};

/// Raises this process's limit of open files, which its children inherit, to the most it may have, and returns that.
std::size_t raise_file_limit();

/// A server under test: a child process that serves clients.
/// The destructor ends it and everything it started; if this process is killed, the kernel kills the child.
class Server {
public:
    /// Runs `command` (a path and its arguments) on `core`, or anywhere if there is none, and waits until it serves:
    /// until it has said `Listening on HOST:PORT`, or, if its arguments have `{port}` in them, until clients can
    /// connect to the free port that was put in its place. Throws std::runtime_error if that does not happen soon, with
    /// the last line of its stderr, which is shown nowhere else.
    Server(const std::vector<std::string>& command, std::optional<int> core);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    pid_t pid() const { return pid_; }
    std::uint16_t port() const { return port_; }

private:
    void start(const std::vector<std::string>& command, std::optional<int> core);
    void wait_for_first_line(const std::string& program);
    void wait_for_port(const std::string& program);
    std::string last_words() const;
    void stop();

    pid_t pid_ = -1;
    std::uint16_t port_ = 0;
    int output_ = -1;  // the reading end of the child's stdout, kept open so that it can write
    int errors_ = -1;  // the file in memory that is the child's stderr
};

}  // namespace bench
