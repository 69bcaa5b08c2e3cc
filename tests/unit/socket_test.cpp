#include "net/socket.hpp"

#include "unit/asker.hpp"
#include "unit/twins.hpp"

#include <atomic>
#include <csignal>
#include <future>
#include <random>
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

using Clock = std::chrono::steady_clock;

template <class Twin>
class SocketTest : public twins::Meeting<Twin> {};
TYPED_TEST_SUITE(SocketTest, twins::Both, twins::Names);

}  // namespace

TYPED_TEST(SocketTest, AnswersEverythingAfterTheClientsHalfClose) {
    this->meet();
    write(this->client, "one\r\ntwo\nthree");
    this->client.shutdown(tcp::socket::shutdown_send);
    while (const auto packet = this->recv()) ASSERT_TRUE(this->send({"ECHO ", *packet}));
    EXPECT_EQ(this->socket->why_closed(), Error::closed);
    this->twin.close(*this->socket);
    EXPECT_EQ(read_all(this->client), "ECHO one\r\nECHO two\nECHO three");
}

TYPED_TEST(SocketTest, SpeaksEveryPacketMode) {
    for (const auto& [mode, wire] : {std::pair{Packet::one, "\x03"s},
                                     {Packet::two, "\0\x03"s},
                                     {Packet::four, "\0\0\0\x03"s},
                                     {Packet::raw, ""s}}) {
        this->meet({.packet = mode});
        write(this->client, wire + "a\xff\n");
        EXPECT_EQ(*this->recv(), "a\xff\n");
        ASSERT_TRUE(this->send({"a", "\xff\n"}));
        EXPECT_EQ(read(this->client, wire.size() + 3), wire + "a\xff\n");
    }
}

TYPED_TEST(SocketTest, MuchMoreThanTheSystemsBuffersHoldComesBackUnchanged) {
    this->meet({.packet = Packet::raw});
    std::string bytes(16 << 20, '\0');
    std::mt19937 random(1);
    for (auto& byte : bytes) byte = static_cast<char>(random());
    auto writer = std::async(std::launch::async, [&] {
        write(this->client, bytes);
        this->client.shutdown(tcp::socket::shutdown_send);
    });
    auto reader = std::async(std::launch::async, [&] { return read_all(this->client); });
    while (const auto packet = this->recv()) ASSERT_TRUE(this->send({*packet}));
    this->socket->shutdown(tcp::socket::shutdown_send);
    EXPECT_TRUE(reader.get() == bytes);
}

TYPED_TEST(SocketTest, APeersResetIsAnErrorAndNoEnd) {
    this->meet();
    write(this->client, "unfinished");
    twins::reset(this->client);
    EXPECT_EQ(this->recv().error(), boost::asio::error::connection_reset);
    EXPECT_EQ(this->socket->why_closed(), boost::asio::error::connection_reset);
}

TYPED_TEST(SocketTest, SendingToNobodyIsAnErrorAndNoSignal) {
    std::signal(SIGPIPE, SIG_DFL);
    this->meet();
    this->client.close();
    net::result<void> sent;
    // The first ones may still be taken; the reset comes back sooner or later.
    const auto until = Clock::now() + twins::deadline;
    while (sent && Clock::now() < until) sent = this->send({"hello\n"});
    ASSERT_FALSE(sent);
    EXPECT_EQ(this->socket->why_closed(), sent.error());
}

TYPED_TEST(SocketTest, AnEndInsideAFrameIsCutShort) {
    this->meet({.packet = Packet::two});
    write(this->client, "\0\x05hel"s);
    this->client.close();
    EXPECT_EQ(this->recv().error(), Error::cut_short);
    EXPECT_EQ(this->socket->why_closed(), Error::cut_short);
}

TYPED_TEST(SocketTest, TelnetIsAnsweredWhileWaiting) {
    this->meet();
    // As telnet sends ^C: with urgent data, which must not leave a hole in the stream.
    write(this->client, "\xff\xf4\xff");
    this->client.send(boost::asio::buffer("\xf2", 1), tcp::socket::message_out_of_band);
    write(this->client, "\xff\xfd\x06");
    auto answer = std::async(std::launch::async, [&] {
        auto bytes = read(this->client, 3);
        write(this->client, "hello\r\n");
        return bytes;
    });
    EXPECT_EQ(*this->recv(), "hello\r\n");
    EXPECT_EQ(answer.get(), "\xff\xfc\x06");
}

TYPED_TEST(SocketTest, TelnetsAnswersGoOutBeforeTheReplies) {
    this->meet();
    write(this->client, "one\n\xff\xfd\x01two\xff\xff\n\xff\xfb\x03");
    this->client.shutdown(tcp::socket::shutdown_send);
    while (const auto packet = this->recv()) this->put({*packet});
    this->twin.close(*this->socket);
    EXPECT_EQ(read_all(this->client),
              "\xff\xfc\x01\xff\xfe\x03"
              "one\ntwo\xff\xff\n");
}

TYPED_TEST(SocketTest, RecvSendsWhatWasPutBeforeItWaits) {
    this->meet();
    for (const std::string question : {"first\n", "second\n", "third\n"}) {
        this->put({"What is your name, ", question});
        auto answer = std::async(std::launch::async, [&] {
            auto seen = read(this->client, 19 + question.size());
            write(this->client, "Michael\n");
            return seen;
        });
        EXPECT_EQ(*this->recv(), "Michael\n");
        EXPECT_EQ(answer.get(), "What is your name, " + question);
    }
}

TYPED_TEST(SocketTest, WhatWasPutIsSentWhenRecvSaysClosed) {
    this->meet();
    this->client.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(this->recv().error(), Error::closed);
    this->put({"one\n"});
    this->put({"two\n"});
    EXPECT_EQ(this->recv().error(), Error::closed);
    EXPECT_EQ(read(this->client, 8), "one\ntwo\n");
}

TYPED_TEST(SocketTest, ThePiecesOfWhatWasPutMayGo) {
    this->meet();
    std::string reply(10'000, 'x');
    this->put({"ECHO ", reply, "\n"});
    const std::string expected = "ECHO " + reply + "\n";
    reply.assign(reply.size(), '?');
    write(this->client, "next\n");
    EXPECT_EQ(*this->recv(), "next\n");
    EXPECT_EQ(read(this->client, expected.size()), expected);
}

TYPED_TEST(SocketTest, WhatHasArrivedIsDeliveredAlthoughNobodyTakesTheReplies) {
    this->meet();
    constexpr int all = 600;
    std::string lines;
    for (int i = 0; i < all; ++i) lines += "hello\n";
    write(this->client, lines);
    this->client.close();
    int seen = 0;
    while (this->recv()) {
        ++seen;
        (void)this->send({"ECHO hello\n"});
    }
    EXPECT_EQ(seen, all);
    EXPECT_NE(this->socket->why_closed(), Error::closed) << "the replies were lost, and that is what counts";
}

TYPED_TEST(SocketTest, TheFirstReasonIsTheTrueOne) {
    this->meet();
    twins::reset(this->client);
    EXPECT_EQ(this->recv().error(), boost::asio::error::connection_reset);
    EXPECT_FALSE(this->send({"nobody hears it\n"}));
    EXPECT_FALSE(this->recv());
    EXPECT_EQ(this->socket->why_closed(), boost::asio::error::connection_reset);
}

TYPED_TEST(SocketTest, APacketOutlivesOtherSocketsReads) {
    auto listener = twins::listen(this->loop, {});
    auto other_client = twins::connect(this->loop, listener);
    auto other = this->twin.accept(listener).value();
    this->meet();
    const std::string large(3000, 'x');
    for (const auto& packet : {"short\n"s, large + "\n"}) {
        write(this->client, packet + "unfinished");
        const auto got = this->twin.recv(*this->socket);
        ASSERT_TRUE(got);
        const std::string sent = std::string(5000, 'y') + "\n";
        write(other_client, sent);
        EXPECT_EQ(*this->twin.recv(other), sent);
        EXPECT_EQ(*got, packet);
        write(this->client, "\n");
        EXPECT_EQ(*this->recv(), "unfinished\n");
    }
}

TYPED_TEST(SocketTest, ShutdownWakesWhoeverWaitsForData) {
    this->meet();
    auto waker = std::async(std::launch::async, [&] {
        read(this->client, 3);  // the other side waits now, or is about to: both must end
        this->socket->shutdown(tcp::socket::shutdown_receive);
    });
    write(this->client, "\xff\xfd\x06");
    EXPECT_EQ(this->recv().error(), Error::closed);
    waker.get();
}

TYPED_TEST(SocketTest, WhatHasArrivedBeforeAShutdownIsDelivered) {
    this->meet();
    write(this->client, "one\ntwo\n");
    EXPECT_EQ(*this->recv(), "one\n");
    this->socket->shutdown(tcp::socket::shutdown_receive);
    EXPECT_EQ(*this->recv(), "two\n");
    EXPECT_EQ(this->recv().error(), Error::closed);
    EXPECT_TRUE(this->send({"bye\n"})) << "the other direction stays open";
    EXPECT_EQ(read(this->client, 4), "bye\n");
}

TYPED_TEST(SocketTest, ShutdownWakesWhoeverWaitsForAReaderThatNeverReads) {
    this->meet({.packet = Packet::raw});
    auto waker = std::async(std::launch::async, [&] {
        read(this->client, 1);  // the other side is sending now
        this->socket->shutdown(tcp::socket::shutdown_both);
    });
    const std::string much(64 << 20, 'x');  // beyond what any system buffers
    EXPECT_FALSE(this->send({much}));
    waker.get();
}

// ---- ending ---------------------------------------------------------------------------------------------------------

TYPED_TEST(SocketTest, WhoSentTooLongALineGetsToReadWhy) {
    this->meet({.max_packet = 100});
    // Far more than is ever read by recv: closing now would reset the connection and destroy the message.
    auto sent = std::async(std::launch::async, [&] { write(this->client, std::string(1 << 20, 'x')); });
    EXPECT_EQ(this->recv().error(), Error::too_long);
    auto seen = std::async(std::launch::async, [&] {
        sent.get();
        auto last_words = read_all(this->client);
        this->client.close();
        return last_words;
    });
    this->twin.close(*this->socket);
    EXPECT_EQ(seen.get(), "ERROR line longer than 100 bytes\r\n");
}

TYPED_TEST(SocketTest, WhoSendsTooLongALineForEverIsLeft) {
    this->meet({.max_packet = 100});
    auto sender = std::async(std::launch::async, [&] {
        const std::string much(1 << 16, 'x');
        boost::system::error_code error;
        while (!error) boost::asio::write(this->client, boost::asio::buffer(much), error);
    });
    EXPECT_EQ(this->recv().error(), Error::too_long);
    const auto start = Clock::now();
    this->twin.close(*this->socket);
    EXPECT_GE(Clock::now() - start, net::linger / 2);
    EXPECT_LE(Clock::now() - start, net::linger + 5s);
    sender.get();
}

TYPED_TEST(SocketTest, ClosingWaitsForNobodyElse) {
    this->meet();
    write(this->client, "never read");
    const auto start = Clock::now();
    this->twin.close(*this->socket);
    EXPECT_LT(Clock::now() - start, net::linger / 2);
    EXPECT_EQ(this->socket->peername(), "not connected");
}

TYPED_TEST(SocketTest, FramesHaveNoWordsForAnError) {
    this->meet({.packet = Packet::two, .max_packet = 3});
    write(this->client, "\0\x04"s);
    EXPECT_EQ(this->recv().error(), Error::too_long);
    auto seen = std::async(std::launch::async, [&] {
        auto bytes = read_all(this->client);
        this->client.close();
        return bytes;
    });
    this->twin.close(*this->socket);
    EXPECT_EQ(seen.get(), "");
}

TYPED_TEST(SocketTest, RefuseSaysWhyAndWaitsForNobody) {
    this->meet();
    write(this->client, "hello\n");
    const auto start = Clock::now();
    this->socket->refuse("no room, try again later");
    EXPECT_LT(Clock::now() - start, net::linger / 2);
    EXPECT_EQ(read_all(this->client), "ERROR no room, try again later\r\n");

    this->meet({.packet = Packet::four});
    this->socket->refuse("no room");
    EXPECT_EQ(read_all(this->client), "");
}

TYPED_TEST(SocketTest, KnowsItsPeer) {
    this->meet();
    EXPECT_EQ(this->socket->peername(), net::to_string(this->client.local_endpoint()));
}

// ---- the blocking one alone
// ----------------------------------------------------------------------------------------------

using BlockingSocket = SocketTest<twins::Blocking>;

TEST_F(BlockingSocket, ASignalThatSomebodyHandlesEndsNoConnection) {
    static std::atomic<int> handled;
    handled = 0;
    struct sigaction action{};
    action.sa_handler = [](int) { ++handled; };  // without SA_RESTART
    sigaction(SIGUSR1, &action, nullptr);
    meet();
    std::promise<pthread_t> thread;
    auto line = std::async(std::launch::async, [&] {
        thread.set_value(pthread_self());
        return recv();
    });
    const auto receiver = thread.get_future().get();
    // One of them at the least meets it in the middle of recv(2).
    for (int i = 0; i < 50; ++i) {
        pthread_kill(receiver, SIGUSR1);
        while (handled <= i) std::this_thread::yield();
        if (line.wait_for(1ms) == std::future_status::ready) break;
    }
    write(client, "hello\n");
    const auto got = line.get();
    ASSERT_TRUE(got) << got.error().message();
    EXPECT_EQ(*got, "hello\n");
}

TEST_F(BlockingSocket, APacketAndItsReplyNeedNoAllocation) {
    meet();
    twins::Asker asker(client);
    while (const auto packet = socket->recv()) {
        ASSERT_TRUE(socket->send({"ECHO ", *packet}));
        asker.served();
    }
    EXPECT_EQ(asker.allocations_of_the_second_thousand(), 0U);
}

TEST_F(BlockingSocket, RecvWaitsNoLongerThanItIsTold) {
    meet();
    EXPECT_EQ(socket->recv(50ms).error(), boost::asio::error::timed_out);
    write(client, "hel");
    EXPECT_EQ(socket->recv(50ms).error(), boost::asio::error::timed_out);
    write(client, "lo\n");
    EXPECT_EQ(*socket->recv(twins::deadline), "hello\n") << "and nothing is lost by that";
}

// ---- names ----------------------------------------------------------------------------------------------------------

TEST(Addresses, AreShownAsPeopleWriteThem) {
    EXPECT_EQ(net::host_and_port("localhost", 1234), "localhost:1234");
    EXPECT_EQ(net::host_and_port("::1", 1), "[::1]:1");
    EXPECT_EQ(net::to_string(tcp::endpoint(boost::asio::ip::make_address("127.0.0.1"), 65535)), "127.0.0.1:65535");
    EXPECT_EQ(net::to_string(tcp::endpoint(boost::asio::ip::make_address("::1"), 80)), "[::1]:80");
}
