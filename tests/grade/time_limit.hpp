#pragma once

#include "grade/patience.hpp"

#include <stdexcept>
#include <string>

namespace grade {

/// What ends a step whose time is over, or that is interrupted: no verdict on the server. what() is the reason.
struct NotReached : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Until when a run, and within it the present step, may go on. Every wait is bounded by itself; this bounds their sum,
/// which a server that is only slow could make as long as it likes. One thread.
class TimeLimit {
public:
    static constexpr std::chrono::seconds default_run{600};

    /// The run begins now.
    explicit TimeLimit(std::chrono::seconds run);

    /// A step begins now.
    void begin_step(milliseconds most);
    /// Between steps only the run's limit counts.
    void end_step();

    /// NotReached when the time of the step, or of the run, is over, or a signal asks us to end.
    void check() const;
    /// Why no further step can be begun; empty while there is time.
    std::string run_is_over() const;

private:
    std::chrono::seconds run_;
    milliseconds step_{0};
    Clock::time_point run_end_, step_end_;
};

/// From now on SIGTERM and SIGINT do not kill us: they end the run at its next wait, so that it is reported.
void end_run_at_signals();

/// Undoes it: in a process that is forked and does not run steps.
void die_of_signals();

}  // namespace grade
