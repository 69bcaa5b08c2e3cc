#include "meter.hpp"

#include "process.hpp"

#include <algorithm>
#include <ctime>

namespace bench {

using std::chrono::steady_clock;

static double seconds(std::chrono::nanoseconds duration) {
    return std::chrono::duration<double>(duration).count();
}

static std::chrono::nanoseconds own_cpu() {
    timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

Meter::Meter(const Plan& plan) {
    if (plan.server) servers_.push_back(*plan.server);
    for (const Plan::Node& node : plan.more_nodes) servers_.push_back(node.server);
}

std::chrono::nanoseconds Meter::cpu_of_servers() const {
    std::chrono::nanoseconds sum{};
    for (const pid_t server : servers_) sum += cpu_time(server);
    return sum;
}

double Meter::switches_of_servers() const {
    double sum = 0;
    for (const pid_t server : servers_) sum += context_switches(server);
    return sum;
}

void Meter::begin() {
    switches_ = switches_of_servers();
    server_cpu_ = cpu_of_servers();
    load_cpu_ = own_cpu();
    busy_ = busy_time();
    start_ = steady_clock::now();
}

void Meter::end(Report& report, const Latencies& latencies) const {
    report.seconds = seconds(steady_clock::now() - start_);
    report.load_cpu = seconds(own_cpu() - load_cpu_);
    report.server_cpu = seconds(cpu_of_servers() - server_cpu_);
    const double others = seconds(busy_time() - busy_) - report.load_cpu - report.server_cpu;
    report.taken = std::max(0.0, others) / (2 * report.seconds);
    // Last: to ask a thousand threads takes longer than what is not to be noticed above.
    report.switches = std::max(0.0, switches_of_servers() - switches_);
    report.median_us = latencies.quantile(0.5);
    report.p99_us = latencies.quantile(0.99);
}

}  // namespace bench
