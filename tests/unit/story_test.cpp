#include "app/events.hpp"
#include "app/faults.hpp"

#include "unit/stdout.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include <algorithm>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <sys/wait.h>

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

constexpr app::Who handler{"handler", 7};

}  // namespace

TEST_F(StoryTest, TextIsTheOriginalsWords) {
    app::story::first_line("127.0.0.1:1234");
    app::tell({"acceptor", 3}, events::waits_for_client);
    app::tell({"acceptor", 3}, events::got_client_connection, "127.0.0.1:50514");
    app::tell(handler, events::got_data_from_client, "hello");
    app::tell({"server"}, events::cuts_off, 3, 5000);
    EXPECT_THAT(out.lines(),
                ElementsAre("Listening on 127.0.0.1:1234", "acceptor 3 waits for client",
                            "acceptor 3 got client connection 127.0.0.1:50514", "handler 7 got data from client hello",
                            "server cuts off 3 clients after 5000 ms"));
}

TEST_F(StoryTest, EachLineIsWrittenAtOnce) {
    EXPECT_EXIT(
        {
            app::tell(handler, events::waits_for_data);
            std::_Exit(out.line() == "handler 7 waits for data" ? 0 : 1);  // without any flush
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
        app::tell(handler, events::got_data_from_client, every_byte.substr(at, 16));
        EXPECT_EQ(object().at("event"), "got_data_from_client");
    }
    app::tell(handler, events::got_data_from_client, R"(","event":"forged"} {field} )");
    EXPECT_EQ(object().at("data"), R"(","event":"forged"} {field} )");
}

TEST_F(StoryTest, QuietIsTheFirstLineOnly) {
    app::story::open(Log::quiet);
    EXPECT_FALSE(app::story::is_told());
    app::story::first_line("127.0.0.1:1234");
    app::tell(handler, events::waits_for_data);
    app::tell_seldom(handler, events::cannot_start_thread, "no more");
    app::tell_data(handler, "hello\n");
    app::tell_closed(handler, net::Error::closed);
    EXPECT_THAT(out.lines(), ElementsAre("Listening on 127.0.0.1:1234"));
    app::story::open(Log::text);
    EXPECT_TRUE(app::story::is_told());
}

TEST_F(StoryTest, UserBytesAreEscapedAndCut) {
    app::tell(handler, events::got_data_from_client, "a\nhandler 8 forged\x1b[2J\0"s);
    EXPECT_EQ(out.line(), "handler 7 got data from client a\\nhandler 8 forged\\x1b[2J\\x00");
    app::tell(handler, events::got_data_from_client, std::string(app::Field::max_shown, 'x'));
    EXPECT_EQ(out.line(), "handler 7 got data from client " + std::string(app::Field::max_shown, 'x'));
    app::tell(handler, events::got_data_from_client, std::string(app::Field::max_shown + 1, 'x'));
    EXPECT_EQ(out.line(),
              "handler 7 got data from client " + std::string(app::Field::max_shown, 'x') + "... (1 bytes more)");
    app::tell(handler, events::got_data_from_client, "{pid} {data}");
    EXPECT_EQ(out.line(), "handler 7 got data from client {pid} {data}") << "values are no sentences";
}

TEST_F(StoryTest, WhatIsForProgramsStandsInJsonOnly) {
    const auto tell = [] {
        app::tell({"server"}, events::started, 4711, "01_naive", "0.1.0");
        app::tell(handler, events::serves, "127.0.0.1:50514");
        app::tell_detail(handler, events::runs_in_loop, 2);
    };
    tell();
    EXPECT_THAT(out.lines(), ElementsAre("server started with pid 4711"));
    app::story::open(Log::quiet);
    tell();
    EXPECT_THAT(out.lines(), IsEmpty());
    app::story::open(Log::json);
    tell();
    const auto lines = out.lines();
    ASSERT_THAT(lines, SizeIs(3));
    const auto started = json::parse(lines[0]).as_object();
    EXPECT_EQ(started.at("pid"), 4711);
    EXPECT_EQ(started.at("program"), "01_naive");
    EXPECT_EQ(started.at("version"), "0.1.0");
    const auto serves = json::parse(lines[1]).as_object();
    EXPECT_EQ(serves.at("event"), "serves");
    EXPECT_EQ(serves.at("peer"), "127.0.0.1:50514");
    EXPECT_EQ(json::parse(lines[2]).as_object().at("loop"), 2);
}

TEST_F(StoryTest, DataIsToldWithoutItsLineEnding) {
    for (const std::string line : {"hello", "hello\n", "hello\r\n"}) {
        app::tell_data(handler, line);
        EXPECT_EQ(out.line(), "handler 7 got data from client hello");
    }
    app::tell_data(handler, "\n\n");
    EXPECT_EQ(out.line(), "handler 7 got data from client \\n") << "one ending, not all";
}

TEST_F(StoryTest, AnEndIsToldWithItsReasonWhereItWasNotTheClientsWish) {
    app::tell_closed(handler, net::Error::closed);
    EXPECT_EQ(out.line(), "handler 7 connection closed");
    app::tell_closed(handler, {});
    EXPECT_EQ(out.line(), "handler 7 connection closed");
    app::tell_closed(handler, boost::asio::error::connection_reset);
    EXPECT_EQ(out.line(), "handler 7 connection lost: connection reset by peer");
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
            for (int i = 0; i < 100; ++i) app::tell({"handler", number}, events::waits_for_data);
        });
    }
    for (auto& thread : threads) thread.join();
    const auto lines = out.lines();
    EXPECT_THAT(lines, SizeIs(400));
    for (const auto& line : lines) EXPECT_THAT(line, testing::MatchesRegex("handler [1-4] waits for data"));
}

TEST_F(StoryTest, AReaderWhoStopsReadingCostsNobodyAnyTime) {
    for (const Log log : {Log::text, Log::json}) {
        app::story::open(log);
        const std::uint64_t enough = log == Log::text ? 100'000 : 20'000;  // more than pipe and queue hold
        auto longest = Clock::duration::zero();
        for (std::uint64_t number = 1; number <= enough; ++number) {
            const auto begin = Clock::now();
            app::tell({"handler", number}, events::stopped);
            longest = std::max(longest, Clock::now() - begin);
        }
        EXPECT_LT(longest, 500ms);

        // What had to wait comes when there is room again, in its order, and so does the number of those left out.
        std::uint64_t last = 0;
        std::uint64_t left_out = 0;
        std::size_t bytes = 0;
        const auto until = Clock::now() + 20s;
        while (left_out == 0 && Clock::now() < until) {
            for (const auto& line : out.lines()) {
                ASSERT_EQ(left_out, 0u) << "the last line";
                bytes += line.size() + 1;
                if (line.find("left") != line.npos) {
                    const auto number = line.find_first_of("0123456789", log == Log::text ? 0 : line.find("lines"));
                    left_out = std::stoull(line.substr(number));
                } else {
                    EXPECT_NE(line.find("handler " + std::to_string(++last)), line.npos) << line;
                }
            }
        }
        EXPECT_GT(bytes, app::story::max_waiting);
        EXPECT_EQ(last + left_out, enough);
        app::tell(handler, events::stopped);
        EXPECT_THAT(out.lines(), SizeIs(1)) << "counted once, and the next line is written at once";
    }
}

TEST_F(StoryTest, WhatWaitsHasAMomentAtTheEnd) {
    int at_its_end[2];
    ASSERT_EQ(::pipe(at_its_end), 0);
    const pid_t program = ::fork();
    if (program == 0) {
        app::story::open(Log::text);
        for (std::uint64_t number = 1; number <= 10'000; ++number) app::tell({"handler", number}, events::stopped);
        std::exit(::write(at_its_end[1], "!", 1) == 1 ? 0 : 1);
    }
    ::close(at_its_end[1]);
    char byte = 0;
    // More waits now than the pipe holds: only from here on somebody reads.
    EXPECT_EQ(::read(at_its_end[0], &byte, 1), 1);
    ::close(at_its_end[0]);
    std::string all;
    const std::string last = "handler 10000 stopped\n";
    for (const auto until = Clock::now() + 20s; !all.ends_with(last) && Clock::now() < until;) all += out.bytes();
    EXPECT_TRUE(all.ends_with(last));
    int status = 0;
    ::waitpid(program, &status, 0);
    EXPECT_TRUE(WIFEXITED(status)) << status;
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(StoryTest, ABatchIsWrittenAtItsEndInPiecesThatAPipeKeepsWhole) {
    {
        const app::story::Batch batch;
        app::tell(handler, events::waits_for_data);
        EXPECT_THAT(out.lines(), IsEmpty());
    }
    EXPECT_THAT(out.lines(), ElementsAre("handler 7 waits for data"));
    const std::string line = "handler 7 waits for data\n";
    const std::size_t fit = PIPE_BUF / line.size();
    {
        const app::story::Batch batch;
        for (std::size_t i = 0; i < fit; ++i) app::tell(handler, events::waits_for_data);
        EXPECT_THAT(out.lines(), IsEmpty());
        app::tell(handler, events::waits_for_data);
        EXPECT_THAT(out.lines(), SizeIs(fit));
    }
    EXPECT_THAT(out.lines(), SizeIs(1));
}

TEST_F(StoryTest, ABatchIsWrittenBeforeAFaultIsObeyed) {
    app::faults::switch_on();
    EXPECT_EXIT(
        {
            const app::story::Batch batch;
            app::tell_data(handler, "!exit 3\n");
            std::thread([this] {
                while (out.lines() != std::vector<std::string>{"handler 7 got data from client !exit 3"}) {
                }
                std::cerr << "its last words came" << std::endl;
                std::_Exit(0);
            }).detach();
            app::faults::obey("!spin");
        },
        testing::ExitedWithCode(0), "its last words came");
    app::faults::are_on = false;
}

TEST_F(StoryTest, AnAnswerOfManyLinesComesInPartsThatAPipeKeepsWhole) {
    std::string text;
    for (int i = 1; i <= 200; ++i) text += "    acceptor-" + std::to_string(i) + "  running \"so far\"\n";
    app::story::show({"server"}, "tree", text);
    std::string shown;
    for (const auto& line : out.lines()) shown += line + "\n";
    EXPECT_EQ(shown, text);

    app::story::open(Log::json);
    app::story::show({"server"}, "tree", text);
    shown.clear();
    const auto events = out.lines();
    EXPECT_GT(events.size(), 1u);
    for (std::size_t i = 0; i < events.size(); ++i) {
        EXPECT_LT(events[i].size(), static_cast<std::size_t>(PIPE_BUF));
        const auto event = json::parse(events[i]).as_object();
        EXPECT_EQ(event.at("event"), "tree");
        EXPECT_EQ(event.at("part").to_number<std::size_t>(), i + 1);
        EXPECT_EQ(event.at("parts").to_number<std::size_t>(), events.size());
        for (const auto& line : event.at("lines").as_array()) shown += json::value_to<std::string>(line) + "\n";
    }
    EXPECT_EQ(shown, text);
}

// O_NONBLOCK on what we were given would be felt by the shell that gave it.
TEST_F(StoryTest, StdoutIsLeftAsItWasForThoseWhoShareIt) {
    const int shared = ::dup(STDOUT_FILENO);
    app::story::open(Log::text);
    EXPECT_EQ(::fcntl(shared, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(STDOUT_FILENO, F_GETFL) & O_NONBLOCK, 0);
    ::close(shared);
}

TEST_F(StoryTest, AReaderWhoHasGoneEndsNobody) {
    std::signal(SIGPIPE, SIG_IGN);  // as every server does
    out.close_reader();
    const auto start = Clock::now();
    for (int i = 0; i < 1000; ++i) app::tell(handler, events::stopped);
    EXPECT_LT(Clock::now() - start, 1s);
}
