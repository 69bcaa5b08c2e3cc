#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <deque>

namespace chat {

/// People of another node may do as much as if each of them were here, once they have been in for `settled_after`.
/// Until then all newcomers of a node together may do as much as `newcomers_pace` people. Otherwise a node could make
/// us read it faster and faster, with people that do not exist.
inline constexpr std::chrono::seconds settled_after{10};
inline constexpr std::size_t newcomers_pace = 10;
/// People of one node who may come in a second, and at once. They are many, so that a node that comes back is soon
/// complete.
inline constexpr int joins_per_second = 100;

/// As fast as how many people one node is read. Pure; one thread at a time.
class NodePace {
public:
    using Clock = std::chrono::steady_clock;

    /// Somebody of the node wants to come in.
    void came(Clock::time_point now) {
        forget_settled(now);
        newcomers_.push_back(now);
    }
    /// Now that the node has so many people here.
    std::size_t of(std::size_t people, Clock::time_point now) {
        forget_settled(now);
        // Newcomers who have left already still count. So a node whose people come and go is read no faster.
        const std::size_t settled = people - std::min(people, newcomers_.size());
        return std::max(settled, newcomers_pace);
    }

private:
    void forget_settled(Clock::time_point now) {
        while (!newcomers_.empty() && now >= newcomers_.front() + settled_after) newcomers_.pop_front();
    }

    std::deque<Clock::time_point> newcomers_;  // when those came who are not settled
};

}  // namespace chat
