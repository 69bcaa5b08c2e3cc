#pragma once

#include "app/story.hpp"

namespace app {

/// Gives the calling thread a name that `top -H`, `ps -L` and gdb's `info threads` show: `client 7`, `loop 2`. The
/// system keeps 15 bytes of it. Not for a process's first thread, whose name is the program's.
void name_thread(const Who& who);

}  // namespace app
