#include "net/async_socket.hpp"

#include "unit/asker.hpp"
#include "unit/twins.hpp"

#include <array>
#include <atomic>
#include <future>
#include <thread>

using namespace std::chrono_literals;
using namespace std::string_literals;
using net::Error;
using net::Packet;
using net::tcp;
using twins::read;
using twins::read_all;
using twins::write;

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

class AsyncSocket : public twins::Meeting<twins::Awaiting> {
protected:
    /// 03's serve.
    net::awaitable<void> echo() {
        while (const auto packets = co_await socket->recv_all()) {
            for (const auto packet : *packets) socket->put({packet});
        }
    }
    /// Runs the loop until nothing more is to be done, but for what waits.
    void run_what_is_ready() {
        loop.restart();
        while (loop.poll() > 0) continue;
    }
    void spawn(net::awaitable<void> coroutine) {
        asio::co_spawn(loop, std::move(coroutine),
                       [](const std::exception_ptr& exception) { EXPECT_FALSE(exception); });
    }
};

constexpr std::size_t beyond_all_buffers = 64 << 20;

}  // namespace

// ---- receiving ------------------------------------------------------------------------------------------------------

TEST_F(AsyncSocket, APacketAndItsReplyNeedNoAllocation) {
    meet();
    twins::Asker asker(client);
    const auto serve = [&]() -> net::awaitable<void> {
        while (auto packets = co_await socket->recv_all()) {
            for (const auto packet : *packets) {
                socket->put({"ECHO ", packet});
                asker.served();
            }
        }
    };
    twins::run(loop, serve());
    EXPECT_EQ(asker.allocations_of_the_second_thousand(), 0U);
}

TEST_F(AsyncSocket, AllWholePacketsOfOneReadComeTogether) {
    meet();
    write(client, "one\ntwo\n\nunfinished");
    // The loopback delivers one write as one read.
    std::vector<std::string> seen;
    auto packets = twins::run(loop, socket->recv_all());
    ASSERT_TRUE(packets);
    for (const auto packet : *packets) seen.emplace_back(packet);
    EXPECT_EQ(seen, (std::vector<std::string>{"one\n", "two\n", "\n"}));
    write(client, " no more\n");
    EXPECT_EQ(*recv(), "unfinished no more\n");
}

TEST_F(AsyncSocket, RecvLeavesTheOtherPacketsOfARead) {
    meet();
    write(client, "one\ntwo\nthree\n");
    EXPECT_EQ(*recv(), "one\n");
    const auto packets = twins::run(loop, socket->recv_all());
    ASSERT_TRUE(packets);
    EXPECT_EQ(std::vector(packets->begin(), packets->end()), (std::vector<std::string_view>{"two\n", "three\n"}));
}

TEST_F(AsyncSocket, RepliesToOneReadAreOneWrite) {
    meet();
    write(client, "one\ntwo\nthree\n");
    spawn(echo());
    run_what_is_ready();
    // The loopback delivers one write as one read.
    std::string all(100, '\0');
    all.resize(client.read_some(asio::buffer(all)));
    EXPECT_EQ(all, "one\ntwo\nthree\n");
    client.close();
    run_what_is_ready();
}

TEST_F(AsyncSocket, PacketsOutliveEverythingButTheNextRecv) {
    meet();
    auto listener = twins::listen(loop, {});
    auto other_client = twins::connect(loop, listener);
    auto other = twin.accept(listener).value();
    const std::string large(5000, 'x');
    write(client, "one\n" + large + "\nthree\nunfinished");
    const auto packets = twins::run(loop, socket->recv_all());
    std::vector<std::string_view> seen;
    for (const auto packet : *packets) {
        seen.push_back(packet);
        write(other_client, std::string(10'000, 'y').append("\n"));
        twins::run(loop, other.recv());
        socket->put({packet});
        twins::run(loop, socket->flush());
    }
    EXPECT_EQ(seen, (std::vector<std::string_view>{"one\n", large + "\n", "three\n"}));
    write(client, "\n");
    EXPECT_EQ(*recv(), "unfinished\n");
}

TEST_F(AsyncSocket, OneTurnBringsSoManyPacketsAndNoMore) {
    meet();
    std::atomic<std::uint64_t> turns = 0;
    net::turns = &turns;
    constexpr unsigned all = 2 * net::packets_a_turn + 100;
    write(client, std::string(all, '\n'));
    std::vector<unsigned> batches;
    std::vector<std::uint64_t> turns_before;
    for (unsigned seen = 0; seen < all;) {
        auto packets = twins::run(loop, socket->recv_all());
        ASSERT_TRUE(packets);
        turns_before.push_back(turns);
        batches.push_back(0);
        for (const auto packet : *packets) batches.back() += packet == "\n";
        seen += batches.back();
    }
    net::turns = nullptr;
    EXPECT_EQ(batches, (std::vector<unsigned>{net::packets_a_turn, net::packets_a_turn, 100}));
    EXPECT_EQ(turns_before, (std::vector<std::uint64_t>{1, 2, 3})) << "between them everybody else has their turn";

    // One by one they are counted, too.
    write(client, std::string(net::packets_a_turn + 1, '\n'));
    net::turns = &turns;
    const auto before = turns.load();
    for (unsigned i = 0; i <= net::packets_a_turn; ++i) EXPECT_EQ(*recv(), "\n");
    net::turns = nullptr;
    EXPECT_EQ(turns - before, 2u);
}

TEST_F(AsyncSocket, PacketsBeforeATooLongOneAreDelivered) {
    meet({.max_packet = 5});
    write(client, "one\n123456789\ntwo\n");
    auto packets = twins::run(loop, socket->recv_all());
    ASSERT_TRUE(packets);
    int count = 0;
    for (const auto packet : *packets) {
        EXPECT_EQ(packet, "one\n");
        ++count;
    }
    EXPECT_EQ(count, 1);
    EXPECT_EQ(recv().error(), Error::too_long);
}

TEST_F(AsyncSocket, AThreadDoesOtherThingsWhileItWaits) {
    meet();
    bool done = false;
    boost::asio::post(loop, [&] {
        done = true;
        write(client, "now\n");
    });
    EXPECT_EQ(*recv(), "now\n");
    EXPECT_TRUE(done);
}

// ---- sending --------------------------------------------------------------------------------------------------------

TEST_F(AsyncSocket, APeerThatDoesNotReadIsNotReadEither) {
    meet({.packet = Packet::raw});
    spawn(echo());
    client.non_blocking(true);
    const std::string much(1 << 16, 'x');
    boost::system::error_code error;
    std::size_t sent = 0;
    // Until it takes no more, several times in a row.
    for (int full = 0; full < 10;) {
        const auto size = client.write_some(asio::buffer(much), error);
        sent += size;
        full = size == 0 ? full + 1 : 0;
        run_what_is_ready();
        ASSERT_LT(sent, beyond_all_buffers) << "it reads on and on";
    }
    const auto moved = socket->bytes_moved();
    run_what_is_ready();
    EXPECT_EQ(socket->bytes_moved(), moved);

    // And when it reads, everything comes back.
    auto reader = std::async(std::launch::async, [&] {
        client.non_blocking(false);
        client.shutdown(tcp::socket::shutdown_send);
        return read(client, sent).size();
    });
    loop.restart();
    loop.run_for(twins::deadline);
    EXPECT_EQ(reader.get(), sent);
    EXPECT_EQ(socket->bytes_moved(), 2 * sent);
}

TEST_F(AsyncSocket, WhatHasArrivedIsDeliveredAlthoughNobodyTakesTheReplies) {
    meet();
    constexpr std::size_t all = 2 * net::packets_a_turn + 100;
    std::string lines;
    for (std::size_t i = 0; i < all; ++i) lines += "hello\n";
    write(client, lines);
    client.close();
    std::size_t seen = 0;
    twins::run(loop, [](auto& socket, std::size_t& seen) -> net::awaitable<void> {
        while (const auto packets = co_await socket.recv_all()) {
            for (const auto packet : *packets) {
                socket.put({packet});
                ++seen;
            }
        }
    }(*socket, seen));
    EXPECT_EQ(seen, all);
    EXPECT_NE(socket->why_closed(), Error::closed) << "the replies were lost, and that is what counts";
}

TEST_F(AsyncSocket, OneCoroutineReceivesWhileAnotherOneSends) {
    meet();
    const std::string much(beyond_all_buffers, 'x');
    bool is_sent = false;
    spawn([](auto& socket, auto& much, bool& is_sent) -> net::awaitable<void> {
        socket.put({much, "\n"});
        EXPECT_TRUE(co_await socket.flush());
        is_sent = true;
    }(*socket, much, is_sent));
    write(client, "hello\n");
    spawn([](auto& socket, auto& loop) -> net::awaitable<void> {
        EXPECT_EQ(*co_await socket.recv(), "hello\n") << "although the client reads nothing";
        loop.stop();
    }(*socket, loop));
    loop.restart();
    loop.run_for(twins::deadline);
    EXPECT_FALSE(is_sent);
    auto reader = std::async(std::launch::async, [&] { return read(client, much.size() + 1).size(); });
    loop.restart();
    loop.run_for(twins::deadline);
    EXPECT_EQ(reader.get(), much.size() + 1);
    EXPECT_TRUE(is_sent);
}

TEST_F(AsyncSocket, TelnetsAnswersToAPeerThatDoesNotReadAreBounded) {
    meet();
    const std::string much(beyond_all_buffers, 'x');
    spawn([](auto& socket, auto& much) -> net::awaitable<void> {
        socket.put({much, "\n"});
        EXPECT_TRUE(co_await socket.flush());
    }(*socket, much));
    std::string questions;
    constexpr std::size_t all = 1 << 20;
    for (std::size_t i = 0; i < all; ++i) questions += "\xff\xfd\x01";
    auto asker = std::async(std::launch::async, [&] { write(client, questions + "hello\n"); });
    spawn([](auto& socket, auto& loop) -> net::awaitable<void> {
        EXPECT_EQ(*co_await socket.recv(), "hello\n");
        loop.stop();
    }(*socket, loop));
    loop.restart();
    loop.run_for(twins::deadline);
    asker.get();
    auto reader = std::async(std::launch::async, [&] { return read_all(client).size(); });
    spawn([](auto& socket) -> net::awaitable<void> {
        EXPECT_TRUE(co_await socket.flush());
        socket.shutdown(tcp::socket::shutdown_send);
    }(*socket));
    loop.restart();
    loop.run_for(twins::deadline);
    EXPECT_LE(reader.get(), much.size() + 1 + 65536 + 3) << "they were kept, however many there were";
}

TEST_F(AsyncSocket, AWriterOfItsOwnHoldsNothingOverAWait) {
    meet();
    socket->put({"put\n"});
    std::string bytes(beyond_all_buffers, 'x');
    const std::array halves{asio::const_buffer(bytes.data(), 5),
                            asio::const_buffer(bytes.data() + 5, bytes.size() - 5)};
    auto sent = socket->write_some(halves);
    ASSERT_TRUE(sent);
    std::size_t all = *sent;
    while ((sent = socket->write_some(std::span(halves).last(1)))) all += *sent;
    EXPECT_EQ(sent.error(), asio::error::would_block);
    EXPECT_FALSE(socket->why_closed());
    bytes.assign(bytes.size(), 'y');

    socket->put({"put, too\n"});
    auto reader = std::async(std::launch::async, [&] { return read(client, 4 + all + 9 + 1); });
    do {
        EXPECT_TRUE(twins::run(loop, socket->writable()));
        sent = socket->write_some(std::array{asio::const_buffer(bytes.data(), 1)});
    } while (sent.error() == asio::error::would_block);
    EXPECT_EQ(*sent, 1U);
    EXPECT_TRUE(reader.get() == "put\n" + std::string(all, 'x') + "put, too\ny") << "what was put goes first";
}

TEST_F(AsyncSocket, CloseSendsWhatTheSystemTakes) {
    meet();
    socket->put({"goodbye\n"});
    twin.close(*socket);
    EXPECT_EQ(read_all(client), "goodbye\n");
}

// ---- pausing --------------------------------------------------------------------------------------------------------

TEST_F(AsyncSocket, APauseLastsAsLongAsItsTimer) {
    meet();
    // None of these is a reason to end it: the peer may still want to hear us.
    write(client, "data\n");
    client.send(asio::buffer("!", 1), tcp::socket::message_out_of_band);
    client.shutdown(tcp::socket::shutdown_send);
    const auto start = Clock::now();
    net::Timer timer(loop, 50ms);
    EXPECT_TRUE(twins::run(loop, socket->pause(timer)));
    EXPECT_GE(Clock::now() - start, 50ms);
    EXPECT_EQ(*recv(), "data\n");
}

TEST_F(AsyncSocket, APauseEndsWithTheConnection) {
    meet();
    net::Timer timer(loop, twins::deadline * 2);
    asio::post(loop, [&] { twins::reset(client); });
    EXPECT_FALSE(twins::run(loop, socket->pause(timer)));
    EXPECT_EQ(socket->why_closed(), asio::error::connection_reset);
}

TEST_F(AsyncSocket, APauseEndsWhenItsTimerIsCancelled) {
    meet();
    net::Timer timer(loop, twins::deadline * 2);
    net::Timer soon(loop, 10ms);
    soon.async_wait([&](boost::system::error_code) { timer.cancel(); });
    EXPECT_TRUE(twins::run(loop, socket->pause(timer)));
}

// ---- beginning and ending -------------------------------------------------------------------------------------------

TEST_F(AsyncSocket, AClientThatLeavesAtTheVeryEndOfTheLingerDoesNoHarm) {
    meet({.max_packet = 5});
    write(client, "123456789");
    EXPECT_EQ(recv().error(), Error::too_long);
    boost::asio::co_spawn(
        loop, [](net::AsyncSocket socket) -> net::awaitable<void> { co_await socket.close(); }(std::move(*socket)),
        boost::asio::detached);
    loop.restart();
    loop.poll();
    // This loop is busy with something else for so long that it finds both at once: the client has gone, the time is
    // up.
    std::this_thread::sleep_for(net::linger + 10ms);
    client.close();
    loop.run_for(twins::deadline);
    EXPECT_TRUE(loop.stopped());
}

TEST_F(AsyncSocket, ConnectsAndTellsARefusalFromSilence) {
    auto listener = twins::listen(loop, {});
    const auto port = listener.sockname().port();
    auto connected = twins::run(loop, net::async_connect(loop, "127.0.0.1", port, {}, twins::deadline));
    ASSERT_TRUE(connected);
    auto accepted = listener.accept();
    connected->put({"hello\n"});
    EXPECT_TRUE(twins::run(loop, connected->flush()));
    EXPECT_EQ(*accepted->recv(), "hello\n");
    listener.close();
    EXPECT_EQ(twins::run(loop, net::async_connect(loop, "127.0.0.1", port, {}, twins::deadline)).error(),
              asio::error::connection_refused);

    // A listener whose backlog is full answers nobody.
    auto deaf = twins::listen(loop, {.backlog = 0});
    std::vector<net::AsyncSocket> waiting;
    net::result<net::AsyncSocket> late = boost::system::error_code();
    do {
        late = twins::run(loop, net::async_connect(loop, "127.0.0.1", deaf.sockname().port(), {}, 100ms));
        if (late) waiting.push_back(std::move(*late));
    } while (late && waiting.size() < 10);
    EXPECT_EQ(late.error(), asio::error::timed_out);
}
