#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace chat::link {

using Clock = std::chrono::steady_clock;

/// After the first of these silences a peer is asked whether it is there; after the second it is gone. A crash of the
/// peer's program closes the connection at once. But nobody tells of a cut cable, or of a program that hangs.
inline constexpr std::chrono::seconds ping_after{4};
inline constexpr std::chrono::seconds gone_after{8};

/// Whether the peer is still there. Pure; both sides of a link have one.
class Pulse {
public:
    /// The peer must have introduced itself within `handshake`.
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
