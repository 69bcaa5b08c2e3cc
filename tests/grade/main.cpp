// grade: asks a server, in whatever language, whether it is a stage's, and says what is wrong in words to act on.

#include "grade/keeper.hpp"
#include "grade/run.hpp"

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <regex>
#include <sstream>

#include <sys/prctl.h>
#include <unistd.h>

namespace {

using namespace grade;

constexpr int failed = 1;
constexpr int wrong_usage = 2;
constexpr int no_verdict = 3;

/// The time limit ends every wait; what hangs elsewhere so much later is killed. The keeper tidies up behind us.
constexpr unsigned seconds_after_limit = 60;

[[noreturn]] void usage_error(const std::string& what) {
    std::cerr << "grade: " << what << " (grade --help explains)" << std::endl;
    std::exit(wrong_usage);
}

constexpr unsigned long max_seeds = 10'000;
constexpr unsigned max_time_limit = 24 * 60 * 60;
constexpr std::size_t max_output_limit = 1 << 20;  // MiB

struct Seeds {
    unsigned long first, last;
};

/// "1..5"; nothing where it is not like that.
std::optional<Seeds> seeds_in(const std::string& text) {
    static const std::regex range(R"((\d{1,9})\.\.(\d{1,9}))");
    std::smatch parts;
    if (!std::regex_match(text, parts, range)) return {};
    const Seeds seeds{std::stoul(parts[1]), std::stoul(parts[2])};
    if (seeds.first > seeds.last || seeds.last - seeds.first >= max_seeds) return {};
    return seeds;
}

struct Options {
    std::optional<Seeds> seeds;
    std::string stage, connect, explain, crash, junit;
    std::vector<std::string> only, command;
    unsigned long seed = 1;
    unsigned time_limit = TimeLimit::default_run.count();
    unsigned step_limit = 0, start_limit = 0;
    std::size_t max_output = 0;
    bool rules = false, list = false, json = false, strict = false, required = false, keep_going = false;
};

std::string names_of_targets() {
    std::string names;
    for (const auto& target : targets()) names += (names.empty() ? "" : ", ") + target.name;
    return names;
}

Options parse(int argc, char** argv) {
    Options options;
    CLI::App cli("Asks a server, over TCP and in whatever language it is written, whether it does what a stage does.",
                 "grade");
    std::string stages = "What to ask for:";
    for (const auto& target : targets()) stages += "\n" + target.name + ": " + target.what;
    cli.add_option("stage", options.stage, stages)->type_name("STAGE")->option_text(" ");
    cli.add_option("--connect", options.connect, "Ask a server that runs there; otherwise our own stage's is started")
        ->type_name("HOST:PORT");
    cli.add_option("--only", options.only, "Do only this step (several: --only A --only B)")->type_name("STEP");
    cli.add_option("--seed", options.seed, "Another run of the random parts")->type_name("NUMBER")->default_str("1");
    std::string seeds;
    auto* const seeds_option =
        cli.add_option("--seeds", seeds, "A run with each of these seeds, and how often a step failed: for races")
            ->type_name("FIRST..LAST");
    cli.get_option("--seed")->excludes(seeds_option);
    cli.add_option("--crash", options.crash,
                   "04: a line that makes one of your server's processes crash; else workers are killed")
        ->type_name("LINE");
    cli.add_flag("--strict", options.strict, "Advice decides, too");
    cli.add_flag("--required", options.required, "Leave the advice out")->excludes("--strict");
    cli.add_flag("--keep-going", options.keep_going, "Do the steps after a failure, too");
    cli.add_option("--time-limit", options.time_limit, "For the whole run; what is not reached then is not decided")
        ->type_name("SECONDS")
        ->check(CLI::Range(1u, max_time_limit).description(""))
        ->default_str(std::to_string(TimeLimit::default_run.count()));
    cli.add_option("--step-limit", options.step_limit,
                   "For each step; one that takes longer is not decided. Otherwise a minute on a quiet machine")
        ->type_name("SECONDS")
        ->check(CLI::Range(1u, max_time_limit).description(""));
    cli.add_option("--start-limit", options.start_limit,
                   "For your server to listen, each time it is started. Otherwise a minute on a quiet machine")
        ->type_name("SECONDS")
        ->check(CLI::Range(1u, max_time_limit).description(""));
    cli.add_option("--max-output", options.max_output, "A server that prints more ends the run, without a verdict")
        ->type_name("MIB")
        ->check(CLI::Range(std::size_t{1}, max_output_limit).description(""));
    cli.add_flag("--json", options.json, "The report as one JSON object");
    cli.add_option("--junit", options.junit, "The report in JUnit's XML as well, for a CI system")->type_name("FILE");
    cli.add_flag("--list", options.list, "List the steps, and do nothing; with --json what each is worth, too");
    cli.add_flag("--rules", options.rules, "Say on a page all that is asked, and do nothing");
    cli.add_option("--explain", options.explain, "Say what a step does, and why, and do nothing")->type_name("STEP");
    cli.footer(
        "grade STAGE [OPTIONS] -- COMMAND … {port} … starts your server; {port} stands for the port it is to listen "
        "at.\n"
        "For some steps it is started anew, on another port.\n"
        "Exit code: 0 pass, every required step has passed; 1 fail; 2 wrong usage; 3 no verdict: the server could not "
        "be\n"
        "run, or a required step could not be asked (with --connect: what needs the server's process) or was not "
        "reached.");

    // What follows the first -- is the command, whatever it looks like.
    char** const end = std::find(argv, argv + argc, std::string("--"));
    options.command.assign(std::min(end + 1, argv + argc), argv + argc);
    try {
        cli.parse(static_cast<int>(end - argv), argv);
    } catch (const CLI::Success& help) {
        std::exit(cli.exit(help));
    } catch (const CLI::ParseError& error) {
        std::string what = error.what();
        std::replace(what.begin(), what.end(), '\n', ' ');
        usage_error(what);
    }
    if (!seeds.empty() && !(options.seeds = seeds_in(seeds))) usage_error("--seeds takes FIRST..LAST, not " + seeds);
    if (end != argv + argc && options.command.empty()) usage_error("there is no command behind --");
    return options;
}

/// 2, 02, 02_thread_per_client -> 02.
const Target& target_of(const std::string& name) {
    for (const auto& target : targets()) {
        const bool is_number = name.size() == 1 && "0" + name == target.name;
        if (name == target.name || is_number || (target.name.size() == 2 && name.starts_with(target.name + "_"))) {
            return target;
        }
    }
    usage_error("there is no stage " + name + "; there are " + names_of_targets());
}

std::vector<const Step*> steps_of(const std::string& stage) {
    std::vector<const Step*> steps;
    for (const auto& step : all_steps()) {
        const auto& stages = step.stages;
        if (stage.empty() || std::find(stages.begin(), stages.end(), stage) != stages.end()) steps.push_back(&step);
    }
    return steps;
}

std::vector<const Step*> chosen(const std::string& stage, const std::vector<std::string>& only) {
    auto steps = steps_of(stage);
    if (only.empty()) return steps;
    for (const auto& name : only) {
        if (std::none_of(steps.begin(), steps.end(), [&](const Step* step) { return step->name == name; })) {
            usage_error("there is no step " + name + (stage.empty() ? "" : " for " + stage) + "; grade " + stage +
                        (stage.empty() ? "" : " ") + "--list lists them");
        }
    }
    std::erase_if(steps,
                  [&](const Step* step) { return std::find(only.begin(), only.end(), step->name) == only.end(); });
    return steps;
}

/// The same for programs, with what each is worth.
void list_as_json(const std::vector<const Step*>& steps, const std::string& stage, bool strict) {
    boost::json::array all;
    for (const auto* const step : steps) {
        const bool is_required = step->weight == Step::Weight::required;
        const std::string of = stage.empty() ? step->stages.front() : stage;
        all.push_back(boost::json::object{{"step", step->name},
                                          {"stages", boost::json::value_from(step->stages)},
                                          {"weight", is_required ? "required" : "advice"},
                                          {"decides", is_required || strict},
                                          {"group", step->group},
                                          {"points", step->points(of, strict)},
                                          {"try", step->does},
                                          {"why", step->why},
                                          {"read", step->read}});
    }
    std::cout << boost::json::serialize(all) << "\n";
}

void list(const std::vector<const Step*>& steps) {
    for (const auto* const step : steps) {
        std::string stages;
        for (const auto& stage : step->stages) stages += (stages.empty() ? "" : ",") + stage;
        std::cout << step->name << std::string(step->name.size() < 26 ? 26 - step->name.size() : 1, ' ')
                  << (step->weight == Step::Weight::required ? "required  " : "advice    ") << stages << "\n";
    }
}

Server server_of(const Options& options, const Target& target, const Patience& patience, const TimeLimit& limit) {
    if (!options.connect.empty()) {
        const auto colon = options.connect.rfind(':');
        std::string host = options.connect.substr(0, colon);
        if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
        return {host, options.connect.substr(colon + 1), patience, limit};
    }
    auto command = options.command.empty() ? target.our_command : options.command;
    if (options.command.empty()) {
        const auto here = std::filesystem::read_symlink("/proc/self/exe").parent_path();
        command[0] = here / command[0];
        if (!std::filesystem::exists(command[0])) throw CannotRun(command[0] + " is not there: has it been built?");
    }
    return {command, patience, limit};
}

void check(const Options& options, const Target& target) {
    if (!options.connect.empty()) {
        if (!options.command.empty()) usage_error("--connect and a command exclude each other");
        const auto colon = options.connect.rfind(':');
        const std::string port = colon == std::string::npos ? "" : options.connect.substr(colon + 1);
        const bool is_number = !port.empty() && port.find_first_not_of("0123456789") == std::string::npos;
        if (colon == 0 || !is_number || port.size() > 5 || std::stoi(port) > 65535 || std::stoi(port) == 0) {
            usage_error("--connect takes HOST:PORT, not " + options.connect);
        }
    } else if (options.command.empty() && target.our_command.empty()) {
        usage_error("we have no server of our own for " + target.name + "; name yours: -- COMMAND … {port} …");
    }
    const auto has_port = [](const std::string& word) { return word.find("{port}") != std::string::npos; };
    if (!options.command.empty() && std::none_of(options.command.begin(), options.command.end(), has_port)) {
        usage_error("no {port} in the command: put it where the server takes its port");
    }
}

/// What became of a run.
struct Asked {
    Run::Verdict verdict;
    std::vector<const Step*> failed;  // that decide
};

/// One run with one seed, told on `out`, and in `junit` where that is open.
Asked ask(const Options& options, const Target& target, unsigned long seed, TimeLimit& limit, std::ostream& out,
          std::ofstream& junit) {
    Run run{target.name, "", seed, options.strict, !options.only.empty(), !options.connect.empty(), {}, ""};
    for (const auto* const step : chosen(target.name, options.only)) {
        if (options.required && step->weight != Step::Weight::required) continue;
        run.steps.emplace_back(step, Outcome());
    }
    const char* const term = std::getenv("TERM");
    const bool is_terminal = &out == &std::cout && ::isatty(STDOUT_FILENO) == 1 && term != nullptr &&
                             std::string(term) != "dumb" && std::getenv("NO_COLOR") == nullptr;
    std::vector<std::unique_ptr<Report>> reports;
    reports.push_back(options.json ? json_report(out) : text_report(out, is_terminal));
    if (junit.is_open()) reports.push_back(junit_report(junit));
    const auto report = all_reports(std::move(reports));
    try {
        Server server = server_of(options, target, calibrate(), limit);
        run.server = server.name();
        server.bound_start(std::chrono::seconds(options.start_limit));
        server.bound_output(options.max_output << 20);
        do_steps(run, server, {options.keep_going, options.crash, std::chrono::seconds(options.step_limit)}, limit,
                 *report);
    } catch (const std::exception& error) {  // CannotRun, or the system refuses something
        report->cannot_run(run, error.what());
        return {Run::Verdict::not_decided, run.deciding(Outcome::Verdict::failed)};
    }
    return {run.verdict(), run.deciding(Outcome::Verdict::failed)};
}

/// "failed 2 of 5 (seeds 2, 4)"
std::string how_often(const std::vector<unsigned long>& failed_with, std::size_t runs) {
    std::string text = "failed " + std::to_string(failed_with.size()) + " of " + std::to_string(runs) +
                       (failed_with.size() == 1 ? " (seed " : " (seeds ");
    for (const auto seed : failed_with) text += (seed == failed_with.front() ? "" : ", ") + std::to_string(seed);
    return text + ")";
}

/// A run with each seed. What fails now and then is a race: how often is told, and the first of each kind in full.
Run::Verdict ask_with_seeds(const Options& options, const Target& target, TimeLimit& limit, std::ofstream& junit) {
    std::map<std::string, std::vector<unsigned long>> failed_with;
    boost::json::array runs;
    std::size_t passed = 0, number = 0;
    bool is_undecided = false;
    for (auto seed = options.seeds->first; seed <= options.seeds->last; ++seed) {
        std::ostringstream out;
        const auto asked = ask(options, target, seed, limit, out, junit);
        ++number;
        if (asked.verdict == Run::Verdict::pass) ++passed;
        is_undecided = is_undecided || asked.verdict == Run::Verdict::not_decided;
        bool is_new = number == 1 || asked.verdict == Run::Verdict::not_decided;
        for (const auto* const step : asked.failed) {
            auto& seeds = failed_with[step->name];
            is_new = is_new || seeds.empty();
            seeds.push_back(seed);
        }
        if (options.json) {
            runs.push_back(boost::json::parse(out.str()));
            continue;
        }
        std::string text = out.str();
        text.pop_back();
        const auto last_line = text.rfind('\n') == text.npos ? 0 : text.rfind('\n') + 1;
        std::cout << (is_new ? text : "seed " + std::to_string(seed) + ": " + text.substr(last_line)) << std::endl;
        if (seed < options.seeds->last && !limit.run_is_over().empty()) {
            is_undecided = true;
            break;
        }
    }
    const auto verdict = !failed_with.empty() ? Run::Verdict::fail
                         : is_undecided       ? Run::Verdict::not_decided
                                              : Run::Verdict::pass;
    const std::string summary = std::to_string(passed) + " of " + std::to_string(number) + " runs passed";
    if (options.json) {
        constexpr std::string_view verdicts[] = {"pass", "fail", "not decided"};
        std::cout << boost::json::object{{"verdict", verdicts[static_cast<int>(verdict)]},
                                         {"stage", target.name},
                                         {"passed", passed},
                                         {"failed", boost::json::value_from(failed_with)},
                                         {"runs", std::move(runs)}}
                  << std::endl;
        return verdict;
    }
    constexpr std::string_view verdicts[] = {"PASS", "FAIL", "NOT DECIDED"};
    std::cout << verdicts[static_cast<int>(verdict)] << "  " << summary << "\n";
    for (const auto& [step, seeds] : failed_with) std::cout << "  " << step << ": " << how_often(seeds, number) << "\n";
    std::cout << std::flush;
    return verdict;
}

}  // namespace

int main(int argc, char** argv) {
    Options options = parse(argc, argv);
    const Target* const target = options.stage.empty() ? nullptr : &target_of(options.stage);
    const std::string stage = target != nullptr ? target->name : "";
    if (options.list) {
        auto steps = steps_of(stage);
        if (options.required) {
            std::erase_if(steps, [](const Step* step) { return step->weight != Step::Weight::required; });
        }
        if (options.json) {
            list_as_json(steps, stage, options.strict);
        } else {
            list(steps);
        }
        return 0;
    }
    if (!options.explain.empty()) {
        for (const auto* const step : chosen(stage, {options.explain})) std::cout << explanation(*step);
        return 0;
    }
    if (target == nullptr) usage_error("which stage? One of " + names_of_targets());
    if (options.rules) {
        std::cout << rules(*target, steps_of(stage));
        return 0;
    }
    check(options, *target);

    if (options.command.empty() && options.connect.empty() && options.crash.empty()) options.crash = target->our_crash;
    ::prctl(PR_SET_DUMPABLE, 0);  // or a server of our user could open our stdout, and write its own verdict
    ::alarm(options.time_limit + seconds_after_limit);
    end_run_at_signals();
    raise_open_files_limit();
    std::ofstream junit;
    if (!options.junit.empty()) {
        junit.open(options.junit);
        if (!junit) usage_error("cannot write " + options.junit);
        junit << R"(<?xml version="1.0" encoding="UTF-8"?>)"
              << "\n<testsuites>\n";
    }
    TimeLimit limit(std::chrono::seconds(options.time_limit));
    const auto verdict = options.seeds ? ask_with_seeds(options, *target, limit, junit)
                                       : ask(options, *target, options.seed, limit, std::cout, junit).verdict;
    if (junit.is_open()) junit << "</testsuites>\n";
    switch (verdict) {
        case Run::Verdict::pass: return 0;
        case Run::Verdict::fail: return failed;
        case Run::Verdict::not_decided: return no_verdict;
    }
    return no_verdict;
}
