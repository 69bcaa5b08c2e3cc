#pragma once

#include "grade/report.hpp"

namespace grade {

struct RunOptions {
    bool keep_going = false;     ///< after a failure that decides, too
    std::string crash;           ///< --crash
    milliseconds step_limit{0};  ///< --step-limit; 0: as the machine's patience has it
};

/// Does the run's steps one after the other and fills in their outcomes. Starts the server where it is ours, and again
/// after a step that went wrong: what one step has broken is not held against the next. CannotRun when that fails.
/// When the time is over, or a signal comes, what is left is not reached; the report is whole all the same.
void do_steps(Run& run, Server& server, const RunOptions& options, TimeLimit& limit, Report& report);

}  // namespace grade
