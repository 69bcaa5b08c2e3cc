// Wrong: a room that is moved to itself: its one mutex is locked twice.
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
    const std::scoped_lock lock(from.mutex, to.mutex);
    if (from.people.erase(name) == 0) return false;
    to.people.insert(name);
    return true;
}
