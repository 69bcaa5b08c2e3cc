#pragma once

#include <cstddef>
#include <mutex>
#include <set>
#include <string>

/// The people in a server's room. Any thread.
class Guests {
public:
    explicit Guests(std::size_t most) : most_(most) {}

    /// False: somebody has that name, or there are as many as may be.
    bool enter(const std::string& name) {
        const std::lock_guard lock(mutex_);
        return names_.size() < most_ && names_.insert(name).second;
    }

    void leave(const std::string& name) {
        const std::lock_guard lock(mutex_);
        names_.erase(name);
    }

    std::set<std::string> names() const {
        const std::lock_guard lock(mutex_);
        return names_;
    }

private:
    std::size_t most_;
    mutable std::mutex mutex_;  // for names_
    std::set<std::string> names_;
};
