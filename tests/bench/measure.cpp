#include "measure.hpp"

#include "etcd_case.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <thread>

namespace bench {

namespace fs = std::filesystem;

namespace {

// One line that is overwritten on a terminal, and nothing in a file.
class Progress {
public:
    explicit Progress(std::size_t steps) : steps_(steps) {}
    ~Progress() { clear(); }

    void step(const std::string& what) {
        if (terminal_) {
            const auto spent = std::chrono::steady_clock::now() - start_;
            std::string left;
            if (done_ > 0) {
                const auto rest = std::chrono::duration_cast<std::chrono::seconds>(spent / done_ * (steps_ - done_));
                left = ", " + std::to_string(rest.count()) + " s left";
            }
            std::fprintf(stderr, "\r\033[K[%zu/%zu%s] %s", done_ + 1, steps_, left.c_str(), what.c_str());
        }
        ++done_;
    }
    void clear() const {
        if (terminal_) std::fputs("\r\033[K", stderr);
    }

private:
    const bool terminal_ = isatty(STDERR_FILENO);
    const std::size_t steps_;
    std::size_t done_ = 0;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The servers of one case.
std::vector<const Subject*> those_for(const Case& what, const std::vector<Subject>& subjects) {
    std::vector<const Subject*> those;
    for (const Subject& subject : subjects) {
        if (is_for(what, subject)) those.push_back(&subject);
    }
    return those;
}

std::size_t rounds_of(const Case& what, const Subject& subject) {
    return subject.peer ? std::min(what.rounds, peer_rounds) : what.rounds;
}

std::vector<std::string> command_of(const Case& what, const Subject& subject) {
    auto command = subject.command;
    const auto is_template = [](const std::string& word) { return word.find("{port}") != word.npos; };
    if (std::any_of(command.begin(), command.end(), is_template)) return command;
    command.insert(command.end(), {"--port", "0"});
    if (what.plan.kind != Kind::chat) command.insert(command.end(), {"--packet", what.plan.lines ? "line" : "raw"});
    return command;
}

// `etcd`: that of the case, once it has one.
void measure_once(const Case& what, const Subject& subject, int core, const std::stop_token& stop,
                  std::optional<EtcdCase>& etcd, Measured& into) {
    try {
        if (what.etcd > 0) {
            if (!etcd) etcd.emplace(what, core);
            into.rounds.push_back(etcd->measure(subject, stop));
            return;
        }
        const Server server(command_of(what, subject), core);
        Plan plan = plan_for(what, subject);
        plan.port = server.port();
        plan.server = server.pid();
        if (subject.watched) {
            plan.server = family(server.pid()).at(1);
            keep_off(server.pid(), core);
        }
        into.rounds.push_back(run(plan, stop));
    } catch (const Interrupted&) {
        throw;
    } catch (const std::exception& error) {
        into.failure = error.what();
    }
}

void print_ratio(const CaseResult& what, const Measured& ours, const std::string& stick_name) {
    const Measured* const stick = what.find(stick_name);
    if (stick == nullptr) return;
    const Ratio ratio = Ratio::of(costs(what, ours), costs(what, *stick));
    std::printf("  %5.2f x %s (%.2f-%.2f) %s", ratio.median, stick_name.c_str(), ratio.low, ratio.high,
                ratio.verdict().c_str());
}

void print_server(const CaseResult& what, const Measured& one, const Subject& subject) {
    std::printf("  %-22s", one.name.c_str());
    if (!one.failure.empty()) {
        std::printf("FAILED: %s\n", one.failure.c_str());
        return;
    }
    const double each = median_cost(what, one);
    if (what.group == "idle") {
        std::printf("%8.0f bytes for each idle connection\n", each);
        return;
    }
    if (what.group == etcd_leader) {
        const auto all = costs(what, one);
        std::printf("%6.2f s without service, %.2f s at the most, %zu kills\n", each, quantile(all, 1), all.size());
        return;
    }
    if (what.group == etcd_newcomer) {
        std::printf("%6.3f s until it serves, %.0f lines/s, %.3f s CPU\n",
                    median(one.rounds, [](const Report& r) { return r.seconds; }), median(one.rounds, speed),
                    median(one.rounds, [](const Report& r) { return r.server_cpu; }));
        return;
    }
    std::printf("%10.0f/s %9.3f us CPU  %3.0f %% busy  median %7.0f us  p99 %7.0f us", median(one.rounds, speed),
                each * 1e6, median(one.rounds, [](const Report& r) { return r.server_cpu / r.seconds * 100; }),
                median(one.rounds, [](const Report& r) { return r.median_us; }),
                median(one.rounds, [](const Report& r) { return r.p99_us; }));
    for (const std::string& stick : subject.sticks) print_ratio(what, one, stick);
    std::printf("\n");
}

}  // namespace

std::string find_program(const std::string& name) {
    const auto is_there = [](const fs::path& path) { return access(path.c_str(), X_OK) == 0; };
    if (name.find('/') != name.npos) return is_there(name) ? name : "";
    const fs::path beside = fs::read_symlink("/proc/self/exe").parent_path() / name;
    if (is_there(beside)) return beside;
    const char* const path = std::getenv("PATH");
    std::istringstream directories(path != nullptr ? path : "");
    for (std::string directory; std::getline(directories, directory, ':');) {
        if (!directory.empty() && is_there(fs::path(directory) / name)) return fs::path(directory) / name;
    }
    return "";
}

Results measure(const std::vector<Case>& cases, const std::vector<Subject>& subjects, int server_core,
                std::stop_token stop) {
    std::size_t steps = 0;
    for (const Case& what : cases) {
        for (const Subject* subject : those_for(what, subjects)) steps += rounds_of(what, *subject);
    }
    Progress progress(steps);
    Results results;
    for (const Case& what : cases) {
        const auto those = those_for(what, subjects);
        if (those.empty()) continue;
        CaseResult result{what.group, what.label, what.plan.connections, what.plan.size, what.plan.depth, {}};
        for (const Subject* subject : those) result.servers.push_back({subject->name, {}, {}});
        std::optional<EtcdCase> etcd;
        for (std::size_t round = 0; round < what.rounds; ++round) {
            for (std::size_t i = 0; i < those.size(); ++i) {
                if (round >= rounds_of(what, *those[i])) continue;
                progress.step(what.group + " " + what.label + ", round " + std::to_string(round + 1) + ": " +
                              those[i]->name);
                if (result.servers[i].failure.empty()) {
                    measure_once(what, *those[i], server_core, stop, etcd, result.servers[i]);
                }
            }
        }
        progress.clear();
        std::printf("\n%s %s\n", what.group.c_str(), what.label.c_str());
        for (std::size_t i = 0; i < those.size(); ++i) print_server(result, result.servers[i], *those[i]);
        std::fflush(stdout);
        results.cases.push_back(std::move(result));
    }
    return results;
}

boost::json::object about_this_run(const Cores& cores) {
    std::ifstream cpuinfo("/proc/cpuinfo");
    std::string processor;
    for (std::string line; processor.empty() && std::getline(cpuinfo, line);) {
        if (line.starts_with("model name")) processor = line.substr(line.find(':') + 2);
    }
    std::ifstream release("/proc/sys/kernel/osrelease");
    std::string kernel;
    release >> kernel;
    char date[32];
    const std::time_t now = std::time(nullptr);
    std::strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&now));
    return {{"date", date},
            {"processor", processor},
            {"processors", std::thread::hardware_concurrency()},
            {"kernel", kernel},
            {"compiler", __VERSION__},
            {"server_core", cores.server},
            {"load_core", cores.load},
            {"shared", cores.shared}};
}

}  // namespace bench
