// The grader itself: what it says, and that no server can hang, crash, or outlive it. What it makes of wrong servers is
// the museum's part.

#include "support/client.hpp"
#include "support/program.hpp"
#include "support/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace {

using support::exited;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

/// What a test waits for a run of some steps.
const auto patience = 6 * support::patience();

support::Finished grade(std::vector<std::string> words) {
    words.insert(words.begin(), support::path_of("grade"));
    return support::run_to_end({words}, patience);
}

std::string text(const support::Finished& finished) {
    std::string all;
    for (const auto& line : finished.lines) all += line + "\n";
    return all;
}

/// A shell that does something beside our naive server.
std::vector<std::string> naive_with(const std::string& shell) {
    return {"bash", "-c", shell + "; exec " + support::path_of("01_naive") + " --log quiet --port {port}"};
}

support::Finished grade_command(std::vector<std::string> options, const std::vector<std::string>& command) {
    options.push_back("--");
    options.insert(options.end(), command.begin(), command.end());
    return grade(options);
}

/// How many processes have this word among their arguments.
std::size_t processes_with(const std::string& word) {
    std::size_t number = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        std::ifstream file(entry.path() / "cmdline");
        std::ostringstream arguments;
        arguments << file.rdbuf();
        std::string all = '\0' + arguments.str();
        if (all.find('\0' + word + '\0') != all.npos) ++number;
    }
    return number;
}

/// A number of seconds that nobody else on this machine sleeps: so that our sleepers are known by it.
std::string marker(int test) {
    return std::to_string(100'000 + test) + "." + std::to_string(::getpid());
}

TEST(GradeUsage, OneLineSaysWhatIsWrong) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes{
        {{}, "which stage"},
        {{"06"}, "there is no stage 06"},
        {{"02", "--only", "nothing"}, "there is no step nothing for 02"},
        {{"02", "--connect", "localhost"}, "--connect takes HOST:PORT"},
        {{"02", "--connect", "localhost:0"}, "--connect takes HOST:PORT"},
        {{"02", "--connect", "localhost:99999"}, "--connect takes HOST:PORT"},
        {{"02", "--", "python3", "server.py"}, "no {port} in the command"},
        {{"02", "--"}, "no command behind --"},
        {{"02", "--connect", "localhost:1", "--", "server", "{port}"}, "exclude each other"},
        {{"budget_chat"}, "no server of our own for budget_chat"},
        {{"02", "--nonsense"}, "--nonsense"},
        {{"02", "--seed", "x"}, "--seed"},
        {{"02", "--seeds", "3"}, "--seeds takes FIRST..LAST"},
        {{"02", "--seeds", "3..1"}, "--seeds takes FIRST..LAST"},
        {{"02", "--seeds", "1..3", "--seed", "2"}, "--seed"},
        {{"02", "--time-limit", "0"}, "--time-limit"},
        {{"02", "--time-limit", "soon"}, "--time-limit"},
        {{"--explain", "nothing"}, "there is no step nothing"},
    };
    for (const auto& [words, what] : mistakes) {
        SCOPED_TRACE(what);
        const auto finished = grade(words);
        EXPECT_EQ(finished.exit, exited(2));
        EXPECT_THAT(finished.lines, testing::IsEmpty());
        EXPECT_THAT(finished.errors, StartsWith("grade: "));
        EXPECT_THAT(finished.errors, HasSubstr(what));
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
    }
}

TEST(GradeUsage, Help) {
    const auto finished = grade({"--help"});
    EXPECT_EQ(finished.exit, exited(0));
    EXPECT_THAT(text(finished), HasSubstr("{port}"));
    EXPECT_THAT(text(finished), HasSubstr("budget_chat"));
}

TEST(GradeSteps, AreListed) {
    const auto all = grade({"--list"});
    EXPECT_EQ(all.exit, exited(0));
    EXPECT_THAT(text(all), HasSubstr("taken_name"));
    const auto of_one = grade({"1", "--list"});
    EXPECT_THAT(text(of_one), HasSubstr("first_answer"));
    EXPECT_THAT(text(of_one), testing::Not(HasSubstr("taken_name")));
}

TEST(GradeSteps, AreAllExplained) {
    for (const auto& line : grade({"--list"}).lines) {
        const std::string name = line.substr(0, line.find(' '));
        const auto explained = grade({"--explain", name});
        EXPECT_EQ(explained.exit, exited(0));
        for (const auto* const part : {"try", "why", "read"}) EXPECT_THAT(text(explained), HasSubstr(part)) << name;
    }
}

TEST(GradeSteps, AreTheRulesOfAStage) {
    for (const std::string stage : {"01", "02", "03", "04", "05", "budget_chat"}) {
        const auto page = text(grade({stage, "--rules"}));
        for (const auto& line : grade({stage, "--list"}).lines) {
            EXPECT_THAT(page, HasSubstr("\n  " + line.substr(0, line.find(' ')) + ":\n")) << stage;
        }
        EXPECT_THAT(page, HasSubstr("\nRequired: "));
        EXPECT_THAT(page, HasSubstr("\nAdvice: "));
    }
}

TEST(Grade, TellsWhatItSentExpectedAndGot) {
    const auto finished = grade_command({"01", "--only", "first_answer"},
                                        {support::path_of("01_naive"), "--packet", "raw", "--port", "{port}"});
    EXPECT_EQ(finished.exit, exited(1));
    for (const auto* const line :
         {"  FAIL    first_answer", "  sent      \"hello\\n\"", "  expected  \"ECHO hello\\n\"",
          "  got       \"hello\\n\"", "             ^ here it differs"}) {
        EXPECT_THAT(finished.lines, testing::Contains(line));
    }
    EXPECT_THAT(finished.lines.back(), StartsWith("FAIL  0 of 1 chosen steps passed"));
    EXPECT_THAT(text(finished), testing::Not(HasSubstr("\033"))) << "colour, though this is no terminal";
}

TEST(Grade, SpeaksJson) {
    const auto finished = grade({"01", "--json", "--only", "first_answer", "--only", "cr_lf", "--seed", "7"});
    EXPECT_EQ(finished.exit, exited(0));
    ASSERT_EQ(finished.lines.size(), 1u);
    const auto report = boost::json::parse(finished.lines[0]).as_object();
    EXPECT_EQ(report.at("verdict"), "pass");
    EXPECT_EQ(report.at("seed"), 7);
    ASSERT_EQ(report.at("steps").as_array().size(), 2u);
    EXPECT_EQ(report.at("steps").at(1).at("step"), "cr_lf");
    EXPECT_EQ(report.at("steps").at(1).at("weight"), "advice");
}

TEST(Grade, AdviceDecidesOnlyWhenItIsStrict) {
    const std::vector<std::string> raw{support::path_of("01_naive"), "--max-packet", "1000", "--port", "{port}"};
    EXPECT_EQ(grade_command({"01", "--only", "line_at_limit"}, raw).exit, exited(0));
    EXPECT_EQ(grade_command({"01", "--only", "line_at_limit", "--strict"}, raw).exit, exited(1));
}

TEST(Grade, AsksAServerThatRunsAlready) {
    const support::Server server("02_thread_per_client");
    const std::string where = "127.0.0.1:" + std::to_string(server.port());
    const auto finished = grade({"02", "--connect", where, "--only", "second_client", "--only", "restart"});
    EXPECT_EQ(finished.exit, exited(0)) << text(finished);
    EXPECT_THAT(text(finished), HasSubstr("  -       restart: needs a server that the grader has started"));
}

TEST(GradeNotDecided, ByAServerElsewhereThatOnlyItsProcessCouldTell) {
    // 03 is no 04, and does all that can be asked of 04 over TCP.
    const support::Server server("03_acceptor_pool");
    const std::string where = "127.0.0.1:" + std::to_string(server.port());
    const auto finished = grade({"04", "--connect", where, "--required"});
    EXPECT_EQ(finished.exit, exited(3)) << text(finished);
    EXPECT_THAT(finished.lines.back(), StartsWith("NOT DECIDED  "));
    EXPECT_THAT(finished.lines.back(), HasSubstr("; 2 required steps could not be asked with --connect "
                                                 "(crash_and_restart, no_orphans)"));
}

TEST(GradeNotDecided, InJsonToo) {
    const support::Server server("03_acceptor_pool");
    const std::string where = "127.0.0.1:" + std::to_string(server.port());
    const auto finished =
        grade({"04", "--connect", where, "--json", "--only", "crash_and_restart", "--only", "gives_up"});
    EXPECT_EQ(finished.exit, exited(3));
    const auto report = boost::json::parse(finished.lines.at(0)).as_object();
    EXPECT_EQ(report.at("verdict"), "not decided");
    EXPECT_EQ(report.at("undecided"), boost::json::array{"crash_and_restart"}) << "and gives_up is advice";
}

TEST(GradeNotDecided, WhereAdviceDecidesItMustBeAskedToo) {
    const support::Server server("01_naive");
    const std::string where = "127.0.0.1:" + std::to_string(server.port());
    EXPECT_EQ(grade({"01", "--connect", where, "--only", "restart"}).exit, exited(0));
    EXPECT_EQ(grade({"01", "--connect", where, "--only", "restart", "--strict"}).exit, exited(3));
}

/// A server that answers a byte in a tenth of a second.
const std::vector<std::string> dripping{"python3", MUSEUM "/01/drips.py", "{port}"};

TEST(GradeTimeLimit, IsForTheWholeRun) {
    const auto begin = std::chrono::steady_clock::now();
    const auto finished = grade_command({"01", "--time-limit", "8", "--keep-going"}, dripping);
    EXPECT_EQ(finished.exit, exited(3));
    EXPECT_THAT(text(finished), HasSubstr("  ok      first_answer\n"));
    EXPECT_THAT(text(finished), HasSubstr(": the run's 8 s are over (--time-limit)\n"));
    EXPECT_THAT(finished.lines.back(),
                testing::ContainsRegex("^NOT DECIDED .* required steps not reached .*next_client"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2 * support::patience());
}

TEST(GradeTimeLimit, AFailureBeforeItIsAFailure) {
    const auto finished = grade_command({"01", "--time-limit", "5", "--keep-going"},
                                        {support::path_of("01_naive"), "--packet", "raw", "--port", "{port}"});
    EXPECT_EQ(finished.exit, exited(1)) << text(finished);
}

TEST(GradeTimeLimit, AtASignalTheReportIsWhole) {
    for (const int signal : {SIGTERM, SIGINT}) {
        std::vector<std::string> words{support::path_of("grade"), "01", "--"};
        words.insert(words.end(), dripping.begin(), dripping.end());
        support::Program grader({words});
        grader.wait_for_line("  ok      first_answer");
        grader.signal(signal);
        EXPECT_EQ(grader.wait_exit(), exited(3));
        const std::string name = signal == SIGTERM ? "SIGTERM" : "SIGINT";
        EXPECT_THAT(grader.lines().back(), testing::ContainsRegex("^NOT DECIDED .*not reached .*; ended by " + name));
    }
}

TEST(GradeTimeLimit, AtASignalTheJsonIsWhole) {
    const std::string seconds = marker(4);
    auto words = naive_with("sleep " + seconds + " & sleep " + seconds);  // it does not listen yet
    words.insert(words.begin(), {support::path_of("grade"), "01", "--json", "--"});
    support::Program grader({words});
    ASSERT_TRUE(support::eventually([&] { return processes_with(seconds) == 2; }));
    grader.signal(SIGTERM);
    EXPECT_EQ(grader.wait_exit(), exited(3));
    ASSERT_EQ(grader.lines().size(), 1u);
    const auto report = boost::json::parse(grader.lines()[0]).as_object();
    EXPECT_EQ(report.at("verdict"), "not decided");
    EXPECT_EQ(report.at("steps").at(0).at("verdict"), "not reached");
    EXPECT_EQ(report.at("steps").at(0).at("reason"), "ended by SIGTERM");
    EXPECT_EQ(processes_with(seconds), 0u);
}

/// The first of a process's children; empty where it has none.
std::string child_of(const std::string& pid) {
    std::string child;
    std::ifstream("/proc/" + pid + "/task/" + pid + "/children") >> child;
    return child;
}

TEST(GradeTimeLimit, ASignalAsTheServerStartsIsNotTheServersFault) {
    for (int time = 0; time < 10; ++time) {
        support::Program grader({{support::path_of("grade"), "01", "--", "sleep", marker(6), "{port}"}});
        // The moment is short, from a server's process that is there to what it executes: so we look without a pause.
        const support::Deadline deadline(support::patience());
        const auto pid = std::to_string(grader.process().pid());
        for (std::string keeper; keeper.empty() || child_of(keeper).empty();) {
            ASSERT_FALSE(deadline.passed());
            keeper = child_of(pid);
        }
        grader.signal(SIGTERM);
        EXPECT_EQ(grader.wait_exit(), exited(3));
        EXPECT_THAT(grader.lines().back(), testing::ContainsRegex("^NOT DECIDED .*ended by SIGTERM"));
    }
}

TEST(GradeTimeLimit, IsForAStepToo) {
    const auto finished =
        grade_command({"01", "--step-limit", "2", "--only", "byte_by_byte", "--only", "first_answer"}, dripping);
    EXPECT_EQ(finished.exit, exited(3));
    EXPECT_THAT(text(finished),
                HasSubstr("byte_by_byte: the server is too slow to be asked this: not finished within 2 s"));
}

TEST(GradeTimeLimit, IsForAStartToo) {
    const auto finished = grade_command({"01", "--start-limit", "1"}, {"sleep", "100", "{port}"});
    EXPECT_EQ(finished.exit, exited(3));
    EXPECT_THAT(text(finished), HasSubstr("the server runs, but nobody listens at 127.0.0.1:"));
}

TEST(GradeOutput, HasABoundWhereOneIsGiven) {
    const auto command = naive_with("(while :; do echo garbage; done) & true");
    const auto finished = grade_command({"01", "--max-output", "1", "--keep-going"}, command);
    EXPECT_EQ(finished.exit, exited(3));
    EXPECT_EQ(finished.lines.back(), "could not run: the server has printed more than 1 MiB");
}

TEST(GradeJunit, HasACaseForEachStepAndWhatWasNotAskedIsNoSuccess) {
    const std::string file = testing::TempDir() + "grade-" + marker(5) + ".xml";
    const auto finished =
        grade_command({"01", "--junit", file, "--only", "first_answer", "--only", "empty_line", "--only", "cr_lf"},
                      {support::path_of("01_naive"), "--packet", "raw", "--port", "{port}"});
    std::ifstream stream(file);
    std::ostringstream report;
    report << stream.rdbuf();
    std::filesystem::remove(file);
    EXPECT_EQ(finished.exit, exited(1));
    for (const auto* const part :
         {"<testsuite name=\"grade 01\" tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"1\"",
          "<testcase classname=\"01.lines\" name=\"first_answer\"",
          "<failure message=\"&quot;ECHO hello\\n&quot;, but &quot;hello\\n&quot;\">",
          "<error message=\"not run, after a failure\"></error>", "<skipped message=\"not run, after a failure\"/>"}) {
        EXPECT_THAT(report.str(), HasSubstr(part));
    }
}

/// A server that says and prints what XML would take for markup, or not take at all.
std::vector<std::string> hostile_to_xml(const std::string& then) {
    return {"bash", "-c", R"(printf '\1\33[2J<&>]]>\200\376\n'; )" + then};
}

TEST(GradeJunit, IsWhatReadersOfItTakeWhateverTheServerSays) {
    if (!support::is_installed("xmllint")) GTEST_SKIP() << "there is no xmllint here: apt-get install libxml2-utils";
    const std::string file = testing::TempDir() + "grade-" + marker(8) + ".xml";
    const std::string garbage = "exec python3 " MUSEUM "/01/garbage.py {port}";
    const std::string raw = "exec " + support::path_of("01_naive") + " --packet raw --log quiet --port {port}";
    // The cases with it: a failure, an error, something skipped, advice, success, and a server that does not start.
    for (const auto& [options, then] : std::vector<std::pair<std::vector<std::string>, std::string>>{
             {{"--only", "first_answer", "--only", "empty_line", "--only", "cr_lf"}, garbage},
             {{"--only", "next_client", "--only", "cr_lf", "--only", "ends_on_sigterm", "--keep-going"}, raw},
             {{"--seeds", "1..2"}, "exit 9 # {port}"}}) {
        std::vector<std::string> words{"01", "--junit", file};
        words.insert(words.end(), options.begin(), options.end());
        grade_command(words, hostile_to_xml(then));
        const auto judged = support::run_to_end({{"xmllint", "--nonet", "--noout", "--schema", JUNIT_SCHEMA, file}});
        EXPECT_EQ(judged.exit, exited(0)) << judged.errors;
        std::filesystem::remove(file);
    }
}

/// Every second start is a server that forgets its answer.
std::vector<std::string> wrong_every_second_time(const std::string& count) {
    return {"bash", "-c",
            "echo >> " + count + "; [ $(($(wc -l < " + count +
                ") % 2)) -eq 0 ] && exec python3 " MUSEUM "/01/wrong_word.py {port}; exec " +
                support::path_of("01_naive") + " --log quiet --port {port}"};
}

TEST(GradeSeeds, TellHowOftenAStepFails) {
    const std::string count = testing::TempDir() + "grade-" + marker(6);
    const auto finished = grade_command({"01", "--seeds", "1..4", "--only", "first_answer", "--only", "empty_line"},
                                        wrong_every_second_time(count));
    std::filesystem::remove(count);
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(finished.lines, testing::Contains("FAIL  2 of 4 runs passed"));
    EXPECT_EQ(finished.lines.back(), "  first_answer: failed 2 of 4 (seeds 2, 4)");
    EXPECT_THAT(finished.lines, testing::Contains(StartsWith("seed 3: PASS  2 of 2 chosen steps")));
    EXPECT_THAT(finished.lines, testing::Contains(StartsWith("seed 4: FAIL  0 of 2 chosen steps")));
}

TEST(GradeSeeds, InJsonToo) {
    const std::string count = testing::TempDir() + "grade-" + marker(7);
    const auto finished =
        grade_command({"01", "--seeds", "1..3", "--json", "--only", "first_answer"}, wrong_every_second_time(count));
    std::filesystem::remove(count);
    ASSERT_EQ(finished.lines.size(), 1u);
    const auto report = boost::json::parse(finished.lines[0]).as_object();
    EXPECT_EQ(report.at("verdict"), "fail");
    EXPECT_EQ(report.at("failed").at("first_answer"), boost::json::array{2});
    EXPECT_EQ(report.at("runs").as_array().size(), 3u);
}

TEST(GradePoints, OneWrongWordIsOneMistake) {
    for (const auto& [server, step] :
         {std::pair("/05/other_words.py", "own_words"), std::pair("/05/wrong_words.py", "joins")}) {
        const auto finished = grade_command({"05", "--keep-going", "--only", "own_words", "--only", "joins", "--only",
                                             "says", "--only", "newcomer_hears_others", "--only", "leaves"},
                                            {"python3", std::string(MUSEUM) + server, "{port}"});
        EXPECT_THAT(finished.lines, testing::Contains(std::string("  FAIL    ") + step)) << text(finished);
        EXPECT_THAT(finished.lines.back(), StartsWith("FAIL  4 of 5 chosen steps passed"));
    }
}

/// The names of the steps that the report marks like this.
std::vector<std::string> steps_with(const std::string& mark, const support::Finished& finished) {
    std::vector<std::string> steps;
    for (const auto& line : finished.lines) {
        if (line.starts_with(mark)) steps.push_back(line.substr(mark.size(), line.find(':') - mark.size()));
    }
    return steps;
}

TEST(GradePoints, AWrongPrefixFailsOneStep) {
    for (const std::string prefix : {"ECHO: ", "E", ""}) {
        const std::string with_it = R"-(exec python3 -c "$(sed "s/ECHO /$0/" "$1")" {port})-";
        const auto finished =
            grade_command({"02", "--keep-going", "--required"},
                          {"bash", "-c", with_it, prefix, std::string(MUSEUM) + "/02/reference_python.py"});
        EXPECT_EQ(finished.exit, exited(1));
        EXPECT_THAT(steps_with("  FAIL    ", finished), ElementsAre("first_answer")) << text(finished);
    }
}

TEST(GradePoints, AChatThatIsSilentForTheSpeakerFailsOneStepAndIsNotAskedTheOneThatNeedsIt) {
    const auto finished = grade_command({"05", "--keep-going", "--required"},
                                        {"python3", MUSEUM "/05/silent_for_the_speaker.py", "{port}"});
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(steps_with("  FAIL    ", finished), ElementsAre("own_words")) << text(finished);
    EXPECT_THAT(steps_with("  -       ", finished), ElementsAre("one_order")) << text(finished);
}

TEST(GradePoints, AChatThatTakesOneReadForTheNameFailsOneStep) {
    const auto finished = grade_command({"05", "--keep-going", "--required"},
                                        {"python3", MUSEUM "/05/first_recv_is_the_name.py", "{port}"});
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(steps_with("  FAIL    ", finished), ElementsAre("in_one_write")) << text(finished);
    EXPECT_THAT(steps_with("  -       ", finished), testing::IsEmpty()) << text(finished);
}

TEST(GradeCannotRun, WhereNobodyListens) {
    const auto finished = grade({"01", "--connect", "127.0.0.1:1"});
    EXPECT_EQ(finished.exit, exited(3));
    EXPECT_EQ(finished.lines.back(), "could not run: nobody listens at 127.0.0.1:1");
}

TEST(GradeCannotRun, WhatDoesNotExistOrDoesNotStart) {
    const auto missing = grade_command({"01"}, {"/nowhere/server", "{port}"});
    EXPECT_EQ(missing.exit, exited(3));
    EXPECT_THAT(text(missing), HasSubstr("cannot run /nowhere/server: No such file"));
    const auto failing = grade_command({"01"}, {"bash", "-c", "echo I cannot find my hat >&2; exit 9 # {port}"});
    EXPECT_EQ(failing.exit, exited(3));
    EXPECT_THAT(text(failing), HasSubstr("exit code 9"));
    EXPECT_THAT(text(failing), HasSubstr("I cannot find my hat"));
}

TEST(GradeThroughLab, TheCommandMeansTheCallersFiles) {
    // The real lab, and beside it a build that has nothing to do and a grader that only says where it is.
    const auto finished = support::run_to_end({{"bash", "-c", R"(
        set -e
        house=$(mktemp -d)
        trap 'rm -r "$house"' EXIT
        mkdir -p "$house/build/bin" "$house/tools" "$house/student"
        cp "$0" "$house/lab"
        touch "$house/build/build.ninja"
        for tool in tools/cmake tools/apt-get tools/dpkg-query; do printf '#!/bin/sh\necho installed\n' > "$house/$tool"; done
        printf '#!/bin/sh\nbasename "$PWD"; echo "$@"\n' > "$house/build/bin/grade"
        chmod +x "$house"/tools/* "$house/build/bin/grade"
        cd "$house/student"
        PATH=$house/tools:$PATH ../lab --no-install grade 01 -- python3 server.py {port}
        )",
                                                LAB}});
    EXPECT_EQ(finished.exit, exited(0)) << finished.errors;
    EXPECT_THAT(finished.lines, ElementsAre("student", "01 -- python3 server.py {port}"));
}

TEST(GradeHostile, AServerThatPrintsWithoutEndIsGraded) {
    const auto finished = grade_command({"01", "--only", "split_line", "--only", "half_close"},
                                        naive_with("(while :; do echo $'\\e[31m\\x80garbage'; done) & true"));
    EXPECT_EQ(finished.exit, exited(0)) << text(finished);
}

TEST(GradeHostile, OfWhatItForksNothingIsLeft) {
    const std::string seconds = marker(1);
    // In a session of its own, and orphaned: neither a signal to the group nor to the children would find it.
    const auto command = naive_with("for i in $(seq 40); do (setsid sleep " + seconds + " &); done");
    EXPECT_EQ(grade_command({"01", "--only", "first_answer"}, command).exit, exited(0));
    EXPECT_EQ(processes_with(seconds), 0u);
}

TEST(GradeHostile, KilledItLeavesNothing) {
    const std::string seconds = marker(2);
    support::Program grader({{support::path_of("grade"), "01", "--", "bash", "-c",
                              "(setsid sleep " + seconds + " &); sleep " + seconds + " {port}"}});
    // It waits for somebody to listen, for a minute.
    ASSERT_TRUE(support::eventually([&] { return processes_with(seconds) >= 2; }));
    grader.signal(SIGKILL);
    EXPECT_EQ(grader.wait_exit(), support::killed_by(SIGKILL));
    EXPECT_TRUE(support::eventually([&] { return processes_with(seconds) == 0; }));
}

TEST(GradeHostile, KilledInTheMiddleOfAStepItLeavesNothing) {
    const std::string seconds = marker(3);
    auto words = naive_with("(setsid sleep " + seconds + " &)");
    words.insert(words.begin(), {support::path_of("grade"), "01", "--"});
    support::Program grader({words});
    grader.wait_for_line("first_answer");
    grader.signal(SIGKILL);
    EXPECT_EQ(grader.wait_exit(), support::killed_by(SIGKILL));
    EXPECT_TRUE(support::eventually([&] { return processes_with(seconds) == 0; }));
}

}  // namespace
