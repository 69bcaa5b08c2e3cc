#pragma once

#include "05_chat/base/token_bucket.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace chat {

/// How fast people may come in from one address. Everybody hears of each of them twice, so whoever comes faster waits.
/// A class behind one router comes in at once. Somebody who comes and goes ten thousand times a second does not. The
/// loop's thread only; the time is the caller's.
class Arrivals {
public:
    static constexpr double a_second = 10;
    static constexpr int at_once = 100;
    static constexpr std::chrono::seconds longest_wait{20};
    /// Addresses that are remembered before those that have not been used lately are forgotten. At least.
    static constexpr std::size_t min_addresses = 1024;

    /// Somebody wants to come in from `peer`, which is 127.0.0.1:50514 or [::1]:50514. Returns how long they have to
    /// wait. Nothing: that would be longer than longest_wait, and they have no place in the queue.
    std::optional<TokenBucket::Clock::duration> take(std::string_view peer, TokenBucket::Clock::time_point now);

private:
    std::unordered_map<std::string, TokenBucket> buckets_;  // by address; without those that are full
    std::size_t max_ = min_addresses;                       // entries; then those that are full are forgotten
};

}  // namespace chat
