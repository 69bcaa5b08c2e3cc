#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace chat {

/// How fast one person is read: `rate` lines a second, `burst` of them at once after a pause. Nothing is refused or
/// lost. Whoever writes faster is *read* more slowly, and TCP passes that on to the sender.
/// The token bucket is kept as one moment, at which it would be full again: the "generic cell rate algorithm" of ITU-T
/// I.371. It counts in whole ticks, so no rounding error grows. Pure; the time is the caller's.
class TokenBucket {
public:
    using Clock = std::chrono::steady_clock;

    /// Seconds. A rate below a line an hour is taken as a line an hour, so that the arithmetic cannot overflow.
    static constexpr double longest_interval = 3600;

    /// `rate` 0: no limit. `burst` is at least 1.
    TokenBucket(double rate, int burst)
        : interval_(rate > 0 ? std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(std::min(1 / rate, longest_interval)))
                             : Clock::duration::zero()),
          burst_(std::max(burst, 1)) {}

    /// A line was read at `now`. Returns how long to wait before the next one is read: zero while there are tokens.
    /// `sharers` people who are read through one connection may together do as much as each of them alone.
    Clock::duration take(Clock::time_point now, std::size_t sharers = 1) {
        const auto interval = interval_ / static_cast<Clock::rep>(std::max<std::size_t>(sharers, 1));
        full_ = std::max(full_, now) + interval;
        return std::max(full_ + interval - burst_ * interval_ - now, Clock::duration::zero());
    }

    /// Nothing was taken for so long that the bucket is as good as new.
    bool is_full(Clock::time_point now) const { return full_ <= now; }

private:
    Clock::duration interval_;
    int burst_;
    Clock::time_point full_{};
};

}  // namespace chat
