#pragma once

#include "05_chat/base/token_bucket.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace chat {

/// How fast people may come in from one address: each of them is news for everybody, twice. Whoever comes faster waits.
/// A class behind one router comes in at once; somebody who comes and goes ten thousand times a second does not. The
/// loop's thread only, the time is the caller's.
class Arrivals {
public:
    static constexpr double a_second = 10;
    static constexpr int at_once = 100;
    static constexpr std::chrono::seconds longest_wait{20};

    /// Somebody wants to come in from `peer`, which is 127.0.0.1:50514 or [::1]:50514: how long they have to
    /// wait. Nothing: longer than anybody waits, and no place in the queue.
    std::optional<TokenBucket::Clock::duration> take(std::string_view peer, TokenBucket::Clock::time_point now);

private:
    std::unordered_map<std::string, TokenBucket> buckets_;  // by address; without those that are full
    std::size_t max_ = 1024;                                // before it is looked which are
};

}  // namespace chat
