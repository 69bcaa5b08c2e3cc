// The bench: servers and their measuring sticks by turns, under the same load, as a table, as a page, and as JSON.
#include "cases.hpp"
#include "measure.hpp"
#include "page.hpp"
#include "process.hpp"
#include "profile.hpp"
#include "results.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

using namespace bench;

namespace {

struct Options {
    std::vector<std::string> groups;
    std::vector<std::string> only;
    std::vector<std::string> servers;
    bool quick = false;
    bool no_peers = false;
    std::size_t rounds = 0;
    bool write = false;
    std::string docs = "docs";
    std::string json;
    std::string from;
    std::string perf;
    std::string data = "perf.data";

    // A run that leaves something out would leave holes in the page.
    bool writes_page() const {
        return write || (!quick && groups.empty() && only.empty() && servers.empty() && rounds == 0);
    }
};

// `NAME=COMMAND`, measured beside raw_epoll.
Subject given_server(const std::string& given) {
    const auto equals = given.find('=');
    std::istringstream words(equals == given.npos ? "" : given.substr(equals + 1));
    Subject subject{.name = given.substr(0, equals),
                    .command = {},
                    .sticks = {"raw_epoll"},
                    .groups = {"echo", "lines", "churn", "idle"}};
    for (std::string word; words >> word;) subject.command.push_back(word);
    if (subject.command.empty()) throw std::invalid_argument("--server takes NAME=COMMAND, not " + given);
    return subject;
}

// Those that are wanted and there, with their programs' paths; the others are named once.
std::vector<Subject> present(std::vector<Subject> subjects, const std::vector<Case>& cases, const Options& options) {
    for (const std::string& given : options.servers) subjects.push_back(given_server(given));
    std::erase_if(subjects, [&](const Subject& subject) {
        return std::none_of(cases.begin(), cases.end(), [&](const Case& one) { return is_for(one, subject); });
    });
    std::erase_if(subjects, [&](Subject& subject) {
        if (subject.peer && (options.no_peers || options.quick)) return true;
        // A stick is measured where a server is that needs it.
        if (!options.only.empty() && !subject.sticks.empty() && !contains(options.only, subject.name)) return true;
        const std::string program = find_program(subject.command[0]);
        if (program.empty()) {
            std::cout << subject.name << " is left out: there is no " << subject.command[0] << " here"
                      << (subject.package.empty() ? "" : ", which is built where there is " + subject.package) << '\n';
            return true;
        }
        if (!subject.needs.empty() && find_program(subject.needs).empty()) {
            std::cout << subject.name << " is left out: there is no " << subject.needs << " here\n";
            return true;
        }
        subject.command[0] = program;
        constexpr std::string_view ours = "{bin}/";
        for (std::string& word : subject.command) {
            if (word.starts_with(ours)) word = find_program(word.substr(ours.size()));
        }
        return false;
    });
    // A stick is only there for those that are compared with it; where nobody is, the sticks are shown themselves.
    const auto all = subjects;
    const bool compared = std::any_of(all.begin(), all.end(), [](const Subject& one) { return !one.sticks.empty(); });
    std::erase_if(subjects, [&](const Subject& subject) {
        return compared && subject.sticks.empty() && std::none_of(all.begin(), all.end(), [&](const Subject& other) {
                   return contains(other.sticks, subject.name);
               });
    });
    return subjects;
}

std::vector<Case> wanted_cases(const Options& options) {
    const std::size_t files = raise_file_limit();
    auto cases = all_cases(options.quick, files);
    // etcd are etcd-leader and etcd-newcomer, too.
    std::erase_if(cases, [&](const Case& one) {
        return !options.groups.empty() && !contains(options.groups, one.group.substr(0, one.group.find('-')));
    });
    std::erase_if(cases, [&](const Case& one) {
        if (fits(one, files)) return false;
        std::cout << one.group << ' ' << one.label << " is left out: a process may have " << files
                  << " files open here (ulimit -Hn)\n";
        return true;
    });
    if (options.rounds > 0) {
        for (Case& one : cases) {
            one.rounds = options.rounds;
            one.more_rounds = 0;
            one.counted = false;
        }
    }
    return cases;
}

// A stage by its beginning: 03 is 03_acceptor_pool.
const Subject& stage_called(const std::vector<Subject>& subjects, const std::string& name) {
    const auto found = std::find_if(subjects.begin(), subjects.end(),
                                    [&](const Subject& subject) { return subject.name.starts_with(name); });
    if (found == subjects.end()) throw std::invalid_argument("there is no server " + name + " to profile");
    return *found;
}

void profile_stage(const Options& options, int server_core, std::stop_token stop) {
    auto subjects = all_subjects();
    const Subject& subject = stage_called(subjects, options.perf);
    auto cases = wanted_cases(options);
    std::erase_if(cases, [](const Case& one) { return one.etcd > 0; });  // it takes more than a server to measure them
    // What most people mean by its speed, if nothing else is asked for.
    const auto usual = std::find_if(cases.begin(), cases.end(), [&](const Case& one) {
        return is_for(one, subject) && (!options.groups.empty() || one.group == "lines" || one.group == "chat");
    });
    const auto busy = std::find_if(cases.begin(), cases.end(), [&](const Case& one) {
        return is_for(one, subject) && (one.label == "c100 64B d1" || one.label == "m100 s4 w16") &&
               (!options.groups.empty() || one.group != "echo");
    });
    const auto chosen = busy != cases.end() ? busy : usual;
    if (chosen == cases.end()) throw std::invalid_argument("no such case is for " + subject.name);
    profile(subject, *chosen, server_core, options.data, std::move(stop));
}

Results read_results(const std::string& path) {
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file) throw std::runtime_error("cannot read " + path);
    try {
        return from_json(boost::json::parse(text));
    } catch (const std::exception& error) {
        throw std::runtime_error(path + " was not written by --json: " + error.what());
    }
}

// A page of which too much could not be told teaches nothing: then there is none, and the old one stays.
void write(const Results& results, const std::string& docs) {
    const Page page = page_of(results);
    if (page.untold > page.rows * untold_at_most) {
        throw std::runtime_error("bench.md is not written: " + std::to_string(page.untold) + " of its " +
                                 std::to_string(page.rows) +
                                 " comparisons could not be told. Let the machine rest, "
                                 "and run it again");
    }
    write_page(page, docs);
}

// Returns whether all servers answered rightly.
bool bench_all(const Options& options, std::stop_token stop) {
    const Cores cores = choose_cores();
    if (!cores.shared.empty()) std::cout << "Mind: " << cores.shared << '\n';
    pin_to(cores.load);
    if (!options.perf.empty()) {
        profile_stage(options, cores.server, std::move(stop));
        return true;
    }
    const auto cases = wanted_cases(options);
    const auto subjects = present(all_subjects(), cases, options);
    Results results = measure(cases, subjects, cores.server, std::move(stop));
    results.about = about_this_run(cores);
    results.about["peers"] = versions(subjects);
    results.about["files"] = raise_file_limit();
    results.quick = options.quick;
    if (options.quick) std::cout << "\nA quick run: what it calls a tie may differ by several percent.\n";
    if (!options.json.empty()) {
        write_file(options.json, boost::json::serialize(to_json(results)) + "\n");
        std::cout << "\nWritten to " << options.json << '\n';
    }
    if (options.writes_page()) {
        write(results, options.docs);
        std::cout << "\nWritten to " << options.docs << "/bench.md\n";
    }
    return std::all_of(results.cases.begin(), results.cases.end(), [](const CaseResult& what) {
        return std::all_of(what.servers.begin(), what.servers.end(),
                           [](const Measured& one) { return one.failure.empty(); });
    });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"Measures the stages beside plain system calls: CPU for each message, speed, latency, memory"};
    Options options;
    app.add_option(
           "group", options.groups,
           "echo (raw), lines, watched, churn (connect, one message, close), idle, chat, faults, growth, etcd; all if "
           "none is named")
        ->check(CLI::IsMember({"echo", "lines", "watched", "churn", "idle", "chat", "faults", "growth", "etcd"}));
    app.add_flag("--quick", options.quick,
                 "under a minute: our own servers, fewer cases and rounds, and less can be told apart");
    app.add_option("--only", options.only, "Only these servers, and their sticks")->delimiter(',');
    app.add_flag("--no-peers", options.no_peers, "Only our own servers");
    app.add_option("--server", options.servers,
                   "Another server beside raw_epoll, as NAME=COMMAND; it gets --port and --packet");
    app.add_option("--rounds", options.rounds,
                   "How often each is measured; until it can be told from the others if 0, and 3 with --quick")
        ->capture_default_str();
    app.add_option("--json", options.json, "Write all figures to this file");
    app.add_flag("--write", options.write, "Write bench.md and its pictures, as a full run does");
    app.add_option("--docs", options.docs, "The directory for them")->capture_default_str();
    app.add_option("--from", options.from, "Measure nothing: write them from a file of --json");
    app.add_option("--perf", options.perf, "Show where the time of this server goes: 03");
    app.add_option("--perf-data", options.data, "The file for perf's record")->capture_default_str();
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
        if (!options.from.empty()) {
            write(read_results(options.from), options.docs);
            return 0;
        }
        return bench_all(options, stop.get_token()) ? 0 : 1;
    } catch (const Interrupted&) {
        std::cerr << "interrupted: nothing was written, nothing is left running\n";
        return 130;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
