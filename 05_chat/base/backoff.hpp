#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

namespace chat {

/// How long to wait before looking again for a node that was away (--rejoin): twice as long each time, up to a bound.
/// A connection that ends soon after it was made counts as one more failure, as a supervisor counts restarts within a
/// period (chapter 4). Otherwise two nodes that cannot bear each other would meet twice a second for ever. Pure.
class Backoff {
public:
    static constexpr std::chrono::milliseconds first{500};
    static constexpr std::chrono::milliseconds longest{8000};
    /// After a connection that has lasted this long, the next wait is the first one again.
    static constexpr std::chrono::seconds good_while{10};

    /// The next wait, after a connection that has lasted so long; zero where there was none.
    std::chrono::milliseconds next(std::chrono::steady_clock::duration lasted) {
        if (lasted >= good_while) wait_ = first;
        return std::exchange(wait_, std::min(2 * wait_, longest));
    }

private:
    std::chrono::milliseconds wait_ = first;
};

}  // namespace chat
