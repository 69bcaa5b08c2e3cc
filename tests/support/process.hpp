#pragma once

#include "support/deadline.hpp"
#include "support/descriptor.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace support {

/// How a process ended: by itself with a code, or by a signal.
struct Exit {
    int code = 0;
    int signal = 0;  ///< 0: it ended by itself
    bool operator==(const Exit&) const = default;
};
inline Exit exited(int code) {
    return {code, 0};
}
inline Exit killed_by(int signal) {
    return {0, signal};
}
std::string to_string(const Exit& exit);
std::ostream& operator<<(std::ostream& out, const Exit& exit);

/// What is to be run, and under what conditions.
struct Command {
    /// The program (a path, or a name to be found in $PATH) and its arguments.
    std::vector<std::string> words;
    /// Environment variables that differ from ours.
    std::map<std::string, std::string> environment = {};
    /// RLIMIT_NOFILE; ours where there is none.
    std::optional<std::uint64_t> max_open_files = {};
    /// RLIMIT_AS, in bytes. Sanitizers need terabytes of it, so this is for builds without them.
    std::optional<std::uint64_t> max_address_space = {};
    /// The user (and group) id to run as; needs us to be root.
    std::optional<unsigned> user = {};
};

/// The path of one of this repository's programs, as "01_naive".
std::string path_of(const std::string& program);

/// Whether there is such a program in $PATH.
bool is_installed(const std::string& program);

/// A child process. It does not outlive this object (SIGKILL), nor the thread that started it, so a test that is killed
/// leaves nothing behind. A crash ends it as it would without a sanitizer: by the signal.
class Process {
public:
    /// Where its standard streams go: descriptors of ours, which stay ours.
    struct Streams {
        int in, out, err;
    };
    /// The path of a terminal, which becomes its controlling terminal and all three streams.
    struct Tty {
        std::string path;
    };

    Process(const Command& command, const Streams& streams);
    Process(const Command& command, const Tty& tty);
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process();

    pid_t pid() const { return pid_; }

    void signal(int number) const;

    /// Waits until it ends. Failure when it goes on for longer.
    Exit wait_exit(std::chrono::milliseconds within = patience());

    /// False once it has ended.
    bool is_running();

    // What it uses now; only while it runs.
    std::chrono::milliseconds cpu_time() const;  ///< of all its threads, user and system, in steps of 10 ms
    std::size_t resident_bytes() const;
    std::size_t threads() const;
    std::size_t open_descriptors() const;

private:
    pid_t pid_ = -1;
    Descriptor pidfd_;  // readable when it has ended; cannot mean another process, as a pid can
    std::optional<Exit> exit_;
};

}  // namespace support
