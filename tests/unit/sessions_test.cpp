#include "03_acceptor_pool/sessions.hpp"

#include "unit/twins.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;
using net::Error;
using net::tcp;
using pool::Sessions;

namespace {

using Clock = std::chrono::steady_clock;

/// Sessions that echo; all in this thread.
class SessionsTest : public testing::Test {
protected:
    SessionsTest() { app::story::open(app::Log::quiet); }
    ~SessionsTest() override { app::story::open(app::Log::text); }

    tcp::socket connect(pool::Permit permit = {}) {
        auto client = twins::connect(loop, listener);
        auto socket = twins::run(door, listener.async_accept(loop)).value();
        asio::co_spawn(loop, echo(sessions.add({std::move(socket), {"handler", 1}}, std::move(permit))),
                       asio::detached);
        return client;
    }

    /// Runs until all sessions have ended and nothing waits any more.
    bool run_out() {
        loop.restart();
        loop.run_for(twins::deadline);
        return loop.stopped() && live == 0;
    }

    net::awaitable<void> echo(Sessions::Entry session) {
        ++live;
        while (const auto packet = co_await session.client().socket().recv()) session.client().put({*packet});
        --live;
    }

    asio::io_context loop{1};
    asio::io_context door{1};  // of its own: accepting does not wait for what the sessions wait for
    net::Listener listener = twins::listen(door, {.packet = net::Packet::raw});
    Sessions sessions{loop};
    int live = 0;
};

}  // namespace

TEST_F(SessionsTest, WhoIsSilentIsSentAwayAndWhoTalksIsNot) {
    auto silent = connect();
    auto talks = connect();
    sessions.send_idle_away(200ms);
    // Talks every 20 ms for as long as the silent one is there.
    asio::steady_timer tick(loop);
    bool is_over = false;
    const auto talk = [&]() -> net::awaitable<void> {
        while (live > 1 || !is_over) {
            co_await asio::async_write(talks, asio::buffer("x", 1), asio::deferred);
            char echo = 0;
            co_await asio::async_read(talks, asio::buffer(&echo, 1), asio::deferred);
            tick.expires_after(20ms);
            co_await tick.async_wait(asio::deferred);
            if (live == 1) is_over = true;
        }
    };
    const auto start = Clock::now();
    twins::run(loop, [&]() -> net::awaitable<void> {
        co_await talk();
        loop.stop();
    }());
    EXPECT_GE(Clock::now() - start, 200ms);
    EXPECT_EQ(live, 1) << "the one that talks";
    EXPECT_EQ(twins::read_all(silent), "");
    // Now that one falls silent, too. The look at everybody goes on until stop().
    loop.restart();
    const auto until = Clock::now() + twins::deadline;
    while (live > 0 && Clock::now() < until) loop.run_one_for(100ms);
    EXPECT_EQ(live, 0);
    sessions.stop(1h);
    EXPECT_TRUE(run_out());
}

TEST_F(SessionsTest, WhoLeavesGivesThePermitBack) {
    pool::ConnectionLimit limit(loop, 1, pool::Overload::queue);
    auto client = connect(limit.try_acquire());
    EXPECT_FALSE(limit.try_acquire());
    client.close();
    EXPECT_TRUE(run_out());
    EXPECT_TRUE(limit.try_acquire());
}

TEST_F(SessionsTest, AtTheEndWhatHasArrivedIsAnswered) {
    auto asked = connect();
    auto idle = connect();
    twins::write(asked, "one\ntwo\n");
    sessions.stop(1h);
    EXPECT_TRUE(run_out()) << "an hour was not needed";
    EXPECT_EQ(twins::read_all(asked), "one\ntwo\n");
    EXPECT_EQ(twins::read_all(idle), "");
}

TEST_F(SessionsTest, WhoDoesNotFinishIsCutOff) {
    auto never_reads = connect();
    // Until neither side's system takes any more: the session is stuck in its reply.
    const std::string much(1 << 20, 'x');
    never_reads.non_blocking(true);
    const auto until = Clock::now() + twins::deadline;
    for (int full = 0; full < 50 && Clock::now() < until;) {
        boost::system::error_code error;
        never_reads.write_some(asio::buffer(much), error);
        full = error == asio::error::would_block ? full + 1 : 0;
        loop.restart();
        loop.run_for(1ms);
    }
    ASSERT_EQ(live, 1);
    const auto start = Clock::now();
    sessions.stop(100ms);
    EXPECT_TRUE(run_out());
    EXPECT_GE(Clock::now() - start, 100ms);
}

TEST_F(SessionsTest, WhoComesAfterTheEndIsTreatedTheSame) {
    auto first = connect();
    sessions.stop(1h);
    auto late = connect();
    EXPECT_TRUE(run_out());
    EXPECT_EQ(twins::read_all(late), "");
}

TEST_F(SessionsTest, WhoComesAfterAnEndWithNobodyThereIsCutOffInTime) {
    auto client = twins::connect(loop, listener);
    auto socket = twins::run(door, listener.async_accept(loop)).value();
    sessions.stop(100ms);
    const auto start = Clock::now();
    bool was_cut_off = false;
    const auto busy = [&](Sessions::Entry session) -> net::awaitable<void> {
        net::Timer for_long(loop, twins::deadline / 2);
        was_cut_off = !co_await session.client().socket().pause(for_long);
    };
    asio::co_spawn(loop, busy(sessions.add({std::move(socket), {"handler", 1}}, {})), asio::detached);
    EXPECT_TRUE(run_out());
    EXPECT_TRUE(was_cut_off);
    EXPECT_GE(Clock::now() - start, 100ms);
}

TEST_F(SessionsTest, WhatWasPutBeforeAnExceptionIsSent) {
    auto client = twins::connect(loop, listener);
    auto socket = twins::run(door, listener.async_accept(loop)).value();
    const auto breaks = [](Sessions::Entry session) -> net::awaitable<void> {
        session.client().put({"one\n"});
        throw std::runtime_error("broken");
        co_return;
    };
    bool has_thrown = false;
    asio::co_spawn(loop, breaks(sessions.add({std::move(socket), {"handler", 1}}, {})),
                   [&](const std::exception_ptr& exception) { has_thrown = exception != nullptr; });
    EXPECT_TRUE(run_out());
    EXPECT_TRUE(has_thrown);
    EXPECT_EQ(twins::read_all(client), "one\n");
}

TEST_F(SessionsTest, WithoutSessionsTheEndWaitsForNothing) {
    sessions.send_idle_away(1h);
    sessions.stop(1h);
    const auto start = Clock::now();
    EXPECT_TRUE(run_out());
    EXPECT_LT(Clock::now() - start, twins::deadline / 2);
}
