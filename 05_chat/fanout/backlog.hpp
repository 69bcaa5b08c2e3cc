#pragma once

#include <chrono>
#include <cstddef>
#include <list>

namespace chat {

class Writer;

/// What waits for those who read slowly, all of them together: what their connections are still to be sent, and what
/// rooms keep because somebody has not read it yet. Each connection has a bound of its own (--max-backlog); this one
/// (--max-waiting) holds however many connections strangers open. The loop's thread only.
class Backlog {
public:
    using Clock = std::chrono::steady_clock;
    using Place = std::list<Writer*>::iterator;

    explicit Backlog(std::size_t max) : max_(max) {}
    Backlog(const Backlog&) = delete;
    Backlog& operator=(const Backlog&) = delete;

    /// What `counted` says is now `bytes`.
    void count(std::size_t& counted, std::size_t bytes);
    /// As long as more waits than may: cuts off whoever has taken nothing for longest.
    void keep_bound();
    /// Cuts off whoever has taken nothing since then.
    void cut_off_since(Clock::time_point then);

    /// The peer of this writer is behind, and has taken something just now.
    void is_behind(Writer& writer);
    /// It is not any more.
    void is_no_longer_behind(Writer& writer);

private:
    std::size_t max_;
    std::size_t bytes_ = 0;
    std::list<Writer*> behind_;  // whoever has taken nothing for longest comes first
};

}  // namespace chat
