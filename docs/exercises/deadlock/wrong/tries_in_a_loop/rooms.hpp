// Wrong: it tries both until it has them, and burns a processor as long as one is locked.
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
    if (&from == &to) {  // a mutex is not locked twice by the same thread
        const std::lock_guard lock(from.mutex);
        return from.people.contains(name);
    }
    while (std::try_lock(from.mutex, to.mutex) != -1) {
    }
    const std::scoped_lock lock(std::adopt_lock, from.mutex, to.mutex);
    if (from.people.erase(name) == 0) return false;
    to.people.insert(name);
    return true;
}
