#pragma once

#include "04_supervised/process/descriptor.hpp"

#include <string>
#include <vector>

#include <sys/types.h>

namespace process {

struct Spawned {
    pid_t pid;
    /// Readable when the process has ended; unlike the pid it never means another one.
    Descriptor pidfd;
};

/// Starts `program` with `arguments` (the first is its name). The process gets our stdin, stdout and stderr,
/// `descriptors` as 3, 4, … in their order, and nothing else. Each signal does what it does by default; SIGINT, SIGTERM
/// and SIGHUP wait until the process unblocks them, so that none finds it half awake. The caller must wait for its end
/// (waitid(P_PIDFD)). Throws std::system_error where the process cannot be started: "no such file or directory", say.
/// Linux.
Spawned spawn(const std::string& program, const std::vector<std::string>& arguments,
              const std::vector<int>& descriptors);

/// "SIGTERM".
std::string signal_name(int number);

}  // namespace process
