// Clients that misbehave: they get a clear line where their protocol has one, cost bounded memory, and harm nobody
// else.

#include "stages/stage.hpp"

namespace stages {
namespace {

class BadClients : public EveryStage {
protected:
    /// Nobody is harmed: others are served while the bad client is there, or after it has left in 01.
    static void expect_others_are_served(const Server& server, Client& bad_client) {
        if (serves_one_at_a_time()) bad_client.close();
        expect_served(server.port());
    }
};
INSTANTIATE_TEST_SUITE_P(Stage, BadClients, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

class BadClientsAmongOthers : public ConcurrentStage {};
INSTANTIATE_TEST_SUITE_P(Stage, BadClientsAmongOthers, testing::Values(thread_per_client, acceptor_pool), name_of);

/// A server may keep so much for one client, besides what it uses anyway.
constexpr std::size_t bounded_memory = support::sanitized ? 64 << 20 : 8 << 20;

TEST_P(BadClients, ALineOverTheLimitGetsAClearErrorThenTheEnd) {
    Server server(stage(), {"--max-packet", "100"});
    for (const auto& too_long :
         {std::string(101, 'x') + "\r\n", std::string(102, 'x'), std::string(5000, 'x') + "\n"}) {
        Client client(server.port());
        client.send("before\n" + too_long);
        EXPECT_EQ(client.recv_until_close(), "ECHO before\nERROR line longer than 100 bytes\r\n");
        expect_others_are_served(server, client);
    }
    server.wait_for_line("connection lost: packet too long", 3);
}

TEST_P(BadClients, AnEndlessLineGetsItsErrorAndIsNotKept) {
    Server server(stage());
    const auto before = server.process().resident_bytes();
    Client client(server.port());
    // Over the limit many times, all of it sent before the answer is read: a reset would destroy the answer.
    client.send(std::string(10 << 20, 'x'));
    EXPECT_EQ(client.recv_until_close(), "ERROR line longer than 65536 bytes\r\n");
    EXPECT_LT(server.process().resident_bytes(), before + bounded_memory);
    expect_others_are_served(server, client);
}

TEST_P(BadClients, WhoGoesOnAfterTheErrorIsCutOff) {
    const Server server(stage(), {"--max-packet", "100"});
    Client client(server.port());
    client.send(std::string(200, 'x'));
    EXPECT_EQ(client.recv_until_close(), "ERROR line longer than 100 bytes\r\n");
    // We keep our side open; the server lets go of it nevertheless.
    EXPECT_TRUE(support::eventually([&] {
        try {
            client.send("more");
            return false;
        } catch (const support::Failure&) {
            return true;
        }
    }));
    expect_served(server.port());
}

TEST_P(BadClients, WhoFloodsAfterTheErrorIsCutOffAndStopsNobody) {
    const Server server(stage(),
                        stage() == acceptor_pool ? std::vector{"--threads"s, "1"s} : std::vector<std::string>());
    std::vector<std::thread> flood;
    const int number = serves_one_at_a_time() ? 1 : 4;
    std::atomic<int> flooding = number;
    for (int i = 0; i < number; ++i) {
        flood.emplace_back([&] {
            Client client(server.port());
            const std::string bytes(1 << 20, 'x');
            try {
                for (;;) client.send(bytes);
            } catch (const support::Failure& cut_off) {
                EXPECT_THAT(cut_off.what(), StartsWith("could not send: "));
            }
            --flooding;
        });
    }
    // In 01 others wait until it is over, which is its lesson.
    expect_served(server.port());
    const bool answered_meanwhile = flooding > 0;
    EXPECT_TRUE(answered_meanwhile || serves_one_at_a_time());
    for (auto& one : flood) one.join();
    expect_served(server.port());
}

TEST_P(BadClients, AFrameOverTheLimitIsTheEnd) {
    for (const auto& [packet, frame] :
         {std::pair("1"s, framed(1, std::string(101, 'x'))), std::pair("2"s, framed(2, std::string(101, 'x'))),
          std::pair("4"s, framed(4, std::string(101, 'x')))}) {
        SCOPED_TRACE("--packet " + packet);
        Server server(stage(), {"--packet", packet, "--max-packet", "100"});
        const auto whole = framed(std::stoul(packet), "before");
        Client client(server.port());
        client.send(whole + frame);
        EXPECT_EQ(client.recv_until_close(), whole);
        server.wait_for_line("connection lost: packet too long");
        client.close();
        Client next(server.port());
        next.send(whole);
        EXPECT_EQ(next.recv_exactly(whole.size()), whole);
    }
}

TEST_P(BadClients, AHeaderThatLiesCostsNoMemory) {
    const Server server(stage(), {"--packet", "4"});
    const auto before = server.process().resident_bytes();
    for (const auto& header : {"\xff\xff\xff\xff"s, "\x7f\xff\xff\xff"s, "\x00\x01\x00\x01"s}) {
        Client client(server.port());
        client.send(header);
        // At once, although no byte of what was announced has come.
        EXPECT_EQ(client.recv_until_close(), "");
    }
    EXPECT_LT(server.process().resident_bytes(), before + bounded_memory);
}

TEST_P(BadClients, AClientThatSendsByteByByteIsAnsweredInTheEnd) {
    const Server server(stage());
    Client slow(server.port());
    for (const char byte : "hel"s) {
        slow.send({&byte, 1});
        // In 02 and 03 others come between any two of its bytes. In 01 they would wait for it, which is its lesson.
        if (!serves_one_at_a_time()) expect_served(server.port());
    }
    slow.expect_silence(0ms);
    slow.send("lo\r\n");
    EXPECT_EQ(slow.recv_line(), "ECHO hello\r\n");
}

TEST_P(BadClients, OneThatNeverReadsCostsABoundedBuffer) {
    Server server(stage(), {"--log", "quiet"});
    const auto before = server.process().resident_bytes();
    Client client(server.port(), {.receive_buffer = 64 * 1024});
    constexpr std::size_t more_than_any_buffer = 256 << 20;
    const auto sent = send_until_stuck(client, more_than_any_buffer).size();
    EXPECT_LT(sent, more_than_any_buffer) << "the server goes on reading although its replies are not read";
    EXPECT_LT(server.process().resident_bytes(), before + bounded_memory);
    expect_others_are_served(server, client);
}

TEST_P(BadClients, OneThatReadsLateGetsEverything) {
    const Server server(stage(), {"--log", "quiet"});
    Client client(server.port(), {.receive_buffer = 64 * 1024});
    // More than the server can have written: it waits in the middle of a reply.
    const auto sent = send_until_stuck(client, 256 << 20);
    std::string expected;
    for (std::size_t at = 0; at < sent.size(); at += 1002) expected += "ECHO " + sent.substr(at, 1002);
    const auto whole = expected.size() - expected.size() % 1007;
    EXPECT_TRUE(client.recv_exactly(whole) == expected.substr(0, whole));
}

TEST_P(BadClients, OneThatResetsHarmsNobody) {
    Server server(stage());
    for (int i = 0; i < 20; ++i) {
        Client client(server.port());
        client.send("hello\r\nworld\r\n");
        EXPECT_EQ(client.recv_exactly(5), "ECHO ");
        client.reset();
    }
    expect_served(server.port());
    // Each was told of: as an end, where the reset came after everything was answered and read.
    server.wait_for_line(
        [](std::string_view line) {
            return line.find("connection lost") != line.npos || line.find("connection closed") != line.npos;
        },
        20);
}

TEST_P(BadClients, TwoHundredThatConnectAndLeaveAreForgotten) {
    Server server(stage());
    expect_served(server.port());
    server.wait_for_line("connection closed");
    const auto descriptors = server.process().open_descriptors();
    for (int i = 0; i < 100; ++i) Client(server.port()).close();
    for (int i = 0; i < 100; ++i) Client(server.port()).reset();
    expect_served(server.port());
    EXPECT_TRUE(support::eventually([&] { return server.process().open_descriptors() <= descriptors; }))
        << server.process().open_descriptors() << " descriptors are open instead of " << descriptors;
}

TEST_P(BadClientsAmongOthers, OneThatNeverReadsStopsNobody) {
    const Server server(stage(), {"--log", "quiet"});
    Client other(server.port());
    expect_served(other);
    std::vector<std::unique_ptr<Client>> never_read;
    for (int i = 0; i < 2; ++i) {
        never_read.push_back(std::make_unique<Client>(server.port(), Client::Options{.receive_buffer = 64 * 1024}));
        send_until_stuck(*never_read.back(), 256 << 20);
        expect_served(other);
        expect_served(server.port());
    }
}

/// Stages that end in order when they are told to.
class OrderlyEnd : public EveryStage {};
INSTANTIATE_TEST_SUITE_P(Stage, OrderlyEnd, testing::Values(thread_per_client, acceptor_pool, "04_supervised"s),
                         name_of);

// A system that closes a socket with bytes unread resets the connection, and forgets what was to be sent.
TEST_P(OrderlyEnd, WhoStillSendsAndReadsSlowlyIsSentWhatItIsOwed) {
    Server server(stage());
    Client client(server.port(), {.receive_buffer = 4096});
    constexpr int asked = 20;
    const auto line = long_line(5000, "\r\n");
    for (int i = 0; i < asked; ++i) client.send(line);
    server.wait_for_line("got data from client", asked);
    server.signal(SIGTERM);
    server.wait_for_line("connection closed");
    for (int i = 0; i < asked; ++i) {
        client.send_some("and another thing\r\n");
        ASSERT_EQ(client.recv_line(), "ECHO " + line) << "reply " << i;
    }
    client.close();
    EXPECT_EQ(server.wait_exit(), exited(0));
}

}  // namespace
}  // namespace stages
