#include "03_acceptor_pool/pool.hpp"

#include "unit/twins.hpp"

#include <atomic>
#include <future>
#include <stdexcept>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using net::tcp;
using pool::Overload;

namespace {

using Clock = std::chrono::steady_clock;

/// A pool in threads of its own, listening on a free port.
class Running {
public:
    explicit Running(const pool::Options& options, const net::SocketOptions& socket = {})
        : pool(options, "ECHO ", [&](asio::io_context& loop) { return twins::listen(loop, socket); }),
          address(pool.listener().sockname()) {}

    void start() {
        pool.start([this] { deaf = true; });
        for (auto& loop : pool.loops()) threads_.push_back(std::async(std::launch::async, [&] { loop->run(); }));
    }

    /// Whether all loops end by themselves, as they must after stop().
    bool end() {
        pool.stop();
        for (auto& thread : threads_) {
            if (thread.wait_for(twins::deadline) == std::future_status::ready) continue;
            for (auto& loop : pool.loops()) loop->context.stop();
            return false;
        }
        return true;
    }

    tcp::socket connect() {
        tcp::socket client(loop_);
        client.connect(address);
        return client;
    }

    pool::Pool pool;
    const tcp::endpoint address;
    std::atomic<bool> deaf = false;

private:
    asio::io_context loop_;
    std::vector<std::future<void>> threads_;
};

pool::Options options(unsigned acceptors, unsigned threads) {
    pool::Options options;
    options.acceptors = acceptors;
    options.threads = threads;
    return options;
}

void expect_echo(tcp::socket& client, const std::string& words = "hello\n") {
    twins::write(client, words);
    EXPECT_EQ(twins::read(client, words.size() + 5), "ECHO " + words);
}

bool has_answer(tcp::socket& client, std::chrono::milliseconds patience) {
    pollfd readable{client.native_handle(), POLLIN, 0};
    return ::poll(&readable, 1, static_cast<int>(patience.count())) > 0;
}

class PoolTest : public testing::Test {
protected:
    PoolTest() { app::story::open(app::Log::quiet); }
    ~PoolTest() override { app::story::open(app::Log::text); }
};

}  // namespace

TEST_F(PoolTest, ServesManyClientsAtOnceOverSeveralLoops) {
    Running server(options(4, 3));
    server.start();
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 50; ++i) clients.push_back(server.connect());
    for (auto& client : clients) expect_echo(client);
    for (auto& client : clients) expect_echo(client, "again\r\n");
    EXPECT_TRUE(server.end());
    for (auto& client : clients) EXPECT_EQ(twins::read_all(client), "");
}

TEST_F(PoolTest, AnAcceptorThatThrowsLeavesTheOthersAcceptingAndItsPermitFree) {
    auto limited = options(3, 2);
    limited.max_connections = 3;
    Running server(limited);
    std::atomic<int> crashes = 0;
    server.pool.set_up = [&](std::uint64_t number, net::AsyncSocket&) -> net::awaitable<void> {
        if (number == 1 || number == 2) {
            ++crashes;
            throw std::runtime_error("set-up failed");
        }
        co_return;
    };
    server.start();
    // Each of the two ends with the first client it gets; that client is closed.
    std::vector<tcp::socket> served;
    while (served.size() < 3) {
        auto client = server.connect();
        boost::system::error_code error;
        asio::write(client, asio::buffer("hello\n", 6), error);
        char bytes[11];
        asio::read(client, asio::buffer(bytes), error);
        // With both dead, three clients fit only if both permits came back.
        if (!error) served.push_back(std::move(client));
        ASSERT_LE(crashes, 2);
    }
    EXPECT_EQ(crashes, 2);
    EXPECT_FALSE(server.deaf);
    for (auto& client : served) expect_echo(client);
    EXPECT_TRUE(server.end());
}

TEST_F(PoolTest, WhenEveryAcceptorHasDiedItIsSaid) {
    Running server(options(2, 1));
    server.pool.set_up = [](std::uint64_t, net::AsyncSocket&) -> net::awaitable<void> {
        throw std::runtime_error("set-up failed");
        co_return;
    };
    server.start();
    auto first = server.connect();
    EXPECT_TRUE(has_answer(first, twins::deadline)) << "it is closed";
    EXPECT_FALSE(server.deaf);
    auto second = server.connect();
    EXPECT_TRUE(twins::becomes([&] { return server.deaf.load(); }));
    EXPECT_TRUE(server.end());
}

TEST_F(PoolTest, AnEndThatWasAskedForIsNoDeafness) {
    Running server(options(2, 2));
    server.start();
    EXPECT_TRUE(server.end());
    EXPECT_FALSE(server.deaf);
    EXPECT_THROW(server.connect(), boost::system::system_error) << "the port is free";
}

TEST_F(PoolTest, OneTooManyWaitsUntilAnotherLeaves) {
    auto limited = options(4, 2);
    limited.max_connections = 2;
    Running server(limited);
    server.start();
    auto first = server.connect();
    auto second = server.connect();
    expect_echo(first);
    expect_echo(second);
    auto third = server.connect();
    twins::write(third, "hello\n");
    EXPECT_FALSE(has_answer(third, 100ms));
    first.close();
    EXPECT_EQ(twins::read(third, 11), "ECHO hello\n");
    EXPECT_TRUE(server.end()) << "acceptors that wait for a permit must end, too";
}

TEST_F(PoolTest, OneTooManyIsRejectedWithAWord) {
    auto limited = options(4, 2);
    limited.max_connections = 2;
    limited.overload = Overload::reject;
    Running server(limited);
    server.start();
    auto first = server.connect();
    auto second = server.connect();
    expect_echo(first);
    expect_echo(second);
    auto third = server.connect();
    EXPECT_EQ(twins::read_all(third), "ERROR too many clients, try again later\r\n");
    expect_echo(first);
    second.close();
    // Its permit is free as soon as the server has seen it leave.
    EXPECT_TRUE(twins::becomes([&] {
        auto next = server.connect();
        boost::system::error_code error;
        asio::write(next, asio::buffer("hello\n", 6), error);
        std::string bytes(11, '\0');
        asio::read(next, asio::buffer(bytes), error);
        return bytes == "ECHO hello\n";
    }));
    EXPECT_TRUE(server.end());
}

TEST_F(PoolTest, SetUpsOfSeveralAcceptorsOverlap) {
    Running server(options(4, 1));
    int now = 0, most = 0;
    server.pool.set_up = [&](std::uint64_t number, net::AsyncSocket&) -> net::awaitable<void> {
        most = std::max(most, ++now);
        while (most < 4) co_await server.pool.wait(number, 1ms);
        --now;
    };
    server.start();
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 4; ++i) clients.push_back(server.connect());
    for (auto& client : clients) expect_echo(client);
    EXPECT_TRUE(server.end());
    EXPECT_EQ(most, 4);
}

TEST_F(PoolTest, ASetUpThatReceivesLeavesTheAcceptorInItsLoop) {
    Running server(options(1, 2));
    std::atomic<int> strayed = 0;
    server.pool.set_up = [&](std::uint64_t, net::AsyncSocket& socket) -> net::awaitable<void> {
        EXPECT_TRUE(co_await socket.recv());
        if (!server.pool.loops().front()->context.get_executor().running_in_this_thread()) ++strayed;
    };
    server.start();
    std::vector<tcp::socket> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(server.connect());
        twins::write(clients.back(), "password\n");
        expect_echo(clients.back());
    }
    EXPECT_EQ(strayed, 0);
    EXPECT_TRUE(server.end());
}

TEST_F(PoolTest, WhoIsBeingSetUpAtTheEndIsAnsweredAndLeavesNothingBehind) {
    // The set-up ends because the pool stops; by then every loop but the first has nothing else to do.
    for (int round = 0; round < 20; ++round) {
        auto slow = options(4, 4);
        slow.setup_ms = 60'000;
        slow.shutdown_timeout = 10s;
        Running server(slow);
        std::atomic<int> in_set_up = 0;
        server.pool.set_up = [&, set_up = server.pool.set_up](std::uint64_t number,
                                                              net::AsyncSocket& socket) -> net::awaitable<void> {
            ++in_set_up;
            co_await set_up(number, socket);
        };
        server.start();
        std::vector<tcp::socket> clients;
        for (int i = 0; i < 4; ++i) {
            clients.push_back(server.connect());
            twins::write(clients.back(), "hello\n");
        }
        ASSERT_TRUE(twins::becomes([&] { return in_set_up == 4; }));
        ASSERT_TRUE(server.end());
        for (auto& client : clients) ASSERT_EQ(twins::read_all(client), "ECHO hello\n");
    }
}

TEST_F(PoolTest, IdleClientsAreSentAwayWhereThatIsWanted) {
    auto impatient = options(1, 2);
    impatient.idle_timeout = 50ms;
    Running server(impatient);
    server.start();
    auto first = server.connect();
    auto second = server.connect();
    EXPECT_EQ(twins::read_all(first), "");
    EXPECT_EQ(twins::read_all(second), "");
    EXPECT_TRUE(server.end());
}

TEST_F(PoolTest, AnExceptionInASessionCostsThatSessionOnly) {
    // An echo that does not fit its header is a std::length_error.
    Running server(options(1, 1), {.packet = net::Packet::one});
    server.start();
    auto unlucky = server.connect();
    auto lucky = server.connect();
    twins::write(unlucky, "\xff" + std::string(255, 'x'));
    EXPECT_EQ(twins::read_all(unlucky), "");
    twins::write(lucky, "\x01x");
    EXPECT_EQ(twins::read(lucky, 7),
              "\x06"
              "ECHO x");
    EXPECT_TRUE(server.end());
}

TEST_F(PoolTest, EachClientIsANewOneToItsLoop) {
    Running server(options(1, 3));
    auto& first = server.pool.next_loop();
    auto& second = server.pool.next_loop();
    auto& third = server.pool.next_loop();
    EXPECT_TRUE(&first != &second && &second != &third && &third != &first);
    EXPECT_EQ(&server.pool.next_loop(), &first) << "in turn";
}
