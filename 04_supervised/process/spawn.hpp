#pragma once

#include "04_supervised/process/descriptor.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

/// Starting a process with exactly the descriptors that it is to have. Linux.
struct Spawned {
    pid_t pid;
    /// Readable when the process has ended; unlike the pid it never means another one.
    Descriptor pidfd;
};

/// Starts `program` with `arguments` (the first is its name). It gets our stdin, stdout and stderr, `descriptors` as 3,
/// 4, … in their order, and nothing else. Its signals are as at the beginning of the world, but SIGINT, SIGTERM and
/// SIGHUP wait until it unblocks them, so that none finds it half awake. Whoever calls must wait for its end
/// (waitid(P_PIDFD)). Throws std::system_error where it cannot be: "no such file or directory", say.
Spawned spawn(const std::string& program, const std::vector<std::string>& arguments,
              const std::vector<int>& descriptors);
