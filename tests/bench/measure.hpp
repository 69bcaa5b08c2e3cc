#pragma once

#include "cases.hpp"
#include "process.hpp"
#include "results.hpp"

#include <string>
#include <vector>

namespace bench {

/// The program, as an absolute path: beside this one, or on the PATH; empty where it is in neither place.
std::string find_program(const std::string& name);

/// Runs all cases that there is a server for: each server in each round, one after another, so that what happens to the
/// machine happens to all. Prints a table of each case when it is done, and on a terminal how far it has come.
/// `server_core`: where the servers are kept; the load stays on the caller's.
///
/// A server that answers wrongly has a failure instead of figures. Throws Interrupted when `stop` asks for it.
Results measure(const std::vector<Case>& cases, const std::vector<Subject>& subjects, int server_core,
                std::stop_token stop);

/// The peers among them, and what each says of its version.
boost::json::object versions(const std::vector<Subject>& subjects);

/// The machine, the compiler and the day.
boost::json::object about_this_run(const Cores& cores);

}  // namespace bench
