// The bench: servers and their measuring sticks by turns, under the same load, as a table and as JSON.
#include "cases.hpp"
#include "process.hpp"
#include "report.hpp"
#include "summary.hpp"

#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <limits>
#include <sstream>
#include <thread>

using namespace bench;
namespace fs = std::filesystem;

namespace {

struct Options {
    std::vector<std::string> groups;
    std::vector<std::string> only;
    std::vector<std::string> servers;
    bool quick = false;
    std::size_t rounds = 0;
    std::string json;
};

struct Measured {
    const Subject* subject;
    std::vector<Report> rounds;
    std::string failure;  // why there are no more rounds
};

// What the bench is about: CPU seconds for one message (or one connection's life), or bytes for one idle connection.
double cost(const Case& what, const Report& report) {
    if (what.plan.kind == Kind::idle) return report.bytes_per_connection;
    return report.server_cpu / static_cast<double>(std::max<std::uint64_t>(1, report.messages));
}

template <typename Value>
double median(const std::vector<Report>& rounds, Value value) {
    std::vector<double> values;
    for (const Report& report : rounds) values.push_back(value(report));
    return quantile(values, 0.5);
}

std::vector<double> costs(const Case& what, const std::vector<Report>& rounds) {
    std::vector<double> values;
    for (const Report& report : rounds) values.push_back(cost(what, report));
    return values;
}

// Those that are built; the others are named once.
std::vector<Subject> present(std::vector<Subject> subjects, const Options& options) {
    const fs::path here = fs::read_symlink("/proc/self/exe").parent_path();
    for (const std::string& given : options.servers) {
        const auto equals = given.find('=');
        if (equals == std::string::npos) throw std::invalid_argument("--server takes NAME=COMMAND, not " + given);
        std::istringstream words(given.substr(equals + 1));
        std::vector<std::string> command;
        for (std::string word; words >> word;) command.push_back(word);
        if (command.empty()) throw std::invalid_argument("--server takes NAME=COMMAND, not " + given);
        subjects.push_back({given.substr(0, equals), command, "raw_epoll", std::numeric_limits<std::size_t>::max()});
    }
    std::erase_if(subjects, [&](Subject& subject) {
        const auto& only = options.only;
        const bool stick = subject.stick.empty();
        if (!only.empty() && !stick && std::find(only.begin(), only.end(), subject.name) == only.end()) return true;
        if (subject.command[0].find('/') == std::string::npos) subject.command[0] = here / subject.command[0];
        if (fs::exists(subject.command[0])) return false;
        std::cout << subject.name << " is not built and is left out\n";
        return true;
    });
    // A stick is only there for those that are compared with it; where nobody is, the sticks are shown themselves.
    const auto all = subjects;
    const bool stages = std::any_of(all.begin(), all.end(), [](const Subject& one) { return !one.stick.empty(); });
    std::erase_if(subjects, [&](const Subject& subject) {
        return stages && subject.stick.empty() &&
               std::none_of(all.begin(), all.end(), [&](const Subject& other) { return other.stick == subject.name; });
    });
    return subjects;
}

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

Measured* find(std::vector<Measured>& results, const std::string& name) {
    const auto found =
        std::find_if(results.begin(), results.end(), [&](const Measured& one) { return one.subject->name == name; });
    return found == results.end() ? nullptr : &*found;
}

void print_case(const Case& what, std::vector<Measured>& results) {
    const bool idle = what.plan.kind == Kind::idle;
    std::printf("\n%s %s\n", what.group.c_str(), what.label.c_str());
    for (Measured& one : results) {
        std::printf("  %-22s", one.subject->name.c_str());
        if (!one.failure.empty()) {
            std::printf("FAILED: %s\n", one.failure.c_str());
            continue;
        }
        const double each = median(one.rounds, [&](const Report& report) { return cost(what, report); });
        if (idle) {
            std::printf("%8.0f bytes for each idle connection\n", each);
            continue;
        }
        std::printf("%10.0f/s %9.3f us CPU  %3.0f %% busy  median %7.0f us  p99 %7.0f us",
                    median(one.rounds, [](const Report& r) { return static_cast<double>(r.messages) / r.seconds; }),
                    each * 1e6, median(one.rounds, [](const Report& r) { return r.server_cpu / r.seconds * 100; }),
                    median(one.rounds, [](const Report& r) { return r.median_us; }),
                    median(one.rounds, [](const Report& r) { return r.p99_us; }));
        if (const Measured* stick = find(results, one.subject->stick); stick && stick->failure.empty()) {
            const Ratio ratio = Ratio::of(costs(what, one.rounds), costs(what, stick->rounds));
            std::printf("  %5.2f x %s (%.2f-%.2f) %s", ratio.median, stick->subject->name.c_str(), ratio.low,
                        ratio.high, ratio.verdict().c_str());
        }
        std::printf("\n");
    }
    std::fflush(stdout);
}

boost::json::object to_json(const Case& what, std::vector<Measured>& results) {
    boost::json::array servers;
    for (Measured& one : results) {
        boost::json::object server{{"name", one.subject->name}};
        if (!one.failure.empty()) {
            server["failure"] = one.failure;
        } else if (Measured* stick = find(results, one.subject->stick); stick && stick->failure.empty()) {
            const Ratio ratio = Ratio::of(costs(what, one.rounds), costs(what, stick->rounds));
            server["ratio"] = {{"stick", stick->subject->name},
                               {"median", ratio.median},
                               {"low", ratio.low},
                               {"high", ratio.high},
                               {"verdict", ratio.verdict()}};
        }
        boost::json::array rounds;
        for (const Report& report : one.rounds) rounds.push_back(bench::to_json(report));
        server["rounds"] = std::move(rounds);
        servers.push_back(std::move(server));
    }
    return {{"group", what.group},          {"label", what.label},      {"connections", what.plan.connections},
            {"size", what.plan.size},       {"depth", what.plan.depth}, {"lines", what.plan.lines},
            {"servers", std::move(servers)}};
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

// Whole or not at all: a file that is there was finished.
void write_file(const fs::path& path, const std::string& text) {
    const fs::path unfinished = path.string() + ".unfinished";
    std::ofstream file(unfinished);
    file << text << '\n';
    file.close();
    if (!file) {
        fs::remove(unfinished);
        throw std::runtime_error("cannot write " + path.string());
    }
    fs::rename(unfinished, path);
}

// Returns whether all servers answered rightly.
bool bench_all(const Options& options, std::stop_token stop) {
    auto cases = all_cases(options.quick);
    std::erase_if(cases, [&](const Case& one) {
        return !options.groups.empty() &&
               std::find(options.groups.begin(), options.groups.end(), one.group) == options.groups.end();
    });
    const auto subjects = present(all_subjects(), options);
    const Cores cores = choose_cores();
    if (!cores.shared.empty()) std::cout << "Mind: " << cores.shared << '\n';
    raise_file_limit();
    pin_to(cores.load);

    const auto rounds_of = [&](const Case& what) -> std::size_t {
        if (options.rounds > 0) return options.rounds;
        return what.plan.kind == Kind::idle ? 1 : options.quick ? 3 : 7;
    };
    const auto serves = [](const Subject& subject, const Case& what) {
        return what.plan.connections <= subject.clients;
    };
    std::size_t steps = 0;
    for (const Case& what : cases) {
        for (const Subject& subject : subjects) steps += serves(subject, what) ? rounds_of(what) : 0;
    }

    Progress progress(steps);
    bool right = true;
    boost::json::array document;
    for (const Case& what : cases) {
        std::vector<Measured> results;
        for (const Subject& subject : subjects) {
            if (serves(subject, what)) results.push_back({&subject, {}, {}});
        }
        for (std::size_t round = 0; round < rounds_of(what); ++round) {
            for (Measured& one : results) {
                progress.step(what.group + " " + what.label + ", round " + std::to_string(round + 1) + ": " +
                              one.subject->name);
                if (!one.failure.empty()) continue;
                try {
                    auto command = one.subject->command;
                    command.insert(command.end(), {"--port", "0", "--packet", what.plan.lines ? "line" : "raw"});
                    const Server server(command, cores.server);
                    Plan plan = what.plan;
                    plan.port = server.port();
                    plan.server = server.pid();
                    one.rounds.push_back(run(plan, stop));
                } catch (const Interrupted&) {
                    throw;
                } catch (const std::exception& error) {
                    one.failure = error.what();
                    right = false;
                }
            }
        }
        progress.clear();
        print_case(what, results);
        document.push_back(to_json(what, results));
    }
    if (!options.json.empty()) {
        auto whole = about_this_run(cores);
        whole["quick"] = options.quick;
        whole["cases"] = std::move(document);
        write_file(options.json, boost::json::serialize(whole));
        std::cout << "\nWritten to " << options.json << '\n';
    }
    return right;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures the stages beside plain system calls: CPU for each message, speed, latency, memory"};
    Options options;
    app.add_option("group", options.groups,
                   "echo (raw), lines, churn (connect, one message, close), idle; all if none is named")
        ->check(CLI::IsMember({"echo", "lines", "churn", "idle"}));
    app.add_flag("--quick", options.quick, "under a minute: fewer cases and rounds, and less can be told apart");
    app.add_option("--only", options.only, "Only these servers, and their sticks")->delimiter(',');
    app.add_option("--server", options.servers,
                   "Another server beside raw_epoll, as NAME=COMMAND; it gets --port and --packet");
    app.add_option("--rounds", options.rounds, "How often each is measured; 7 if 0, and 3 with --quick")
        ->capture_default_str();
    app.add_option("--json", options.json, "Write all figures to this file");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }

    // Signals are waited for by a thread of their own, so that an end can be asked for at any moment, and comes in
    // order.
    sigset_t ending;
    sigemptyset(&ending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&ending, signal);
    pthread_sigmask(SIG_BLOCK, &ending, nullptr);
    static std::stop_source stop;
    std::thread([ending] {
        int signal = 0;
        sigwait(&ending, &signal);
        stop.request_stop();
    }).detach();

    try {
        return bench_all(options, stop.get_token()) ? 0 : 1;
    } catch (const Interrupted&) {
        std::cerr << "interrupted: nothing was written, nothing is left running\n";
        return 130;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
