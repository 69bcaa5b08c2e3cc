// The bench must not praise a server that answers wrongly, so here are servers that do.
#include "bench/cases.hpp"
#include "bench/load.hpp"
#include "bench/measure.hpp"
#include "bench/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

using namespace bench;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

struct Trial {
    std::string mistake;
    std::string complaint;  // what the load must say of it
};

Plan plan_for(const Server& server, bool lines) {
    Plan plan;
    plan.port = server.port();
    plan.server = server.pid();
    plan.lines = lines;
    plan.connections = 3;
    plan.depth = 5;  // so that the reply at which the mistake is made always comes
    plan.warm_up = 10ms;
    plan.measured = 50ms;
    return plan;
}

std::string complaint(const Plan& plan) {
    try {
        run(plan, {});
        return "";
    } catch (const WrongAnswer& wrong) {
        return wrong.what();
    }
}

Server wrong_server(const std::string& mistake, bool lines, const std::string& at = "3") {
    return Server({WRONG_SERVER, "--mistake", mistake, "--at", at, "--port", "0", "--packet", lines ? "line" : "raw"},
                  {});
}

class Honesty : public testing::TestWithParam<std::tuple<bool, Trial>> {};

}  // namespace

TEST_P(Honesty, TheLoadNoticesTheMistake) {
    const auto& [lines, trial] = GetParam();
    const Server server = wrong_server(trial.mistake, lines);
    Plan plan = plan_for(server, lines);
    if (trial.mistake == "silent" || trial.mistake == "stay") plan.patience = 300ms;
    EXPECT_THAT(complaint(plan), HasSubstr(trial.complaint));
}

INSTANTIATE_TEST_SUITE_P(Mistakes, Honesty,
                         testing::Combine(testing::Bool(),
                                          testing::Values(Trial{"drop byte", "of reply 3 is wrong"},       //
                                                          Trial{"change byte", "of reply 3 is wrong"},     //
                                                          Trial{"double byte", "of reply 3 is wrong"},     //
                                                          Trial{"swap bytes", "of reply 3 is wrong"},      //
                                                          Trial{"drop message", "of reply 3 is wrong"},    //
                                                          Trial{"double message", "of reply 4 is wrong"},  //
                                                          Trial{"swap messages", "of reply 3 is wrong"},   //
                                                          Trial{"close", "connection "},                   //
                                                          Trial{"extra", "is wrong"},                      //
                                                          Trial{"stay", "no answer for 300 ms"})),
                         [](const auto& info) {
                             std::string name =
                                 (std::get<0>(info.param) ? "line " : "raw ") + std::get<1>(info.param).mistake;
                             std::replace(name.begin(), name.end(), ' ', '_');
                             return name;
                         });

TEST(Honesty, ASilentServerIsNotWaitedForForEver) {
    const Server server = wrong_server("silent", true, "0");
    Plan plan = plan_for(server, true);
    plan.patience = 200ms;
    EXPECT_EQ(complaint(plan), "no answer for 200 ms");
}

TEST(Honesty, ChurnNoticesToo) {
    for (const char* mistake : {"change byte", "double message", "close", "extra"}) {
        const Server server = wrong_server(mistake, true, "0");
        Plan plan = plan_for(server, true);
        plan.kind = Kind::churn;
        EXPECT_NE(complaint(plan), "") << mistake;
    }
}

TEST(Honesty, ARightServerIsMeasured) {
    for (const Kind kind : {Kind::echo, Kind::churn, Kind::idle}) {
        const Server server = wrong_server("none", true);
        Plan plan = plan_for(server, true);
        plan.kind = kind;
        const Report report = run(plan, {});
        EXPECT_GT(report.messages, 0u);
        if (kind == Kind::idle) continue;
        EXPECT_GT(report.seconds, 0.04);
        EXPECT_GT(report.server_cpu, 0);
        EXPECT_GT(report.load_cpu, 0);
        EXPECT_GT(report.median_us, 0);
        EXPECT_GE(report.p99_us, report.median_us);
    }
}

TEST(Honesty, PeersAnswerAsOursDo) {
    const auto bin = std::filesystem::path(BENCH).parent_path();
    for (Subject peer : all_subjects()) {
        if (!peer.peer || contains(peer.groups, "chat")) continue;
        const std::string beside = bin / peer.command[0];
        const std::string program = find_program(find_program(beside).empty() ? peer.command[0] : beside);
        if (program.empty()) continue;
        peer.command[0] = program;
        for (const char* group : {"lines", "echo"}) {
            if (!contains(peer.groups, group)) continue;
            Case what{.group = group, .label = "", .plan = {}, .rounds = 1, .quick = false};
            what.plan.lines = group == std::string("lines");
            const Server server(command_of(what, peer), {});
            Plan plan = plan_for(server, what.plan.lines);
            for (const Kind kind : {Kind::echo, Kind::churn}) {
                for (const std::size_t size : {64, 5000}) {
                    plan.kind = kind;
                    plan.size = size;
                    EXPECT_EQ(complaint(plan), "") << peer.name << ", " << group << " of " << size << " bytes";
                }
            }
        }
    }
}

TEST(Honesty, AnIdleConnectionHasItsWeight) {
    const Server server({RAW_THREADS, "--port", "0"}, {});  // each client a thread, whose stack weighs pages
    Plan plan = plan_for(server, true);
    plan.kind = Kind::idle;
    plan.connections = 100;
    const double weight = run(plan, {}).bytes_per_connection;
    EXPECT_GT(weight, 4096);
    EXPECT_LT(weight, 8 * 1024 * 1024);  // its whole stack; a sanitizer adds a MiB of its own
}

TEST(Honesty, AnEndIsAskedForAndComes) {
    const Server server = wrong_server("none", true);
    Plan plan = plan_for(server, true);
    plan.measured = 1h;
    std::stop_source stop;
    std::thread impatient([&] { stop.request_stop(); });
    EXPECT_THROW(run(plan, stop.get_token()), Interrupted);
    impatient.join();
}

TEST(Honesty, APlanOutsideTheLimitsIsRefused) {
    Plan plan;
    plan.size = 9;
    EXPECT_THROW(run(plan, {}), std::invalid_argument);
    plan.size = 64;
    plan.depth = 5000;
    EXPECT_THROW(run(plan, {}), std::invalid_argument);
    plan.depth = 1;
    plan.connections = 100'000'000;
    EXPECT_THROW(run(plan, {}), std::invalid_argument);
}
