#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace chat::link {

using Clock = std::chrono::steady_clock;

/// After so long a silence a peer is asked whether it is there, and after so long it is gone. A crash of its program
/// closes the connection at once; this is for the cut cable and the program that hangs, of which nobody tells.
inline constexpr std::chrono::seconds ping_after{4};
inline constexpr std::chrono::seconds gone_after{8};

/// Whether the peer is still there. Pure; both sides of a link have one.
class Pulse {
public:
    /// `handshake` is the time it has for its first word.
    Pulse(Clock::time_point now, std::chrono::milliseconds handshake) : heard_(now), gone_(now + handshake) {}

    void beat(Clock::time_point now) {
        heard_ = now;
        gone_ = now + gone_after;
        is_asked_ = false;
    }

    enum class Verdict { fine, ask, gone };
    /// `ask`: send a Ping now.
    Verdict look(Clock::time_point now) {
        if (now >= gone_) return Verdict::gone;
        if (is_asked_ || now < heard_ + ping_after) return Verdict::fine;
        is_asked_ = true;
        return Verdict::ask;
    }
    /// When to look next.
    Clock::time_point deadline() const {
        return is_asked_ ? gone_ : std::min<Clock::time_point>(heard_ + ping_after, gone_);
    }

private:
    Clock::time_point heard_;
    Clock::time_point gone_;
    bool is_asked_ = false;
};

}  // namespace chat::link
