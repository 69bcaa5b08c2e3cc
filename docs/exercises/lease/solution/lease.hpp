#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

using Clock = std::chrono::steady_clock;
using Epoch = std::uint64_t;

/// Who has come under which name, and for how long they are believed to live. Who lives may write into the log.
class Leases {
public:
    explicit Leases(Clock::duration time_to_live) : time_to_live_(time_to_live) {}

    /// The number of this grant, which no grant had before; nothing where somebody has the name.
    std::optional<Epoch> grant(const std::string& name, Clock::time_point now) {
        end(now);
        if (leases_.contains(name)) return std::nullopt;
        leases_[name] = Lease{++last_epoch_, now + time_to_live_};
        return last_epoch_;
    }

    /// Whether the lease was still there; then its time begins anew.
    bool keep_alive(const std::string& name, Epoch epoch, Clock::time_point now) {
        end(now);
        const auto lease = leases_.find(name);
        if (lease == leases_.end() || lease->second.epoch != epoch) return false;
        lease->second.ends = now + time_to_live_;
        return true;
    }

    /// Whether it is in the log now, as "NAME: text".
    bool write(const std::string& name, Epoch epoch, const std::string& text, Clock::time_point now) {
        end(now);
        const auto lease = leases_.find(name);
        if (lease == leases_.end() || lease->second.epoch != epoch) return false;
        log_.push_back(name + ": " + text);
        return true;
    }

    const std::vector<std::string>& log() const { return log_; }

private:
    struct Lease {
        Epoch epoch;
        Clock::time_point ends;
    };

    /// Whoever's time is over has gone, the earliest first. Before anything else happens at `now`.
    void end(Clock::time_point now) {
        for (;;) {
            const auto first = std::min_element(leases_.begin(), leases_.end(), [](const auto& one, const auto& other) {
                return one.second.ends < other.second.ends;
            });
            if (first == leases_.end() || first->second.ends > now) return;
            log_.push_back(first->first + " has gone");
            leases_.erase(first);
        }
    }

    Clock::duration time_to_live_;
    Epoch last_epoch_ = 0;
    std::map<std::string, Lease> leases_;
    std::vector<std::string> log_;
};
