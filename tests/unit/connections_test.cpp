#include "03_acceptor_pool/connections.hpp"

#include "unit/twins.hpp"

using namespace std::chrono_literals;
namespace asio = boost::asio;
using net::Error;
using net::tcp;
using pool::Connections;

namespace {

using Clock = std::chrono::steady_clock;

/// Connections whose sessions echo; all in this thread.
class ConnectionsTest : public testing::Test {
protected:
    ConnectionsTest() { app::story::open(app::Log::quiet); }
    ~ConnectionsTest() override { app::story::open(app::Log::text); }

    tcp::socket connect(pool::Place place = {}) {
        auto client = twins::connect(loop, listener);
        auto socket = listener.accept().value();
        asio::co_spawn(loop, echo(connections.add(std::move(socket), {"client", 1}, std::move(place))), asio::detached);
        return client;
    }

    /// Runs until all connections have ended and nothing waits any more.
    bool run_out() {
        loop.restart();
        loop.run_for(twins::deadline);
        return loop.stopped() && sessions == 0;
    }

    net::awaitable<void> echo(Connections::Entry connection) {
        ++sessions;
        while (const auto packet = co_await connection.socket().recv()) {
            connection.socket().put({*packet});
            if (!co_await connection.socket().flush()) break;
        }
        --sessions;
    }

    asio::io_context loop{1};
    net::Listener listener = twins::listen(loop, {.packet = net::Packet::raw});
    Connections connections{loop};
    int sessions = 0;
};

}  // namespace

TEST_F(ConnectionsTest, WhoIsSilentIsSentAwayAndWhoTalksIsNot) {
    auto silent = connect();
    auto talks = connect();
    connections.send_idle_away(200ms);
    // Talks every 20 ms for as long as the silent one is there.
    asio::steady_timer tick(loop);
    bool is_over = false;
    const auto talk = [&]() -> net::awaitable<void> {
        while (sessions > 1 || !is_over) {
            co_await asio::async_write(talks, asio::buffer("x", 1), asio::deferred);
            char echo = 0;
            co_await asio::async_read(talks, asio::buffer(&echo, 1), asio::deferred);
            tick.expires_after(20ms);
            co_await tick.async_wait(asio::deferred);
            if (sessions == 1) is_over = true;
        }
    };
    const auto start = Clock::now();
    twins::run(loop, [&]() -> net::awaitable<void> {
        co_await talk();
        loop.stop();
    }());
    EXPECT_GE(Clock::now() - start, 200ms);
    EXPECT_EQ(sessions, 1) << "the one that talks";
    EXPECT_EQ(twins::read_all(silent), "");
    // Now that one falls silent, too. The look at everybody goes on until stop().
    loop.restart();
    const auto until = Clock::now() + twins::deadline;
    while (sessions > 0 && Clock::now() < until) loop.run_one_for(100ms);
    EXPECT_EQ(sessions, 0);
    connections.stop(1h);
    EXPECT_TRUE(run_out());
}

TEST_F(ConnectionsTest, WhoLeavesGivesThePlaceBack) {
    pool::Places places(loop, 1, pool::Overload::queue);
    auto client = connect(places.try_take());
    EXPECT_FALSE(places.try_take());
    client.close();
    EXPECT_TRUE(run_out());
    EXPECT_TRUE(places.try_take());
}

TEST_F(ConnectionsTest, AtTheEndWhatHasArrivedIsAnswered) {
    auto asked = connect();
    auto idle = connect();
    twins::write(asked, "one\ntwo\n");
    connections.stop(1h);
    EXPECT_TRUE(run_out()) << "an hour was not needed";
    EXPECT_EQ(twins::read_all(asked), "one\ntwo\n");
    EXPECT_EQ(twins::read_all(idle), "");
}

TEST_F(ConnectionsTest, WhoDoesNotFinishIsCutOff) {
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
    ASSERT_EQ(sessions, 1);
    const auto start = Clock::now();
    connections.stop(100ms);
    EXPECT_TRUE(run_out());
    EXPECT_GE(Clock::now() - start, 100ms);
}

TEST_F(ConnectionsTest, WhoComesAfterTheEndIsTreatedTheSame) {
    auto first = connect();
    connections.stop(1h);
    auto late = connect();
    EXPECT_TRUE(run_out());
    EXPECT_EQ(twins::read_all(late), "");
}

TEST_F(ConnectionsTest, WithoutConnectionsTheEndWaitsForNothing) {
    connections.send_idle_away(1h);
    connections.stop(1h);
    const auto start = Clock::now();
    EXPECT_TRUE(run_out());
    EXPECT_LT(Clock::now() - start, twins::deadline / 2);
}
