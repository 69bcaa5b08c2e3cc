#pragma once

#include <mutex>
#include <set>
#include <string>

struct Room {
    std::mutex mutex;  // for people
    std::set<std::string> people;
};

/// Takes `name` from one room to the other; false, and nothing happens, when they are not in `from`. At no moment are
/// they in neither or in both, for whoever looks with both mutexes locked. Any thread.
inline bool move(const std::string& name, Room& from, Room& to) {
    // Here: another thread may be moving somebody the other way.
    const std::lock_guard lock_from(from.mutex);
    const std::lock_guard lock_to(to.mutex);
    if (from.people.erase(name) == 0) return false;
    to.people.insert(name);
    return true;
}
