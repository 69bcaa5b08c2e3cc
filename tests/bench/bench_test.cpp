// The bench as a person runs it, and the parts of it that only compute.
#include "bench/counts.hpp"
#include "bench/measure.hpp"
#include "bench/process.hpp"
#include "bench/stream.hpp"
#include "bench/summary.hpp"
#include "bench/targets.hpp"
#include "support/etcd.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

using namespace bench;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

TEST(Stream, EveryMessageOfEveryConnectionIsDifferent) {
    const Stream stream("", 16, true);
    std::set<std::string> seen;
    for (std::uint32_t connection = 0; connection < 20; ++connection) {
        for (std::uint64_t message = 0; message < 500; ++message) {
            std::string text(16, '\0');
            stream.write(connection, message * 16, 16, text.data());
            EXPECT_EQ(text.find('\n'), 15u);
            EXPECT_TRUE(seen.insert(text).second);
        }
    }
}

TEST(Stream, ThePositionOfTheFirstWrongByteIsFoundWhateverTheCut) {
    for (const bool lines : {false, true}) {
        const Stream stream("ECHO ", 40, lines);
        std::string whole(stream.message_size() * 3, '\0');
        stream.write(7, 0, whole.size(), whole.data());
        for (std::size_t from = 0; from < whole.size(); ++from) {
            const std::string_view rest = std::string_view(whole).substr(from);
            EXPECT_EQ(stream.matching(7, from, rest), rest.size());
            std::string again(rest.size(), '\0');
            stream.write(7, from, again.size(), again.data());
            EXPECT_EQ(again, rest);
            std::string wrong = whole;
            wrong[from] ^= 1;
            EXPECT_EQ(stream.matching(7, 0, wrong), from);
        }
    }
}

TEST(Summary, QuantilesLieBetweenNeighbours) {
    EXPECT_DOUBLE_EQ(quantile({3, 1, 2}, 0.5), 2);
    EXPECT_DOUBLE_EQ(quantile({1, 2}, 0.5), 1.5);
    EXPECT_DOUBLE_EQ(quantile({5}, 0.99), 5);
}

TEST(Summary, OnlyWhatIsClearIsCalled) {
    EXPECT_EQ(compared({1.03, 1.01, 1.05}), "tie");
    EXPECT_EQ(compared({1.30, 1.20, 1.40}), "dearer");
    EXPECT_EQ(compared({0.80, 0.70, 0.90}), "cheaper");
    EXPECT_EQ(compared({1.02, 0.90, 1.20}), could_not_tell);
    EXPECT_EQ(compared({1.08, 1.02, 1.20}), could_not_tell);
    EXPECT_EQ(compared({1.04, 1.02, 1.06}), "tie");     // narrow, over the edge of a tie
    EXPECT_EQ(compared({1.06, 1.04, 1.08}), "dearer");  // likewise
    EXPECT_EQ(compared({0.94, 0.93, 0.96}), "cheaper");
}

TEST(Summary, GrowthIsAPowerAndAWord) {
    EXPECT_NEAR(exponent({1, 10, 100}, {3, 30, 300}), 1, 1e-9);
    EXPECT_NEAR(exponent({10, 1000}, {5, 5}), 0, 1e-9);
    EXPECT_NEAR(exponent({2, 4, 8}, {4, 16, 64}), 2, 1e-9);
    EXPECT_EQ(growth(-0.5), "falls");
    EXPECT_EQ(growth(0.05), "hardly changes");
    EXPECT_EQ(growth(0.5), "grows, but more slowly");
    EXPECT_EQ(growth(1), "grows in proportion");
    EXPECT_EQ(growth(2), "grows faster");
}

TEST(Summary, ALimitIsDecidedByAnIntervalOnOneSideOfIt) {
    EXPECT_TRUE(is_decided({1.3, 1.11, 1.6}, 1.1));
    EXPECT_TRUE(is_decided({1.0, 0.8, 1.09}, 1.1));
    EXPECT_FALSE(is_decided({1.1, 1.0, 1.2}, 1.1));
    EXPECT_TRUE(is_decided({1.1, 1.09, 1.12}, 1.1));  // or by one so narrow that its middle is known
}

TEST(Summary, RoundsAreComparedWithTheirOwn) {
    // The machine became twice as slow in the middle: that is no difference between the servers.
    const Interval found = ratio({1.1, 1.1, 2.2, 2.2}, {1, 1, 2, 2});
    EXPECT_NEAR(found.low, 1.1, 1e-9);
    EXPECT_NEAR(found.high, 1.1, 1e-9);
}

TEST(Summary, MoreRoundsMakeANarrowerInterval) {
    std::vector<double> values;
    double before = 1e9;
    for (const std::size_t rounds : {12, 60, 300}) {
        while (values.size() < rounds) values.push_back(1 + 0.3 * std::sin(static_cast<double>(values.size()) * 7.3));
        const Interval found = Interval::of(values);
        EXPECT_LE(found.low, found.median);
        EXPECT_LE(found.median, found.high);
        EXPECT_LT(found.high - found.low, before) << rounds;
        before = found.high - found.low;
    }
    EXPECT_EQ(Interval::of(values).low, Interval::of(values).low);  // the same luck in each run
    values.push_back(1000);                                         // one moment that went wrong
    EXPECT_LT(Interval::of(values).high, 1.3);
}

// A server whose rounds cost `ours`, beside a stick that always costs 1.
static CaseResult case_of(const std::vector<double>& ours) {
    CaseResult what{"lines", "of a test", 1, 64, 1, {{"stick", {}, {}}, {"server", {}, {}}}};
    for (const double cost : ours) {
        for (auto& [server, value] : {std::pair{&what.servers[0], 1.0}, {&what.servers[1], cost}}) {
            Report report;
            report.messages = 1;
            report.server_cpu = value;
            server->rounds.push_back(report);
        }
    }
    return what;
}

TEST(Measure, GoesOnUntilItIsDecided) {
    using testing::ElementsAre;
    using testing::IsEmpty;
    EXPECT_THAT(undecided(case_of({1.0, 1.2, 0.9}), "server", {"stick"}), ElementsAre("stick"));
    EXPECT_THAT(undecided(case_of({1.6, 1.2, 1.9}), "server", {"stick"}), IsEmpty());
    EXPECT_THAT(undecided(case_of({1.0, 1.01, 0.99}), "server", {"stick"}), IsEmpty());
    EXPECT_THAT(undecided(case_of({1.0, 1.2, 0.9}), "server", {}), IsEmpty());
    CaseResult failed = case_of({1.0, 1.2, 0.9});
    failed.servers[1].failure = "it closed";
    EXPECT_THAT(undecided(failed, "server", {"stick"}), IsEmpty());
    // It is a tie with its stick, and too near to what is asked of it.
    CaseResult asked = case_of({1.03, 1.0, 1.04, 1.02});
    asked.label = "c1 64B d1";
    asked.servers[0].name = "raw_blocking";
    asked.servers[1].name = "01_naive";
    EXPECT_THAT(undecided(asked, "01_naive", {"raw_blocking"}), IsEmpty());
    asked.servers[1].rounds[0].server_cpu = 1.06;
    EXPECT_THAT(undecided(asked, "01_naive", {}), ElementsAre("raw_blocking"));
}

TEST(Cases, HaveAsManyConnectionsAsThereAreDescriptorsFor) {
    EXPECT_EQ(most_connections(20'000), 19'000u);
    EXPECT_EQ(most_connections(1'048'576), connections_wanted);
    EXPECT_EQ(most_connections(10), 0u);
    const auto largest = [](std::size_t files) {
        const auto all = all_cases(false, files);
        return std::max_element(all.begin(), all.end(),
                                [](const Case& a, const Case& b) { return a.plan.connections < b.plan.connections; })
            ->plan.connections;
    };
    EXPECT_EQ(largest(20'000), 19'000u);
    EXPECT_EQ(largest(1'048'576), connections_wanted);
    EXPECT_EQ(largest(1024), 10'000u);  // which does not fit
    for (const Case& one : all_cases(false, 1024)) EXPECT_EQ(fits(one, 1024), one.plan.connections < 1000) << one.label;
    for (const Case& one : all_cases(false, 20'000)) EXPECT_TRUE(fits(one, 20'000)) << one.label;
}

TEST(Cases, NameServersThatThereAre) {
    const auto subjects = all_subjects();
    for (const Case& one : all_cases(false, 20'000)) {
        for (const std::string& name : one.servers) {
            EXPECT_TRUE(
                std::any_of(subjects.begin(), subjects.end(),
                            [&](const Subject& subject) { return subject.name == name && is_for(one, subject); }))
                << one.label << " is for no " << name;
        }
    }
}

TEST(Measure, PeersSayTheirVersionsThemselves) {
    const fs::path script = fs::path(testing::TempDir()) / ("what's this " + std::to_string(getpid()));
    std::ofstream(script) << "#!/bin/sh\necho \"1.2 of $1\"\n";
    fs::permissions(script, fs::perms::owner_all);
    Subject itself{.name = "itself", .command = {script}, .sticks = {}, .groups = {}, .peer = true};
    Subject asked{.name = "asked", .command = {"/nowhere"}, .sticks = {}, .groups = {}, .peer = true};
    asked.version = "echo 3; echo 4";
    const Subject ours{.name = "ours", .command = {"/nowhere"}, .sticks = {}, .groups = {}};
    EXPECT_EQ(versions({itself, asked, ours}), (boost::json::object{{"itself", "1.2 of --version"}, {"asked", "3"}}));
    fs::remove(script);
}

TEST(Counts, AreReadFromWhatTheToolsWrite) {
    EXPECT_EQ(calls_in("% time     seconds  usecs/call     calls    errors syscall\n"
                       "------ ----------- ----------- --------- --------- ----------------\n"
                       " 60.00    0.000600           1       500           sendto\n"
                       " 40.00    0.000400           0       700       200 recvfrom\n"
                       "------ ----------- ----------- --------- --------- ----------------\n"
                       "100.00    0.001000           0      1200       200 total\n"),
              1200);
    const Callgrind found = read_callgrind(
        "events: Ir\n"
        "fn=(1) main\n"
        "16 400\n"
        "cfn=(2) malloc\n"
        "calls=3 0\n"
        "16 300\n"
        "cfn=(3) recv\n"
        "calls=50 0\n"
        "fn=(3)\n"
        "cfn=(2)\n"
        "calls=4 0\n"
        "totals: 12345\n");
    EXPECT_EQ(found.instructions, 12345);
    EXPECT_EQ(found.allocations, 7);
}

TEST(Counts, AServerIsCountedWithTheToolsThatAreHere) {
    if (find_program("strace").empty() || find_program("valgrind").empty()) {
        GTEST_SKIP() << "there is no strace here, or no valgrind";
    }
    const auto cases = all_cases(false, raise_file_limit());
    const auto what = std::find_if(cases.begin(), cases.end(), [](const Case& one) { return one.counted; });
    ASSERT_NE(what, cases.end());
    const Subject stick{.name = "raw_epoll", .command = {RAW_EPOLL}, .sticks = {}, .groups = {}};
    const auto counts = count(*what, stick, command_of(*what, stick), choose_cores().server, {});
    ASSERT_TRUE(counts);
    // A message is a recv and a send, and a share of an epoll_wait.
    EXPECT_GT(counts->system_calls, 1.9);
    EXPECT_LT(counts->system_calls, 3.1);
    EXPECT_GT(counts->instructions, 20);
    EXPECT_LT(counts->allocations, 0.1);
}

TEST(Server, OneThatDoesNotListenIsAnError) {
    EXPECT_THROW(Server({"/bin/echo", "Hello"}, {}), std::runtime_error);
    EXPECT_THROW(Server({"/nowhere/at/all"}, {}), std::runtime_error);
}

TEST(Server, IsGoneWhenItsObjectIs) {
    pid_t pid = 0;
    {
        const Server server({RAW_EPOLL, "--port", "0"}, {});
        pid = server.pid();
        EXPECT_EQ(kill(pid, 0), 0);
        EXPECT_GT(resident_bytes(pid), 100'000u);
        EXPECT_GT(cpu_time(pid), 0ns);
    }
    EXPECT_EQ(kill(pid, 0), -1);
}

namespace {

// Ended, whether or not somebody has already asked for its exit status.
bool gone(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name, state;
    return !(status >> number >> name >> state) || state == "Z";
}

// The bench, running with its output in a file.
struct Bench {
    fs::path directory = fs::path(testing::TempDir()) / ("bench-" + std::to_string(getpid()));
    pid_t pid = -1;

    explicit Bench(std::vector<std::string> arguments) {
        fs::create_directory(directory);
        arguments.insert(arguments.begin(), BENCH);
        arguments.insert(arguments.end(), {"--json", directory / "out.json"});
        std::vector<char*> words;
        for (std::string& word : arguments) words.push_back(word.data());
        words.push_back(nullptr);
        pid = fork();
        if (pid == 0) {
            const int out = open((directory / "out").c_str(), O_CREAT | O_WRONLY, 0600);
            dup2(out, STDOUT_FILENO);
            dup2(out, STDERR_FILENO);
            execv(words[0], words.data());
            _exit(127);
        }
    }
    ~Bench() { fs::remove_all(directory); }

    int wait() const {
        int status = 0;
        waitpid(pid, &status, 0);
        return WEXITSTATUS(status);
    }
    std::string text(const char* file) const {
        std::ifstream in(directory / file);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    // The server it is measuring now, once there is one.
    pid_t server() const {
        const auto deadline = std::chrono::steady_clock::now() + 20s;
        while (std::chrono::steady_clock::now() < deadline) {
            std::ifstream children("/proc/" + std::to_string(pid) + "/task/" + std::to_string(pid) + "/children");
            if (pid_t child; children >> child) return child;
            std::this_thread::sleep_for(1ms);
        }
        return -1;
    }
};

}  // namespace

TEST(Bench, AServerThatAnswersWronglyHasNoFigures) {
    const Bench bench({"lines", "--quick", "--rounds", "1", "--only", "wrong", "--server",
                       std::string("wrong=") + WRONG_SERVER + " --mistake extra"});
    EXPECT_EQ(bench.wait(), 1);
    EXPECT_THAT(bench.text("out"), testing::HasSubstr("FAILED: connection 0: "));
    EXPECT_THAT(bench.text("out.json"), testing::HasSubstr("\"failure\":\"connection 0: "));
}

TEST(Bench, ARightServerStandsBesideItsStick) {
    const Bench bench(
        {"lines", "--quick", "--rounds", "1", "--only", "right", "--server", std::string("right=") + RAW_THREADS});
    EXPECT_EQ(bench.wait(), 0);
    EXPECT_THAT(bench.text("out"), testing::HasSubstr("x raw_epoll"));
    EXPECT_THAT(bench.text("out.json"), testing::HasSubstr("\"name\":\"raw_epoll\""));
}

TEST(Bench, WithoutEtcdItSaysSoAndGoesOn) {
    const std::string path = getenv("PATH");
    setenv("PATH", "/nowhere", 1);
    const Bench bench({"etcd", "--quick", "--rounds", "1"});
    setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(bench.wait(), 0);
    EXPECT_THAT(bench.text("out"), testing::HasSubstr("raw_etcd is left out: there is no etcd here"));
}

TEST(Bench, ARoomOnEtcdIsMeasured) {
    if (!support::Etcd::is_there()) GTEST_SKIP() << "there is no etcd here";
    const Bench bench({"etcd", "--quick", "--rounds", "1", "--only", "the sticks"});
    EXPECT_EQ(bench.wait(), 0);
    EXPECT_THAT(bench.text("out"), testing::HasSubstr("etcd e1 n1 m20 w1\n  raw_etcd "));
}

TEST(Bench, ItSaysWhenServerAndLoadShareACore) {
    cpu_set_t before;
    sched_getaffinity(0, sizeof before, &before);
    pin_to(choose_cores().server);
    EXPECT_THAT(choose_cores().shared, testing::HasSubstr("shared a core"));
    sched_setaffinity(0, sizeof before, &before);
}

TEST(Bench, WhatWasMeasuredBecomesThePage) {
    const fs::path docs = fs::path(testing::TempDir()) / ("docs-" + std::to_string(getpid()));
    const Bench bench({"lines", "--quick", "--rounds", "1", "--only", "right", "--write", "--docs", docs, "--server",
                       std::string("right=") + RAW_THREADS});
    EXPECT_EQ(bench.wait(), 0);
    EXPECT_TRUE(fs::exists(docs / "bench.md"));
    EXPECT_TRUE(fs::exists(docs / "bench" / "clients.svg"));
    fs::remove_all(docs);
}

namespace {

// That the bench, having got `signal`, ends, and takes along its server (if it has one yet), and no file is there.
void expect_nothing_left(const Bench& bench, pid_t server, int signal) {
    kill(bench.pid, signal);
    const int code = bench.wait();
    if (signal != SIGKILL) {
        EXPECT_EQ(code, 130);
        EXPECT_THAT(bench.text("out"), testing::HasSubstr("interrupted"));
    }
    // A killed bench cannot end its server itself; the kernel does, a moment later.
    const auto deadline = std::chrono::steady_clock::now() + 10s;
    while (server > 0 && !gone(server) && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(server <= 0 || gone(server));
    EXPECT_FALSE(fs::exists(bench.directory / "out.json"));
    EXPECT_FALSE(fs::exists(bench.directory / "out.json.unfinished"));
}

}  // namespace

TEST(Bench, InterruptedItLeavesNoProcessAndNoFile) {
    for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
        const Bench bench({"echo", "--only", "the sticks", "--rounds", "1000"});
        const pid_t server = bench.server();
        ASSERT_GT(server, 0);
        expect_nothing_left(bench, server, signal);
    }
}

TEST(Bench, SoItDoesAtAnyMoment) {
    for (const char* group : {"chat", "idle", "churn", "etcd"}) {
        if (std::string_view(group) == "etcd" && !support::Etcd::is_there()) continue;
        for (const auto later : {0ms, 30ms, 100ms, 170ms, 300ms}) {
            const Bench bench({group, "--only", "the sticks", "--rounds", "1000"});
            const pid_t server = bench.server();
            ASSERT_GT(server, 0);
            std::this_thread::sleep_for(later);  // whatever it does then: connecting, measuring, or between two servers
            expect_nothing_left(bench, server, SIGINT);
        }
    }
}
