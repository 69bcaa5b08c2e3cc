// The lab as a person uses it: the shipped scenarios, and what it says to a misspelt one.

#include "04_supervised/otp/lab/scenario.hpp"
#include "supervisor/play.hpp"

#include <sys/wait.h>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace play;

namespace {

struct LabRun {
    int status;
    std::string output;
};

LabRun run_lab(const std::string& arguments) {
    std::string command = SUPERVISOR_LAB;
    command.append(" ").append(arguments).append(" 2>&1");
    FILE* pipe = popen(command.c_str(), "r");
    LabRun run{-1, {}};
    if (!pipe) return run;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        run.output.append(buffer.data(), size);
    }
    const int status = pclose(pipe);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

std::string file_text(const std::filesystem::path& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
}

std::string error_of(const std::string& script) {
    const auto scenario = lab::parse(script);
    return scenario ? "fine" : std::to_string(scenario.error().line) + ": " + scenario.error().message;
}

}  // namespace

TEST(Lab, each_shipped_scenario_is_played_as_expected) {
    int played = 0;
    for (const auto& entry : std::filesystem::directory_iterator(SCENARIOS)) {
        if (entry.path().extension() != ".scenario") continue;
        SCOPED_TRACE(entry.path());
        const LabRun run = run_lab(entry.path());
        EXPECT_EQ(run.status, 0);
        EXPECT_EQ(run.output, file_text(std::filesystem::path(entry.path()).replace_extension(".expected")));
        ++played;
    }
    EXPECT_GE(played, 18);
}

TEST(Lab, wrong_usage_and_wrong_scenarios_exit_with_2_in_one_line) {
    for (const std::string arguments : {"", "/nowhere/no.scenario", "a b", "--wrong", "/"}) {
        const LabRun run = run_lab(arguments);
        EXPECT_EQ(run.status, 2) << arguments;
        EXPECT_EQ(std::ranges::count(run.output, '\n'), 1) << run.output;
    }
    const std::string file = testing::TempDir() + "misspelt.scenario";
    std::ofstream(file) << "supervisor root\n    worker a\n\nat 1s: a exist boom\n";
    const LabRun run = run_lab(file);
    EXPECT_EQ(run.status, 2);
    EXPECT_EQ(run.output,
              file +
                  ":4: \"exist\" is unknown here; allowed: a worker exits REASON, fails N starts [REASON], "
                  "ignores N starts, takes TIME to start, takes TIME to stop, stops with REASON, refuses to "
                  "stop, obeys\n");
    std::filesystem::remove(file);
    EXPECT_EQ(run_lab("--help").status, 0);
    EXPECT_EQ(run_lab("--version").status, 0);
}

TEST(Scenario, mistakes_are_told_with_their_line_and_what_is_allowed) {
    const std::string tree = "supervisor root\n    worker a\n";
    const std::pair<std::string, std::string> cases[] = {
        {"", "1: a scenario begins with its tree: supervisor NAME key=value ..., its children indented below"},
        {"# nothing\n\nworker a\n",
         "3: a scenario begins with its tree: supervisor NAME key=value ..., its children indented below"},
        {"supervisor root strategie=one_for_one\n",
         "1: \"strategie\" is unknown here; allowed: strategy, intensity, period, auto_shutdown, max_children, "
         "restart_delay, restart_delay_max"},
        {"supervisor root strategy=one_for_two\n",
         "1: \"one_for_two\" is unknown here; allowed: one_for_one, one_for_all, rest_for_one, simple_one_for_one"},
        {"supervisor root intensity=-1\n", "1: \"-1\" is unknown here; allowed: a number from 0 to 1000"},
        {"supervisor root period=0s\n", "1: invalid_period: 0, 1 s or more is allowed"},
        {"supervisor root period=1500ms\n",
         "1: \"1500ms\" is unknown here; allowed: whole seconds, as OTP counts them"},
        {"supervisor root restart=permanent\n",
         "1: \"restart\" is unknown here; allowed: strategy, intensity, period, auto_shutdown, max_children, "
         "restart_delay, restart_delay_max"},
        {"supervisor root max_children=3\n",
         "1: bad_combination: max_children belongs to simple_one_for_one, not to one_for_one"},
        {"supervisor root\n  worker a restart=always\n",
         "2: \"always\" is unknown here; allowed: permanent, transient, temporary"},
        {"supervisor root\n  worker a shutdown=soon\n",
         "2: \"soon\" is unknown here; allowed: brutal_kill, infinity, a time such as 5s"},
        {"supervisor root\n  worker a\n  worker a\n", "1: duplicate_child_name: a"},
        {"supervisor root\n  worker a\n   worker b\n",
         "3: a worker has no children; indent as the line above, or make it a supervisor"},
        {"supervisor root\n    worker a\n  worker b\n", "3: indented by 2 spaces, the children of root by 4"},
        {"supervisor root\n\tworker a\n", "2: a tab; allowed: spaces"},
        {"supervisor root\n  supervisor a\n    worker root\n",
         "3: there are two with the name root; here a name is unique in the whole tree, so that the script can say "
         "whom it "
         "means"},
        {"supervisor root strategy=simple_one_for_one\n",
         "1: bad_start_spec: simple_one_for_one has exactly one template, not 0"},
        {tree + "at 1s a exits boom\n", "3: \"1s\" must end in a colon, e.g. at 1s: a exits boom"},
        {tree + "at 1h: a exits boom\n",
         "3: \"1h\" is unknown here; allowed: a time, e.g. 500ms, 3s, 0.9s, at most 1000000s"},
        {tree + "at 1s: b exits boom\n", "3: \"b\" is unknown here; allowed: a, root"},
        {tree + "at 1s: a exits\n",
         "3: the line ends where a reason: normal, shutdown, shutdown:WORD, killed or any word is expected"},
        {tree + "at 1s: a exits boom now\n", "3: nothing may follow here, but there is \"now\""},
        {tree + "a exits boom\n", "3: say when: at TIME: ..., when NAME starts: ..., when NAME stops: ..."},
        {tree + "when a dies: root stop\n", "3: \"dies:\" is unknown here; allowed: starts:, stops:"},
        {tree + "at 1s: a takes 1s to sleep\n", "3: \"sleep\" is unknown here; allowed: start, stop"},
        {tree + "at 1s: root exits boom\n", "3: \"boom\" is unknown here; allowed: \"killed\""},
        {tree + "    at 1s: a exits boom\n", "3: \"at\" is unknown here; allowed: worker, supervisor"},
    };
    EXPECT_EQ(error_of(tree + "at 1s: a exits boom\n  at 2s: a exits boom\n"),
              "4: indented, but it belongs to no supervisor; only the tree, which comes first, is indented");
    EXPECT_EQ(error_of(tree + "at 1s: root start_child supervisor a\n"), "3: a is both a worker and a supervisor");
    for (const auto& [script, error] : cases) EXPECT_EQ(error_of(script), error) << script;
}

TEST(Scenario, a_restart_loop_without_an_end_is_cut) {
    std::string script = "supervisor root intensity=1000 period=1s\n  worker a\nat 1s: a fails 1000 starts\n";
    script += "when a starts: root which_children\nat 2s: a exits boom\n";
    lab::Simulator lab = simulator(script);
    lab.run();
    EXPECT_LT(lab.trace().size(), lab::Simulator::max_events);
}
