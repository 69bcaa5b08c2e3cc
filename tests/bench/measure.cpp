#include "measure.hpp"

#include "counts.hpp"
#include "etcd_case.hpp"
#include "targets.hpp"

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
using namespace std::chrono_literals;

namespace {

constexpr auto case_within = 45s;      // what cannot be told by then is said to be so
constexpr int again_at_most = 3;       // measurements that others have spoilt
constexpr double taken_at_most = 0.1;  // of two processors: the clock that says so counts in ticks of 10 ms

// One line that is overwritten on a terminal, and nothing in a file.
class Progress {
public:
    explicit Progress(std::size_t cases) : cases_(cases) {}
    ~Progress() { clear(); }

    void next_case() { ++case_; }
    void step(const std::string& what) const {
        if (terminal_) std::fprintf(stderr, "\r\033[K[%zu/%zu] %s", case_, cases_, what.c_str());
    }
    void clear() const {
        if (terminal_) std::fputs("\r\033[K", stderr);
    }

private:
    const bool terminal_ = isatty(STDERR_FILENO);
    const std::size_t cases_;
    std::size_t case_ = 0;
};

// The servers of one case.
std::vector<const Subject*> those_for(const Case& what, const std::vector<Subject>& subjects) {
    std::vector<const Subject*> those;
    for (const Subject& subject : subjects) {
        if (is_for(what, subject)) those.push_back(&subject);
    }
    return those;
}

// Those that another round would tell something of, and whom they are compared with. A server that is left out once
// stays out, for what it is compared by changes no more: two are compared as far as both have rounds.
std::vector<bool> still_wanted(const CaseResult& result, const std::vector<const Subject*>& those) {
    std::vector<bool> wanted(those.size(), false);
    for (std::size_t i = 0; i < those.size(); ++i) {
        const auto others = undecided(result, those[i]->name, those[i]->sticks);
        if (others.empty()) continue;
        wanted[i] = true;
        for (std::size_t other = 0; other < those.size(); ++other) {
            if (contains(others, those[other]->name)) wanted[other] = true;
        }
    }
    return wanted;
}

// The places of those that are wanted, from the other end in every other round.
std::vector<std::size_t> in_turn(const std::vector<bool>& wanted, std::size_t round) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (wanted[i]) order.push_back(i);
    }
    if (round % 2 == 1) std::reverse(order.begin(), order.end());
    return order;
}

// Measures a case, a server at a time.
class Bench {
public:
    // `core`: the servers'.
    Bench(const Case& what, int core, std::stop_token stop) : what_(what), core_(core), stop_(std::move(stop)) {}

    // A round of one server. It is measured again where others had too much of the machine meanwhile.
    void measure(const Subject& subject, Measured& into) {
        try {
            Report report = once(subject);
            for (int again = 0; again < again_at_most && report.taken > taken_at_most && is_alone(subject); ++again) {
                report = once(subject);
            }
            into.rounds.push_back(report);
        } catch (const Interrupted&) {
            throw;
        } catch (const std::exception& error) {
            into.failure = error.what();
        }
    }

    // What it does for a message, which is the same in every round.
    void count(const Subject& subject, Measured& into) {
        try {
            into.counts = bench::count(what_, subject, command_of(what_, subject), core_, stop_);
        } catch (const Interrupted&) {
            throw;
        } catch (const std::exception& error) {
            into.failure = error.what();
        }
    }

private:
    // Whether nobody but server and load has work to do.
    bool is_alone(const Subject& subject) const { return what_.etcd == 0 && !subject.watched; }

    Report once(const Subject& subject) {
        if (what_.etcd > 0) {
            if (!etcd_) etcd_.emplace(what_, core_);
            return etcd_->measure(subject, stop_);
        }
        const Server server(command_of(what_, subject), core_);
        Plan plan = plan_for(what_, subject);
        plan.port = server.port();
        plan.server = server.pid();
        if (subject.watched) {
            plan.server = family(server.pid()).at(1);
            keep_off(server.pid(), core_);
        }
        return run(plan, stop_);
    }

    const Case& what_;
    const int core_;
    const std::stop_token stop_;
    std::optional<EtcdCase> etcd_;  // once it is needed
};

void print_ratio(const CaseResult& what, const Measured& ours, const std::string& stick_name) {
    const Measured* const stick = what.find(stick_name);
    if (stick == nullptr) return;
    const Interval found = ratio(costs(what, ours), costs(what, *stick));
    std::printf("  %5.2f x %s (%.2f-%.2f) %s", found.median, stick_name.c_str(), found.low, found.high,
                std::string(compared(found)).c_str());
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
    if (!one.counts) return;
    std::printf("  %-22s%10.3f system calls, %.1f instructions, %.4f allocations, %.4f switches for each\n", "",
                one.counts->system_calls, one.counts->instructions, one.counts->allocations,
                median(one.rounds, switches));
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
    Results results;
    Progress progress(cases.size());
    for (const Case& what : cases) {
        const auto those = those_for(what, subjects);
        progress.next_case();
        if (those.empty()) continue;
        CaseResult result{what.group, what.label, what.plan.connections, what.plan.size, what.plan.depth, {}};
        for (const Subject* subject : those) result.servers.push_back({subject->name, {}, {}});
        Bench bench(what, server_core, stop);
        const auto enough = std::chrono::steady_clock::now() + case_within;
        std::vector<bool> wanted(those.size(), true);
        for (std::size_t round = 0; round < what.rounds + what.more_rounds; ++round) {
            if (round >= what.rounds) {
                if (std::chrono::steady_clock::now() >= enough) break;
                wanted = still_wanted(result, those);
            }
            for (const std::size_t i : in_turn(wanted, round)) {
                progress.step(what.group + " " + what.label + ", round " + std::to_string(round + 1) + ": " +
                              those[i]->name);
                if (result.servers[i].failure.empty()) bench.measure(*those[i], result.servers[i]);
            }
        }
        for (std::size_t i = 0; i < those.size(); ++i) {
            if (!what.counted || those[i]->peer || !result.servers[i].failure.empty()) continue;
            progress.step(what.group + " " + what.label + ", counted: " + those[i]->name);
            bench.count(*those[i], result.servers[i]);
        }
        progress.clear();
        std::printf("\n%s %s\n", what.group.c_str(), what.label.c_str());
        for (std::size_t i = 0; i < those.size(); ++i) print_server(result, result.servers[i], *those[i]);
        std::fflush(stdout);
        results.cases.push_back(std::move(result));
    }
    return results;
}

// What a shell's line prints, without its end.
static std::string first_line_of(const std::string& shell) {
    FILE* const pipe = popen((shell + " 2>&1").c_str(), "r");
    if (pipe == nullptr) return "";
    char text[256];
    std::string line = std::fgets(text, sizeof text, pipe) != nullptr ? text : "";
    pclose(pipe);
    return line.substr(0, line.find('\n'));
}

// For the shell.
static std::string own_version(const std::string& program) {
    std::string quoted;
    for (const char c : program) quoted += c == '\'' ? "'\\''" : std::string(1, c);
    return "'" + quoted + "' --version";
}

boost::json::object versions(const std::vector<Subject>& subjects) {
    boost::json::object named;
    for (const Subject& one : subjects) {
        if (one.peer) named[one.name] = first_line_of(one.version.empty() ? own_version(one.command[0]) : one.version);
    }
    return named;
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
