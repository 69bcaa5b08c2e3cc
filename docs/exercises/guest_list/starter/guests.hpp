#pragma once

#include <atomic>
#include <cstddef>
#include <set>
#include <string>

/// The people in a server's room. Any thread.
class Guests {
public:
    explicit Guests(std::size_t most) : most_(most) {}

    /// False: somebody has that name, or there are as many as may be.
    bool enter(const std::string& name) {
        // Here: a thread for each client does this.
        if (people_ >= most_ || names_.contains(name)) return false;
        ++people_;
        names_.insert(name);
        return true;
    }

    void leave(const std::string& name) {
        names_.erase(name);
        --people_;
    }

    std::set<std::string> names() const { return names_; }

private:
    std::size_t most_;
    std::atomic<std::size_t> people_ = 0;
    std::set<std::string> names_;
};
