#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace chat {

/// How long to wait before looking again for a node that was away (--rejoin): twice as long each time, up to a bound.
/// As a supervisor counts restarts within a period (chapter 4), a connection that ends soon after it was made counts as
/// one more failure: two nodes that cannot bear each other must not meet twice a second for ever. Pure.
class Backoff {
public:
    static constexpr std::chrono::milliseconds first{500};
    static constexpr std::chrono::milliseconds longest{8000};
    /// A connection that has lasted so long was a good one: the next wait is the first again.
    static constexpr std::chrono::seconds good_while{10};

    /// The next wait, after a connection that has lasted so long; none: zero.
    std::chrono::milliseconds next(std::chrono::steady_clock::duration lasted) {
        if (lasted >= good_while) wait_ = first;
        return std::exchange(wait_, std::min(2 * wait_, longest));
    }

private:
    std::chrono::milliseconds wait_ = first;
};

}  // namespace chat
