#pragma once

#include "cases.hpp"
#include "results.hpp"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

/// What a busy machine cannot touch: how often a server asks the system for something, and how much it does itself.
namespace bench {

/// Counts what `command`, a server with its options, does for a message of this case: it runs under strace(1) and then
/// under valgrind's callgrind, each time for a moment and for a longer one, and what the longer one had more of is
/// divided by the messages that it had more. So neither the start nor the end counts.
///
/// Nothing where neither tool is installed; a count that lacks its tool, or that its tool cannot make of this server,
/// is negative. Throws what the load throws under strace, and std::runtime_error where the server does not start.
std::optional<Counts> count(const Case& what, const Subject& subject, const std::vector<std::string>& command,
                            int server_core, const std::stop_token& stop);

/// The calls in a table of `strace -c`.
double calls_in(const std::string& table);

/// The instructions in a file of callgrind, and how often malloc(3) was called.
struct Callgrind {
    double instructions = 0;
    double allocations = 0;
};
Callgrind read_callgrind(const std::string& file);

}  // namespace bench
