// Wrong: each number is right, but between the two additions somebody may look.
#pragma once

#include <atomic>
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
        ++lines_;
        bytes_ += line.size();
    }

    /// All lines so far, and their bytes: never the one without the other.
    Totals totals() const { return {lines_, bytes_}; }

private:
    std::atomic<std::uint64_t> lines_ = 0;
    std::atomic<std::uint64_t> bytes_ = 0;
};
