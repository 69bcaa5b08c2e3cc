// The load on a chat room: what it must notice, and what it measures where everything is right.
#include "bench/heard.hpp"
#include "bench/load.hpp"
#include "bench/process.hpp"
#include "support/etcd.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace bench;
using namespace std::chrono_literals;
using testing::HasSubstr;

namespace {

Plan plan_for(const Server& server) {
    Plan plan;
    plan.kind = Kind::chat;
    plan.port = server.port();
    plan.server = server.pid();
    plan.connections = 4;
    plan.senders = 2;
    plan.depth = 5;  // so that the line at which the mistake is made always comes
    plan.warm_up = 10ms;
    plan.measured = 50ms;
    plan.patience = 2s;
    return plan;
}

struct Trial {
    std::string mistake;
    std::string complaint;
};

class ChatHonesty : public testing::TestWithParam<Trial> {};

// What the load on this server complains of.
std::string complaint_about(const Plan& plan) {
    try {
        run(plan, {});
    } catch (const WrongAnswer& wrong) {
        return wrong.what();
    }
    return "nothing";
}

}  // namespace

TEST_P(ChatHonesty, TheLoadNoticesTheMistake) {
    const auto& [mistake, complaint] = GetParam();
    const Server server({WRONG_ROOM, "--mistake", mistake, "--port", "0"}, {});
    EXPECT_THAT(complaint_about(plan_for(server)), HasSubstr(complaint));
}

TEST_P(ChatHonesty, SoItDoesWhereEachWaitsForTheirOwnLinesOnly) {
    const auto& [mistake, complaint] = GetParam();
    const Server server({WRONG_ROOM, "--mistake", mistake, "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.senders = plan.connections;
    plan.acknowledged = true;
    EXPECT_THAT(complaint_about(plan), HasSubstr(complaint));
}

TEST_P(ChatHonesty, AndDuringAnOutage) {
    const auto& [mistake, complaint] = GetParam();
    const Server server({WRONG_ROOM, "--mistake", mistake, "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.senders = plan.connections;
    plan.acknowledged = true;
    plan.outage = [] {};
    EXPECT_THAT(complaint_about(plan), HasSubstr(complaint));
}

INSTANTIATE_TEST_SUITE_P(Mistakes, ChatHonesty,
                         testing::Values(Trial{"drop", "heard `"}, Trial{"double", "heard `"},
                                         Trial{"change", "heard `"}, Trial{"swap", "heard `"},
                                         Trial{"change for all", "instead of line"},
                                         Trial{"swap for all", "instead of line"},
                                         Trial{"extra", "after the last line"}),
                         [](const auto& info) {
                             std::string name = info.param.mistake;
                             std::replace(name.begin(), name.end(), ' ', '_');
                             return name;
                         });

TEST(Chat, ARightRoomIsMeasured) {
    const Server server({RAW_ROOM, "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.connections = 20;
    const Report report = run(plan, {});
    EXPECT_GT(report.messages, 20u);
    EXPECT_GT(report.server_cpu, 0);
    EXPECT_GT(report.median_us, 0);
}

TEST(Chat, WhereLinesAreAcknowledgedEachCountsOnce) {
    const Server server({RAW_ROOM, "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.connections = plan.senders = 10;
    plan.acknowledged = true;
    plan.enough = 1000;
    plan.measured = 60s;
    const Report report = run(plan, {});
    EXPECT_GE(report.messages, 1000u);
    EXPECT_LT(report.messages, 2000u);  // ten times as many were heard
    EXPECT_GT(report.silence, 0);
    EXPECT_LT(report.seconds, 30);
}

TEST(Chat, LinesThatAreNobodysArePassedOverOnlyInAnOutage) {
    const Server server({WRONG_ROOM, "--mistake", "news", "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.acknowledged = true;
    EXPECT_THAT(complaint_about(plan), HasSubstr("heard `"));
    bool is_out = false;
    plan.outage = [&] { is_out = true; };
    EXPECT_EQ(complaint_about(plan), "nothing");
    EXPECT_TRUE(is_out);
}

TEST(Chat, RoomsAreFilledEvenlyAndEachHearsItsOwn) {
    const Server server({CHAT, "--log", "quiet", "--rate", "0", "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.connections = 600;  // so many that what they all have heard is forgotten before the last one comes
    plan.senders = 7;
    plan.rooms = 7;
    plan.depth = 1;
    plan.enough = 500;
    plan.measured = plan.patience = 60s;
    const Report report = run(plan, {});
    EXPECT_GE(report.messages, 500u);
    EXPECT_GT(report.bytes_per_connection, 0);
    plan.rooms = 8;
    EXPECT_THROW(run(plan, {}), std::invalid_argument);
}

TEST(Chat, AServerWithoutRoomsIsNoticed) {
    const Server server({RAW_ROOM, "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.patience = 200ms;
    plan.rooms = 2;
    EXPECT_NE(complaint_about(plan), "nothing");
}

TEST(Chat, TwoNodesThatAreNotOneRoomAreNoticed) {
    const Server one({RAW_ROOM, "--port", "0"}, {}), two({RAW_ROOM, "--port", "0"}, {});
    Plan plan = plan_for(one);
    plan.patience = 200ms;
    plan.more_nodes.push_back({two.port(), two.pid()});
    EXPECT_NE(complaint_about(plan), "nothing");
}

TEST(Chat, TwoNodesOnEtcdAreOneRoom) {
    if (!support::Etcd::is_there()) GTEST_SKIP() << "there is no etcd here";
    support::Etcd etcd;
    const auto node = [&](const char* name) {
        return std::vector<std::string>{RAW_ETCD, "--etcd", etcd.urls(), "--node-name", name, "--port", "0"};
    };
    const Server one(node("one"), {}), two(node("two"), {});
    Plan plan = plan_for(one);
    plan.connections = plan.senders = 20;
    plan.acknowledged = true;
    plan.more_nodes.push_back({two.port(), two.pid()});
    plan.enough = 100;
    plan.measured = plan.patience = 60s;
    const Report report = run(plan, {});
    EXPECT_GE(report.messages, 100u);
    EXPECT_GT(report.server_cpu, 0);
}

TEST(Chat, ASilentRoomIsNotWaitedForForEver) {
    const Server server({RAW_EPOLL, "--port", "0"}, {});  // answers a name with something else
    Plan plan = plan_for(server);
    plan.patience = 200ms;
    EXPECT_THROW(run(plan, {}), WrongAnswer);
}

TEST(Chat, WhoNeverReadsIsCutOffAndCostsABoundedBuffer) {
    constexpr double two_backlogs = 2 * 1024 * 1024;  // what the stick lets its log grow to
    const Server server({RAW_ROOM, "--port", "0"}, {});
    Plan plan = plan_for(server);
    plan.senders = 4;
    plan.depth = 64;
    plan.size = 4096;
    plan.deaf = 2;
    plan.enough = static_cast<std::uint64_t>(4 * two_backlogs) / plan.size + 1;
    plan.measured = plan.patience = 60s;
    const Report report = run(plan, {});
    EXPECT_GT(report.messages * 4096, 4 * two_backlogs) << "too little was said to fill a backlog";
    EXPECT_LT(report.bytes_grown, 3 * two_backlogs);
}

namespace {

// What `lines` lines of a sender sound like.
std::string said(std::size_t sender, std::size_t first, std::size_t lines) {
    const Stream stream("", 20, true);
    std::string all;
    for (std::size_t i = first; i < first + lines; ++i) {
        std::string text(19, '\0');
        stream.write(static_cast<std::uint32_t>(sender), i * 20, 19, text.data());
        all += words::said(Dialect::text, sender, text);
    }
    return all;
}

constexpr auto ignore = [](std::size_t, Heard::Clock::time_point) {};

}  // namespace

TEST(Heard, LinesCountWhenTheyAreWholeHoweverTheyAreCut) {
    Heard heard(Dialect::text, 1, 20);
    auto one = heard.join(0), two = heard.join(1);
    const std::string joined = words::joined(Dialect::text, 1);
    EXPECT_EQ(heard.hear(0, one, joined, ignore), 0u);
    std::string out;
    heard.say(0, out);
    heard.say(0, out);
    const std::string all = said(0, 0, 2);
    std::uint64_t lines = 0;
    for (const char byte : all) lines += heard.hear(0, one, {&byte, 1}, ignore);
    EXPECT_EQ(lines, 2u);
    EXPECT_EQ(heard.under_way(0), 2u);
    EXPECT_FALSE(heard.is_up_to_date(two));
    EXPECT_EQ(heard.hear(1, two, all, ignore), 2u);
    EXPECT_EQ(heard.under_way(0), 0u);
    EXPECT_TRUE(heard.is_up_to_date(one) && heard.is_up_to_date(two));
}

TEST(Heard, AnAcknowledgedLineIsDoneWhenItsSpeakerHearsIt) {
    Heard heard(Dialect::text, 1, 20, true);
    auto speaker = heard.join(0), other = heard.join(1);
    heard.hear(0, speaker, words::joined(Dialect::text, 1), ignore);
    std::string out;
    heard.say(0, out);
    std::size_t done = 0;
    const auto count = [&](std::size_t, Heard::Clock::time_point) { ++done; };
    EXPECT_EQ(heard.hear(1, other, said(0, 0, 1), count), 0u);
    EXPECT_EQ(done, 0u);
    EXPECT_EQ(heard.under_way(0), 1u);
    EXPECT_EQ(heard.hear(0, speaker, said(0, 0, 1), count), 1u);
    EXPECT_EQ(done, 1u);
    EXPECT_EQ(heard.under_way(0), 0u);
    EXPECT_TRUE(heard.is_up_to_date(speaker) && heard.is_up_to_date(other));
}

TEST(Heard, TheOrderIsTheFirstHearersAndNoOther) {
    Heard heard(Dialect::text, 2, 20);
    auto one = heard.join(0), two = heard.join(1);
    heard.hear(0, one, words::joined(Dialect::text, 1), ignore);
    std::string out;
    heard.say(0, out);
    heard.say(1, out);
    heard.hear(0, one, said(1, 0, 1) + said(0, 0, 1), ignore);
    EXPECT_THROW(heard.hear(1, two, said(0, 0, 1), ignore), WrongAnswer);
}

TEST(Heard, NothingIsHeardBeforeItIsSaid) {
    Heard heard(Dialect::text, 1, 20);
    auto one = heard.join(0);
    EXPECT_THROW(heard.hear(0, one, said(0, 0, 1), ignore), WrongAnswer);
}

TEST(Heard, WhatIsSaidInAnotherRoomIsNotHeard) {
    constexpr std::size_t rooms = 3;
    Heard heard(Dialect::text, 2, 20, false, 1, rooms);  // members 1, 4, and so on; two of them speak
    auto one = heard.join(1);
    std::string out;
    heard.say(4, out);
    EXPECT_EQ(heard.under_way(4), 1u);
    EXPECT_EQ(heard.under_way(1), 0u);
    EXPECT_EQ(heard.hear(1, one, said(4, 0, 1), ignore), 1u);
    EXPECT_EQ(heard.under_way(4), 0u);
    heard.say(1, out);
    heard.say(4, out);
    for (const std::size_t other : {0, 2, 3, 5, 6, 7}) {
        for (const std::size_t line : {0, 1}) {  // each of the two that have not been heard, had they said it
            EXPECT_THROW(Heard(heard).hear(1, one, said(other, line, 1), ignore), WrongAnswer) << other;
        }
    }
}

TEST(Heard, OnlyTheDeafMayLeaveAndOnlyOnce) {
    Heard heard(Dialect::text, 1, 20);
    auto one = heard.join(0);
    heard.join_deaf(1);
    heard.hear(0, one, words::joined(Dialect::text, 1), ignore);
    const std::string left = words::left(Dialect::text, 1) + " (it reads too slowly)\r\n";
    EXPECT_EQ(heard.hear(0, one, left, ignore), 0u);
    EXPECT_THROW(heard.hear(0, one, left, ignore), WrongAnswer);
}
