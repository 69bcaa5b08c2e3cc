// The proof: the same scenarios, played by our supervisor and by the real one in Erlang/OTP, give the same starts,
// stops, reports and answers in the same order.

#include "04_supervised/otp/lab/scenario.hpp"
#include "04_supervised/otp/lab/simulator.hpp"
#include "supervisor/generator.hpp"
#include "support/program.hpp"

#include <gmock/gmock.h>

#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace otp;
using Lines = std::vector<std::string>;

constexpr std::uint64_t default_scenarios = 400;
constexpr std::uint64_t default_first_seed = 1;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// --- The scenario as an Erlang term ---------------------------------------------------------------------------------

std::string atom(const std::string& text) {
    return "'" + text + "'";
}

std::string term(const Reason& reason) {
    if (reason.kind == Reason::Kind::shutdown && !reason.detail.empty())
        return "{shutdown, " + atom(reason.detail) + "}";
    return atom(to_string(reason));
}

std::string term(const lab::Declaration& declared) {
    const ChildSpec& spec = declared.spec;
    const std::string restart(to_string(spec.restart)), significant = spec.significant ? "true" : "false";
    if (spec.type == ChildType::worker) {
        return "{worker, " + atom(spec.id) + ", " + restart + ", " + to_string(spec.effective_shutdown()) + ", " +
               significant + "}";
    }
    std::string children;
    for (const lab::Declaration& child : declared.children) children += (children.empty() ? "" : ", ") + term(child);
    return "{sup, " + atom(spec.id) + ", " + restart + ", " + significant + ", " +
           std::string(to_string(declared.flags.strategy)) + ", " + std::to_string(declared.flags.intensity) + ", " +
           std::string(to_string(declared.flags.auto_shutdown)) + ", [" + children + "]}";
}

std::string term(const lab::Statement& statement) {
    using lab::Verb;
    const std::string subject = atom(statement.subject), child = atom(statement.child);
    const std::string times = std::to_string(statement.times);
    const auto request = [&](const std::string& message) {
        return "{request, " + std::to_string(statement.line) + ", " + subject + ", " + message + "}";
    };
    switch (statement.verb) {
        case Verb::exits: return "{exits, " + subject + ", " + term(statement.reason) + "}";
        case Verb::fails: return "{fails, " + subject + ", " + times + ", " + term(statement.reason) + "}";
        case Verb::ignores: return "{ignores, " + subject + ", " + times + "}";
        case Verb::stops_with: return "{stops_with, " + subject + ", " + term(statement.reason) + "}";
        case Verb::refuses: return "{refuses, " + subject + "}";
        case Verb::stop: return "{stop, " + subject + "}";
        case Verb::start_child:
            return request(statement.declared ? "{start_child, " + term(*statement.declared) + "}" : "dynamic");
        case Verb::terminate_child:
            return request(
                (statement.child.find('#') != std::string::npos ? "{terminate_life, " : "{terminate_child, ") + child +
                "}");
        case Verb::restart_child: return request("{restart_child, " + child + "}");
        case Verb::delete_child: return request("{delete_child, " + child + "}");
        case Verb::which_children: return request("which_children");
        case Verb::count_children: return request("count_children");
        case Verb::starts_in:
        case Verb::stops_in:
        case Verb::obeys: break;  // never generated
    }
    return "never";
}

std::string term(std::uint64_t seed, const lab::Scenario& scenario) {
    constexpr std::array<const char*, 4> when{"beforehand", "at", "starts", "stops"};
    std::string steps;
    for (const lab::Step& step : scenario.steps) {
        steps += (steps.empty() ? "" : ",\n  ") + std::string("{") + when[static_cast<std::size_t>(step.when)] + ", " +
                 atom(step.child) + ", " + term(step.statement) + "}";
    }
    return "{scenario, " + std::to_string(seed) + ", " + term(scenario.root) + ",\n [" + steps + "]}.\n";
}

// --- Two traces in one form -----------------------------------------------------------------------------------------

struct Sides {
    std::set<std::string> dynamic;             // supervisors whose children have no order
    std::map<std::size_t, std::string> asked;  // by the script's line: the child that was asked there
};

void find_dynamic(const lab::Declaration& declared, std::set<std::string>& dynamic) {
    if (declared.flags.strategy == Strategy::simple_one_for_one) dynamic.insert(declared.spec.id);
    for (const lab::Declaration& child : declared.children) find_dynamic(child, dynamic);
}

std::vector<std::string> words(const std::string& line) {
    std::istringstream in(line);
    return {std::istream_iterator<std::string>(in), {}};
}

// The lines of a dynamic supervisor's parallel stop stand in no order: sorted, they can be compared.
Lines without_false_order(Lines lines, const Sides& sides) {
    const auto group = [&](const std::string& line) -> std::string {
        const auto parts = words(line);
        if (parts.size() < 3 || !sides.dynamic.contains(parts[1])) return "";
        if (parts[0] == "ask" || parts[0] == "kill") return parts[0] + " " + parts[1];
        return parts[0] == "report" && parts[2] == "shutdown_error" ? parts[0] + " " + parts[1] : "";
    };
    for (std::size_t first = 0; first < lines.size();) {
        std::size_t end = first + 1;
        while (end < lines.size() && !group(lines[first]).empty() && group(lines[end]) == group(lines[first])) ++end;
        std::sort(lines.begin() + static_cast<std::ptrdiff_t>(first), lines.begin() + static_cast<std::ptrdiff_t>(end));
        first = end;
    }
    return lines;
}

// To OTP whoever has a pid is the same; and of a dynamic supervisor's children it tells no ids, and no order.
std::string comparable_answer(std::string text, bool dynamic) {
    if (text.starts_with("error, invalid_spec")) return "error, invalid_spec";
    // OTP 25 forgets to count down its restarting children when one is stopped with terminate_child, and may so tell of
    // -1 active ones: this number is left to the unit tests.
    if (dynamic && text.starts_with("specs ")) return text.substr(text.find("supervisors"));
    if (!text.starts_with("[")) return text;
    std::vector<std::string> children;
    std::istringstream in(text.substr(1, text.size() - 2));
    for (std::string child; std::getline(in, child, ',');) {
        const std::size_t begin = child.find_first_not_of(' ');
        const std::size_t space = child.find(' ', begin);
        const std::string id = child.substr(begin, space - begin), state = child.substr(space + 1);
        const bool has_pid = state != "undefined" && state != "restarting";
        children.push_back((dynamic ? "" : id + " ") + (has_pid ? "a pid" : state));
    }
    if (dynamic) std::sort(children.begin(), children.end());
    text.clear();
    for (const std::string& child : children) text += (text.empty() ? "" : ", ") + child;
    return "[" + text + "]";
}

Lines ours(const lab::Scenario& scenario, const Sides& sides) {
    lab::Simulator simulator(scenario);
    simulator.run();
    using Kind = lab::TraceLine::Kind;
    Lines lines;
    std::map<std::size_t, std::string> answers;
    std::string over = "over running";
    for (const lab::TraceLine& line : simulator.trace()) {
        if (line.kind == Kind::start) lines.push_back("start " + line.who + " " + line.subject);
        if (line.kind == Kind::ask) lines.push_back("ask " + line.who + " " + line.subject);
        if (line.kind == Kind::kill) lines.push_back("kill " + line.who + " " + line.subject);
        if (line.kind == Kind::progress) lines.push_back("progress " + line.who + " " + line.subject);
        if (line.kind == Kind::report) {
            const std::size_t many = line.text.find(" x " + line.subject);
            const std::size_t digits = line.text.rfind(' ', many - 1) + 1;
            lines.push_back("report " + line.who + " " + std::string(to_string(*line.context)) + " " +
                            to_string(line.reason) + " " + line.subject +
                            (many == std::string::npos ? "" : " x" + line.text.substr(digits, many - digits)));
        }
        if (line.kind == Kind::reply) {
            answers[line.request_line] =
                comparable_answer(line.text.substr(std::string("answers: ").size()), sides.dynamic.contains(line.who));
        }
        if (line.kind == Kind::over && line.who == scenario.root.spec.id) over = "over " + to_string(line.reason);
    }
    lines = without_false_order(std::move(lines), sides);
    for (const auto& [line, text] : answers) lines.push_back("answer " + std::to_string(line) + " " + text);
    lines.push_back(over);
    return lines;
}

Lines theirs(const Lines& printed, const Sides& sides) {
    Lines lines, answers;
    for (const std::string& line : printed) {
        if (!line.starts_with("answer ") && !line.starts_with("over ")) {
            lines.push_back(line);
        } else if (line.starts_with("over ")) {
            answers.push_back(line);
        } else {
            const std::size_t space = line.find(' ', 7);
            const auto asked = sides.asked.find(std::stoul(line.substr(7, space - 7)));
            answers.push_back(line.substr(0, space + 1) +
                              comparable_answer(line.substr(space + 1), sides.dynamic.contains(asked->second)));
        }
    }
    lines = without_false_order(std::move(lines), sides);
    lines.insert(lines.end(), answers.begin(), answers.end());
    return lines;
}

std::string side_by_side(const Lines& left, const Lines& right) {
    constexpr std::size_t width = 70;
    std::string text = "  ours                                                                     OTP\n";
    for (std::size_t line = 0; line < std::max(left.size(), right.size()); ++line) {
        std::string a = line < left.size() ? left[line] : "-", b = line < right.size() ? right[line] : "-";
        text += a == b ? "  " : "! ";
        a.resize(std::max(a.size(), width), ' ');
        text += a + "   " + b + "\n";
    }
    return text;
}

// --- One BEAM for all -----------------------------------------------------------------------------------------------

struct TemporaryFile {
    TemporaryFile() { close(mkstemp(name.data())); }
    ~TemporaryFile() { std::remove(name.c_str()); }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    std::string name = (std::getenv("TMPDIR") ? std::string(std::getenv("TMPDIR")) : "/tmp") + "/scenarios-XXXXXX";
};

// The Erlang side ends by itself when a step takes so long, and says which. All together have a deadline, too.
constexpr std::chrono::seconds for_a_step{30};

Lines run_otp(const std::string& file, std::uint64_t scenarios, std::chrono::seconds step = for_a_step) {
    const std::chrono::milliseconds for_all = std::chrono::seconds(20) + scenarios * std::chrono::milliseconds(200);
    return support::run_to_end({.words = {"escript", OTP_SUPERVISOR_ESCRIPT, file, std::to_string(step.count())}},
                               for_all)
        .lines;
}

bool has_escript() {
    return support::is_installed("escript");
}
constexpr const char* no_escript =
    "escript is not installed (Debian: apt-get install erlang-base), so there is no OTP to compare with";

}  // namespace

TEST(Differential, the_same_starts_stops_reports_and_answers_as_the_supervisor_of_OTP) {
    if (!has_escript()) GTEST_SKIP() << no_escript;
    const std::uint64_t first = number_from("FIVE_FIRST_SEED", default_first_seed);
    const std::uint64_t count = number_from("FIVE_SCENARIOS", default_scenarios);
    std::map<std::uint64_t, std::string> scripts;
    std::map<std::uint64_t, lab::Scenario> scenarios;
    TemporaryFile file;
    {
        std::ofstream terms(file.name);
        for (std::uint64_t seed = first; seed < first + count; ++seed) {
            scripts[seed] = generate_scenario(seed);
            auto scenario = lab::parse(scripts[seed]);
            ASSERT_TRUE(scenario) << "seed " << seed << ", line " << scenario.error().line << ": "
                                  << scenario.error().message << "\n"
                                  << scripts[seed];
            terms << term(seed, *scenario);
            scenarios.emplace(seed, *scenario);
        }
    }
    const Lines output = run_otp(file.name, count);
    std::map<std::uint64_t, Lines> printed;
    std::uint64_t seed = 0;
    bool ended = false;
    for (const std::string& line : output) {
        if (line.starts_with("= ")) {
            seed = std::stoull(line.substr(2));
            printed[seed] = {};
        } else if (line == "end") {
            ended = true;
        } else if (seed != 0) {
            printed[seed].push_back(line);
        }
    }
    constexpr std::size_t last_lines = 10;
    ASSERT_TRUE(ended) << "the Erlang side did not come to its end:\n"
                       << testing::PrintToString(
                              Lines(output.end() - static_cast<std::ptrdiff_t>(std::min(output.size(), last_lines)),
                                    output.end()));

    std::size_t different = 0, compared_lines = 0;
    constexpr std::size_t shown = 3;
    for (const auto& [number, scenario] : scenarios) {
        Sides sides;
        find_dynamic(scenario.root, sides.dynamic);
        for (const lab::Step& step : scenario.steps) sides.asked[step.statement.line] = step.statement.subject;
        const Lines left = ours(scenario, sides), right = theirs(printed[number], sides);
        compared_lines += left.size();
        if (left == right || ++different > shown) continue;
        ADD_FAILURE() << "seed " << number << " (again: FIVE_FIRST_SEED=" << number << " FIVE_SCENARIOS=1)\n\n"
                      << scripts[number] << "\n"
                      << side_by_side(left, right);
    }
    EXPECT_EQ(different, 0u) << "of " << count << " scenarios";
    std::printf("%llu scenarios, %zu lines compared\n", static_cast<unsigned long long>(count), compared_lines);
}

TEST(Differential, says_what_it_waited_for_in_vain) {
    if (!has_escript()) GTEST_SKIP() << no_escript;
    const auto scenario = lab::parse(
        "supervisor root\n"
        "    worker w shutdown=infinity\n"
        "w refuses to stop\n"
        "at 1s: root stop\n");
    ASSERT_TRUE(scenario) << scenario.error().message;
    TemporaryFile file;
    std::ofstream(file.name) << term(7, *scenario);
    EXPECT_THAT(run_otp(file.name, 1, std::chrono::seconds(1)),
                testing::Contains("waited 1 s for {seed,7,{stop,root}}"));
}
