#pragma once

#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>
#include <unistd.h>

namespace observer {

/// How the server ended, for its parent and for people.
struct End {
    int exit_status = 0;  ///< what a shell would say: 128 and the signal's number, where a signal has ended it
    bool is_bad = false;  ///< by a signal, or with a status that is not 0
    std::string how;      ///< `by signal SEGV`, `with exit status 1`
};

/// A server that is watched: a process whose stdout is a pipe that we read. It is in our process group, so that a ^C at
/// the terminal reaches both. If we are killed, it is asked to end in order (SIGTERM), since nobody could see it any
/// more. One thread.
class Child {
public:
    /// Starts it. std::system_error where that cannot be, with the system's reason; its stdin and stderr are ours.
    explicit Child(const std::vector<std::string>& command);
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }

    /// The reading end of its stdout; does not block. The caller's.
    int release_output() { return std::exchange(output_, -1); }

    /// Readable when it has ended. The caller's.
    int release_pidfd() { return std::exchange(pidfd_, -1); }

    void signal(int number) const;

    /// Whether it has ended, and how; once.
    bool has_ended(End& end);

private:
    pid_t pid_ = -1;
    int output_ = -1, pidfd_ = -1;
    bool is_over_ = false;
};

}  // namespace observer
