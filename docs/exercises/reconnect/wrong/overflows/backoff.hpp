// Wrong: the bound comes last, and some sixty failures leave the integer.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

using Wait = std::chrono::milliseconds;

/// How long a client waits before it tries again.
class Backoff {
public:
    Backoff(Wait first, Wait longest) : first_(first), longest_(longest) {}

    /// The pause after one more failure: from half to the whole of a time that begins with `first`, doubles with each
    /// failure, and is at most `longest`. `chance`, from 0 to 1, says how much of it.
    Wait after_failure(double chance) {
        const Wait whole =
            std::min(Wait(static_cast<Wait::rep>(static_cast<std::uint64_t>(first_.count()) << failures_)), longest_);
        ++failures_;
        const Wait half = whole / 2;
        return half + Wait(static_cast<Wait::rep>(static_cast<double>((whole - half).count()) * chance));
    }

    /// It is connected: the next failure is the first one again.
    void connected() { failures_ = 0; }

private:
    Wait first_;
    Wait longest_;
    unsigned failures_ = 0;
};
