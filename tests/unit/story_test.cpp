#include "app/events.hpp"

#include "unit/stdout.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include <csignal>
#include <cstdlib>
#include <future>
#include <thread>

using namespace std::chrono_literals;
using namespace std::string_literals;
using app::Log;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
namespace events = app::events;
namespace json = boost::json;

namespace {

using Clock = std::chrono::steady_clock;

class StoryTest : public testing::Test {
protected:
    ~StoryTest() override { app::story::open(Log::text); }

    /// One JSON line, as an object.
    json::object object() { return json::parse(out.line()).as_object(); }

    CaughtStdout out;
};

constexpr app::Who client{"client", 7};

}  // namespace

TEST_F(StoryTest, TextIsTheOriginalsWords) {
    app::story::first_line("127.0.0.1:1234");
    app::tell({"acceptor", 3}, events::waits_for_client);
    app::tell({"acceptor", 3}, events::got_client_connection, "127.0.0.1:50514");
    app::tell(client, events::got_data_from_client, "hello");
    app::tell({"server"}, events::cuts_off, 3, 5000);
    EXPECT_THAT(out.lines(),
                ElementsAre("Listening on 127.0.0.1:1234", "acceptor 3 waits for client",
                            "acceptor 3 got client connection 127.0.0.1:50514", "client 7 got data from client hello",
                            "server cuts off 3 clients after 5000 ms"));
}

TEST_F(StoryTest, EachLineIsWrittenAtOnce) {
    EXPECT_EXIT(
        {
            app::tell(client, events::waits_for_data);
            std::_Exit(out.line() == "client 7 waits for data" ? 0 : 1);  // without any flush
        },
        testing::ExitedWithCode(0), "");
}

TEST_F(StoryTest, JsonIsOneObjectALine) {
    app::story::open(Log::json);
    app::story::first_line("127.0.0.1:1234");
    EXPECT_EQ(out.line(), "Listening on 127.0.0.1:1234") << "plain in every mode";

    app::tell({"acceptor", 2}, events::cannot_accept, "too many open files", 100);
    const auto event = object();
    EXPECT_EQ(event.at("who"), "acceptor 2");
    EXPECT_EQ(event.at("event"), "cannot_accept");
    EXPECT_EQ(event.at("reason"), "too many open files");
    EXPECT_EQ(event.at("wait_ms"), 100) << "numbers are numbers";
    EXPECT_EQ(event.size(), 5U);
    EXPECT_THAT(std::string(event.at("time").as_string()),
                testing::MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z"));

    app::tell({"server"}, events::stopped);
    EXPECT_EQ(object().size(), 3U);
}

TEST_F(StoryTest, JsonStaysJsonWhateverUsersSend) {
    app::story::open(Log::json);
    std::string every_byte;
    for (int byte = 0; byte < 256; ++byte) every_byte += static_cast<char>(byte);
    for (std::size_t at = 0; at < every_byte.size(); at += 16) {
        app::tell(client, events::got_data_from_client, every_byte.substr(at, 16));
        EXPECT_EQ(object().at("event"), "got_data_from_client");
    }
    app::tell(client, events::got_data_from_client, R"(","event":"forged"} {field} )");
    EXPECT_EQ(object().at("data"), R"(","event":"forged"} {field} )");
}

TEST_F(StoryTest, QuietIsTheFirstLineOnly) {
    app::story::open(Log::quiet);
    EXPECT_FALSE(app::story::is_told());
    app::story::first_line("127.0.0.1:1234");
    app::tell(client, events::waits_for_data);
    app::tell_seldom(client, events::cannot_start_thread, "no more");
    app::tell_data(client, "hello\n");
    app::tell_closed(client, net::Error::closed);
    EXPECT_THAT(out.lines(), ElementsAre("Listening on 127.0.0.1:1234"));
    app::story::open(Log::text);
    EXPECT_TRUE(app::story::is_told());
}

TEST_F(StoryTest, UserBytesAreEscapedAndCut) {
    app::tell(client, events::got_data_from_client, "a\nclient 8 forged\x1b[2J\0"s);
    EXPECT_EQ(out.line(), "client 7 got data from client a\\nclient 8 forged\\x1b[2J\\x00");
    app::tell(client, events::got_data_from_client, std::string(app::Field::max_shown, 'x'));
    EXPECT_EQ(out.line(), "client 7 got data from client " + std::string(app::Field::max_shown, 'x'));
    app::tell(client, events::got_data_from_client, std::string(app::Field::max_shown + 1, 'x'));
    EXPECT_EQ(out.line(),
              "client 7 got data from client " + std::string(app::Field::max_shown, 'x') + "... (1 bytes more)");
    app::tell(client, events::got_data_from_client, "{pid} {data}");
    EXPECT_EQ(out.line(), "client 7 got data from client {pid} {data}") << "values are no sentences";
}

TEST_F(StoryTest, DataIsToldWithoutItsLineEnding) {
    for (const std::string line : {"hello", "hello\n", "hello\r\n"}) {
        app::tell_data(client, line);
        EXPECT_EQ(out.line(), "client 7 got data from client hello");
    }
    app::tell_data(client, "\n\n");
    EXPECT_EQ(out.line(), "client 7 got data from client \\n") << "one ending, not all";
}

TEST_F(StoryTest, AnEndIsToldWithItsReasonWhereItWasNotTheClientsWish) {
    app::tell_closed(client, net::Error::closed);
    EXPECT_EQ(out.line(), "client 7 connection closed");
    app::tell_closed(client, {});
    EXPECT_EQ(out.line(), "client 7 connection closed");
    app::tell_closed(client, boost::asio::error::connection_reset);
    EXPECT_EQ(out.line(), "client 7 connection lost: connection reset by peer");
}

TEST_F(StoryTest, WhatHappensOftenIsToldSeldom) {
    const auto start = Clock::now();
    int told = 0;
    for (int i = 0; i < 1000; ++i) app::tell_seldom({"acceptor", 1}, events::cannot_start_thread, "no more");
    app::tell_seldom({"acceptor", 2}, events::waits_for_free_place, 10);
    for (const auto& line : out.lines()) told += line.starts_with("acceptor 1");
    const auto seldom = std::chrono::milliseconds(app::story::seldom_ms);
    EXPECT_LE(told, 1 + (Clock::now() - start) / seldom);
    EXPECT_GE(told, 1);

    // But not never: told again when its time has passed.
    const auto until = Clock::now() + 10 * seldom;
    std::vector<std::string> again;
    while (again.empty() && Clock::now() < until) {
        app::tell_seldom({"acceptor", 2}, events::cannot_start_thread, "no more");
        again = out.lines();
        std::this_thread::yield();
    }
    EXPECT_THAT(again, ElementsAre("acceptor 2 cannot start a thread: no more"));
}

TEST_F(StoryTest, LinesOfSeveralThreadsDoNotMix) {
    std::vector<std::thread> threads;
    for (std::uint64_t number = 1; number <= 4; ++number) {
        threads.emplace_back([number] {
            for (int i = 0; i < 100; ++i) app::tell({"client", number}, events::waits_for_data);
        });
    }
    for (auto& thread : threads) thread.join();
    const auto lines = out.lines();
    EXPECT_THAT(lines, SizeIs(400));
    for (const auto& line : lines) EXPECT_THAT(line, testing::MatchesRegex("client [1-4] waits for data"));
}

TEST_F(StoryTest, AReaderWhoStopsReadingCostsOnePatience) {
    for (const Log log : {Log::text, Log::json}) {
        app::story::open(log);
        constexpr std::uint64_t enough = 20'000;  // several times what a pipe holds
        const auto start = Clock::now();
        for (std::uint64_t number = 1; number <= enough; ++number) app::tell({"client", number}, events::stopped);
        const auto took = Clock::now() - start;
        const auto patience = std::chrono::milliseconds(app::story::patience_ms);
        EXPECT_GE(took, patience);
        EXPECT_LT(took, 2 * patience) << "once, and not for each line";

        const auto before = out.lines();
        app::tell({"client", enough + 1}, events::stopped);
        const auto after = out.lines();
        ASSERT_THAT(after, SizeIs(2)) << "what was left out is counted before the story goes on";
        const auto left_out = std::to_string(enough - before.size());
        if (log == Log::json) {
            EXPECT_EQ(json::parse(after[0]).at("event"), "left_out");
            EXPECT_EQ(std::to_string(json::parse(after[0]).at("lines").as_int64()), left_out);
        } else {
            EXPECT_EQ(after[0], "server left out " + left_out + " lines: stdout was not read");
        }
        app::tell(client, events::stopped);
        EXPECT_THAT(out.lines(), SizeIs(1)) << "and counted once";
    }
}

TEST_F(StoryTest, ASignalDuringTheWaitForAReaderIsNoRoom) {
    struct sigaction action{};
    action.sa_handler = [](int) {};
    sigaction(SIGUSR1, &action, nullptr);
    std::promise<pthread_t> thread;
    auto teller = std::async(std::launch::async, [&] {
        thread.set_value(pthread_self());
        for (int i = 0; i < 20'000; ++i) app::tell(client, events::stopped);
    });
    const auto id = thread.get_future().get();
    // Until it is done, and it never is if one line waits for room that never comes.
    const auto until = Clock::now() + 20s;
    while (teller.wait_for(1ms) != std::future_status::ready && Clock::now() < until) pthread_kill(id, SIGUSR1);
    const bool is_done = teller.wait_for(0s) == std::future_status::ready;
    EXPECT_TRUE(is_done);
    while (teller.wait_for(1ms) != std::future_status::ready) out.lines();
}

TEST_F(StoryTest, AReaderWhoHasGoneEndsNobody) {
    std::signal(SIGPIPE, SIG_IGN);  // as every server does
    out.close_reader();
    const auto start = Clock::now();
    for (int i = 0; i < 1000; ++i) app::tell(client, events::stopped);
    EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(app::story::patience_ms));
}
