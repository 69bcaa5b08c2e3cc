#pragma once

#include "load.hpp"
#include "poller.hpp"

namespace bench {

/// What the server and this process have used since the measured time began.
class Meter {
public:
    explicit Meter(const Plan& plan);

    void begin();
    /// Fills in everything that follows from the time between, and leaves the count of messages to the caller.
    void end(Report& report, const Latencies& latencies) const;

private:
    std::chrono::nanoseconds cpu_of_servers() const;
    double switches_of_servers() const;

    std::vector<pid_t> servers_;
    std::chrono::nanoseconds server_cpu_{};
    std::chrono::nanoseconds load_cpu_{};
    std::chrono::nanoseconds busy_{};
    double switches_ = 0;
    std::chrono::steady_clock::time_point start_;
};

}  // namespace bench
