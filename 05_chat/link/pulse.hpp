#pragma once

#include "05_chat/link/message.hpp"

#include <chrono>
#include <string>

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

    /// False: the peer is gone. Where a Ping is due it is appended to `out`.
    bool time(Clock::time_point now, std::string& out) {
        if (now >= gone_) return false;
        if (!is_asked_ && now >= heard_ + ping_after) {
            is_asked_ = true;
            encode(Ping{0}, out);
        }
        return true;
    }
    /// When to call time() next.
    Clock::time_point deadline() const { return is_asked_ ? gone_ : heard_ + ping_after; }

private:
    Clock::time_point heard_;
    Clock::time_point gone_;
    bool is_asked_ = true;  // nobody is, before they have introduced themselves
};

}  // namespace chat::link
