#pragma once

#include "04_supervised/otp/spec.hpp"

#include <algorithm>
#include <deque>

namespace otp {

/// Restart intensity: how many restarts a supervisor has had lately (add_restart in supervisor.erl).
///
/// OTP counts in whole seconds of monotonic time: two restarts share a window where their *floored* seconds differ by
/// at most `period`. So 0.9 s and 2.0 s are two seconds apart, while 0.8 s and 1.9 s are one second apart. Restarts up
/// to `period` apart always share a window, and restarts `period` + 1 s apart never do.
class RestartWindow {
public:
    RestartWindow(int intensity, std::chrono::seconds period) : intensity_(intensity), period_(period) {}

    /// Counts a restart at `now`. False: it is one more than allowed, and the supervisor has to give up.
    bool add(Time now) {
        const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
        std::erase_if(restarts_, [&](std::chrono::seconds restart) { return restart < second - period_; });
        restarts_.push_back(second);
        return restarts_.size() <= static_cast<std::size_t>(intensity_);
    }

    /// How many it would hold after an add() at `now`.
    std::size_t size_with_one_more(Time now) const {
        RestartWindow then = *this;
        then.add(now);
        return then.size();
    }

    /// How many restarts the window held after the last add(). Never more than intensity + 1: there the supervisor
    /// ends.
    std::size_t size() const { return restarts_.size(); }

private:
    int intensity_;
    std::chrono::seconds period_;
    std::deque<std::chrono::seconds> restarts_;
};

}  // namespace otp
