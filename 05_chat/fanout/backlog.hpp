#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <optional>
#include <string>

namespace chat {

/// What waits because somebody reads slowly: the bytes that connections are still to be sent, and those that a log
/// keeps because not everybody has read them. Each connection has a bound of its own (--max-backlog). All of them
/// together have another one (--max-waiting), so that memory suffices however many connections strangers open. The
/// loop's thread only.
class Backlog {
public:
    using Clock = std::chrono::steady_clock;

    Backlog(std::size_t max_backlog, std::size_t max_waiting) : max_backlog_(max_backlog), max_waiting_(max_waiting) {}
    Backlog(const Backlog&) = delete;
    Backlog& operator=(const Backlog&) = delete;

    /// The part of one connection, or of one log. It ends before the backlog does.
    class Part {
    public:
        /// `cut_off` ends the connection; a log, which is never behind, has none.
        explicit Part(Backlog& backlog, std::function<void(std::string why)> cut_off = {});
        ~Part();
        Part(const Part&) = delete;
        Part& operator=(const Part&) = delete;

        /// So many bytes of it wait now.
        void count(std::size_t bytes);
        /// Its peer is behind, and has taken something just now.
        void is_behind();
        /// It is not any more.
        void is_no_longer_behind();

    private:
        friend Backlog;
        Backlog& all_;
        std::function<void(std::string)> cut_off_;
        std::size_t bytes_ = 0;
        std::optional<std::list<Part*>::iterator> place_;  // in all_.behind_, while it is behind
        Clock::time_point behind_since_;
    };

    std::size_t max_backlog() const { return max_backlog_; }
    /// A peer is given at most so much before it is waited for: the other half is for what others say meanwhile.
    std::size_t max_at_once() const { return max_backlog_ / 2; }

    /// As long as more waits than may: cuts off the connection that has taken nothing for longest.
    void keep_bound();
    /// Cuts off each connection that is behind and has taken nothing since then.
    void cut_off_since(Clock::time_point then);

private:
    std::size_t max_backlog_;
    std::size_t max_waiting_;
    std::size_t waiting_ = 0;
    std::list<Part*> behind_;  // the one that has taken nothing for longest comes first
};

}  // namespace chat
