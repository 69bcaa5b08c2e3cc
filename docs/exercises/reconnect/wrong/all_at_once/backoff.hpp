// Wrong: it doubles, but those who were thrown out together come back together.
#pragma once

#include <algorithm>
#include <chrono>

using Wait = std::chrono::milliseconds;

/// How long a client waits before it tries again.
class Backoff {
public:
    Backoff(Wait first, Wait longest) : first_(first), longest_(longest), next_(first) {}

    /// The pause after one more failure: from half to the whole of a time that begins with `first`, doubles with each
    /// failure, and is at most `longest`. `chance`, from 0 to 1, says how much of it.
    Wait after_failure(double chance) {
        (void)chance;
        const Wait wait = next_;
        next_ = std::min(next_ * 2, longest_);
        return wait;
    }

    /// It is connected: the next failure is the first one again.
    void connected() { next_ = first_; }

private:
    Wait first_;
    Wait longest_;
    Wait next_;  // the whole time of the next failure
};
