// One line of a server's story: what is read of it, and that its words are the server's own.

#include "observer/story.hpp"

#include "app/events.hpp"
#include "unit/stdout.hpp"

namespace observed {
namespace {

using observer::read;

TEST(Told, ALineOfJsonHasItsTimeItsTellerAndItsFields) {
    const auto told = read(
        R"({"time":"2026-01-31T12:00:00.000007Z","who":"worker 2 handler 7","event":"got_data_from_client","worker":2,"data":"hi"})");
    ASSERT_TRUE(told);
    EXPECT_EQ(told->time, observer::parse_time(noon) + 7);
    EXPECT_EQ(told->worker, 2u);
    EXPECT_EQ(told->role, "handler");
    EXPECT_EQ(told->number, 7u);
    EXPECT_EQ(told->field("data"), "hi");
    EXPECT_EQ(told->text, "worker 2 handler 7 got data from client hi");
}

TEST(Told, AWorkerItselfIsTheServerOfItsProcess) {
    const auto told = read(R"({"time":"","who":"worker 12","event":"stops_accepting","worker":12})");
    ASSERT_TRUE(told);
    EXPECT_EQ(told->role, "server");
    EXPECT_EQ(told->worker, 12u);
    EXPECT_EQ(told->text, "worker 12 stops accepting");
}

TEST(Told, TheFirstLineIsPlain) {
    const auto told = read("Listening on 127.0.0.1:1234");
    ASSERT_TRUE(told);
    EXPECT_EQ(told->event, "listening");
    EXPECT_EQ(told->text, "Listening on 127.0.0.1:1234");
    EXPECT_EQ(told->field("sockname"), "127.0.0.1:1234");
}

TEST(Told, WhatIsNoStoryIsNotRead) {
    for (const auto* const line :
         {"", "hello", "{", "{}", "[1]", R"({"who":"server"})", R"({"event":"started"})", "{\"who\":\"\xff\"}"}) {
        EXPECT_FALSE(read(line)) << line;
    }
}

TEST(Told, AnEventThatNobodyKnowsIsToldByItsNameAndItsFields) {
    const auto told = read(R"({"time":"","who":"node 3","event":"has_a_lease","lease":17,"worker":0})");
    ASSERT_TRUE(told);
    EXPECT_EQ(told->text, "node 3 has a lease, lease 17, worker 0");
}

TEST(Told, ATimeIsReadAndWrittenAlike) {
    for (const auto* const time :
         {"1970-01-01T00:00:00.000000Z", "2024-02-29T23:59:59.999999Z", "2026-11-29T16:42:01.000001Z"}) {
        EXPECT_EQ(observer::to_string(observer::parse_time(time)), time);
    }
    for (const auto* const wrong : {"", "2026-01-31", "2026-01-31T12:00:00.00000xZ", "2026-02-30T12:00:00.000000Z"}) {
        EXPECT_EQ(observer::parse_time(wrong), 0) << wrong;
    }
}

/// What the observer prints is what the server would have printed.
TEST(Told, TheTextIsTheServersOwnInEveryEvent) {
    CaughtStdout out;
    const auto tell = [] {
        namespace events = app::events;
        app::tell({"server"}, events::started, 4711, "01_naive", "0.1.0");
        app::tell({"acceptor", 3}, events::got_client_connection, "127.0.0.1:50514");
        app::tell({"handler", 7}, events::got_data_from_client, "a \\ \x1b[2J \"b\" {data}");
        app::tell({"supervisor"}, events::supervisor_report, "root", "child_terminated", "SIGSEGV", "worker-2", 4711,
                  1);
        app::tell({"server"}, events::cuts_off, 3, 5000);
        app::tell({"handler", 7}, events::has_in_room, "Michael", "lobby");
    };
    app::story::open(app::Log::text);
    tell();
    const auto texts = out.lines();
    app::story::open(app::Log::json);
    tell();
    const auto lines = out.lines();
    app::story::open(app::Log::text);
    ASSERT_EQ(texts.size(), lines.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
        const auto told = read(lines[i]);
        ASSERT_TRUE(told) << lines[i];
        EXPECT_EQ(told->text, texts[i]);
    }
}

TEST(Told, WhatOnlyJsonTellsHasNoText) {
    for (const auto* const event : {"serves", "answers", "supervisor_started", "starts_child"}) {
        const auto told = read(R"({"time":"","who":"server","event":")" + std::string(event) + R"("})");
        ASSERT_TRUE(told);
        EXPECT_EQ(told->text, "") << event;
    }
}

TEST(Told, AnAnswerOfSeveralLinesIsThoseLines) {
    const auto told =
        read(R"({"time":"","who":"server","event":"tree","part":1,"parts":1,"lines":["root  1","    a  2"]})");
    ASSERT_TRUE(told);
    EXPECT_EQ(told->text, "root  1\n    a  2");
}

}  // namespace
}  // namespace observed
