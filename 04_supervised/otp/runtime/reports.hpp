#pragma once

#include "04_supervised/otp/supervisor.hpp"

/// A supervisor's reports as events of the story (app::events). Any thread.
namespace otp {

/// `supervisor root reports child_terminated. Reason: SIGSEGV. Offender: id=worker-2,pid=4711.`; and, where it gives
/// up, why.
void tell(const Report& report);

/// The arithmetic behind a report in the context shutdown: `4 restarts within 5 s, 3 allowed`.
std::string why_it_gives_up(const Report& report);

/// `supervisor root started id=worker-2,pid=4711.`
void tell(const Progress& progress);

/// The same for programs only: of a tree inside a worker people want to read what becomes of it, not how it grows.
void tell_detail(const Progress& progress);

/// That all children of the start are up, and how many restarts are allowed; for programs only.
void tell_started(const Supervisor& supervisor);

}  // namespace otp
