// Wrong: writing takes the lock, and reading does not.
#pragma once

#include <cstdint>
#include <mutex>
#include <string_view>

struct Totals {
    std::uint64_t lines = 0;
    std::uint64_t bytes = 0;
};

/// What a server has served. Any thread.
class Statistics {
public:
    /// A client's thread has served this line.
    void count(std::string_view line) {
        const std::lock_guard lock(mutex_);
        ++totals_.lines;
        totals_.bytes += line.size();
    }

    /// All lines so far, and their bytes: never the one without the other.
    Totals totals() const { return totals_; }

private:
    std::mutex mutex_;  // for totals_
    Totals totals_;
};
