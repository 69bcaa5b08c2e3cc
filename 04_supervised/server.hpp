#pragma once

#include "04_supervised/options.hpp"

namespace supervised {

/// The process that a person starts, and each of the processes that it starts in turn. Both return the exit status.
int run_root(const Options& options);
int run_worker(const Options& options);

}  // namespace supervised
