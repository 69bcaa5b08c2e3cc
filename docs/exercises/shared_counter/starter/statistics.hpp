#pragma once

#include <cstdint>
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
        // Here: four threads at once.
        ++totals_.lines;
        totals_.bytes += line.size();
    }

    /// All lines so far, and their bytes: never the one without the other.
    Totals totals() const { return totals_; }

private:
    Totals totals_;
};
