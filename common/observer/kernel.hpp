#pragma once

#include "observer/tcp_table.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <sys/types.h>

namespace observer {

/// What the kernel knows of a server that cannot tell it, being blocked, or not even having accepted: from /proc, of
/// one process and all below it, and of no other. Linux only. One thread.
class Kernel {
public:
    /// How many of each are listed; the rest is counted.
    static constexpr std::size_t max_waiting = 100, max_sockets = 500, max_processes = 64, max_threads = 40;

    explicit Kernel(pid_t root) : root_(root), table_(root) {}

    /// The fields of the event `door`: who waits for accept, what has arrived and was not read, what was sent and not
    /// taken. Empty where nobody listens.
    boost::json::object door();

    /// The fields of the event `processes`: name, state, threads, CPU, memory, descriptors. Empty where there are none.
    boost::json::object processes();

private:
    struct Usage {
        std::uint64_t ticks = 0;
        std::chrono::steady_clock::time_point at;
    };

    void look_for_processes();
    void look_for_listeners();
    double cpu_percent(std::uint64_t id, std::uint64_t ticks);

    pid_t root_;
    std::vector<pid_t> pids_;  // the root's is the first
    TcpTable table_;
    std::set<std::uint64_t> ours_;  // sockets that they have, by inode
    bool has_listeners_ = false;    // among those, when we last looked
    std::chrono::steady_clock::time_point looked_for_processes_{}, looked_for_listeners_{};
    std::map<std::uint64_t, Usage> usage_;  // by process and thread id
    std::set<std::uint64_t> seen_;          // in the present look: others are forgotten
};

}  // namespace observer
