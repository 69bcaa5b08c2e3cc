#pragma once

#include "04_supervised/otp/spec.hpp"

#include <algorithm>
#include <deque>

namespace supervision {

/// Restart intensity: how many restarts a supervisor has had lately (add_restart in supervisor.erl).
///
/// OTP counts in whole seconds of monotonic time, so two restarts share a window iff the difference of their *floored*
/// seconds is at most `period`. Up to `period` apart they always do, from `period` + 1 s on they never do; between the
/// two it depends on where in its second the first one fell (0.9 s and 2.0 s are two seconds apart, 0.8 s and 1.9 s
/// one).
class RestartWindow {
public:
    RestartWindow(int intensity, std::chrono::seconds period) : intensity_(intensity), period_(period) {}

    /// Counts a restart at `now`. False: that is one more than allowed, the supervisor has to give up.
    bool add(Time now) {
        const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
        std::erase_if(restarts_, [&](std::chrono::seconds restart) { return restart < second - period_; });
        restarts_.push_back(second);
        return restarts_.size() <= static_cast<std::size_t>(intensity_);
    }

    /// The restarts the window remembered when the last one was added, that one included. Never more than
    /// intensity + 1, because the supervisor ends there.
    std::size_t size() const { return restarts_.size(); }

private:
    int intensity_;
    std::chrono::seconds period_;
    std::deque<std::chrono::seconds> restarts_;
};

}  // namespace supervision
