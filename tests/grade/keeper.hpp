#pragma once

#include "support/descriptor.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace grade {

/// Lets this process, but not the commands it starts, open as many descriptors as the system allows; returns how many.
std::size_t raise_open_files_limit();

/// `pid` and all processes below it, parents before children; without those that have ended and wait to be reaped.
std::vector<pid_t> family(pid_t pid);

/// How many children of these have ended, and nobody has waited for them.
std::size_t zombies_of(const std::vector<pid_t>& parents);

/// Runs a command so that nothing of it is left behind, whatever it forks and however we end.
///
/// Between us and the command stands a process of its own, the keeper. It is the subreaper of everything below it, so
/// that even a daemon that has forked twice stays its descendant; and when its socket to us ends, be it that we asked
/// for that or that somebody has killed us with -9, it kills all of them, and ends. It sits in a session of its own,
/// where no Ctrl-C reaches it.
///
/// One thread: it forks, so the process that makes one has no other threads.
class Keeper {
public:
    /// Starts the command, searched in $PATH; its stdin is empty. CannotRun when it cannot be executed.
    explicit Keeper(const std::vector<std::string>& command);
    Keeper(const Keeper&) = delete;
    Keeper& operator=(const Keeper&) = delete;
    /// Kills the command and all its descendants; comes back when they are gone.
    ~Keeper();

    /// The command's process; once it has ended, nobody's.
    pid_t pid() const { return command_; }

    /// How it ended: "exit code 1", "killed by signal 11 (SEGV)". Empty while it runs.
    std::string ending();
    /// The code it exited with; nothing while it runs, and where a signal ended it.
    std::optional<int> exit_code();

    /// Where its stdout and stderr arrive, both in one; not blocking. Ours.
    int output() const { return output_.get(); }

    /// All that runs below the keeper now: the command, its children, and those that have been orphaned.
    std::vector<pid_t> processes() const;

private:
    struct Ended {
        bool by_itself;
        int status;  // its exit code, or the signal
    };
    const std::optional<Ended>& ended();

    support::Descriptor link_;  // its end ends the keeper
    support::Descriptor output_;
    pid_t keeper_ = -1;
    pid_t command_ = -1;
    std::optional<Ended> ended_;
};

}  // namespace grade
