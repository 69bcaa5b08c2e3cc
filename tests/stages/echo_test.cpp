// What comes back: raw bytes (RFC 862) and frames, across any split, up to the end.

#include "stages/stage.hpp"

namespace stages {
namespace {

class Echo : public EveryStage {};
INSTANTIATE_TEST_SUITE_P(Stage, Echo, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

class EchoToSeveral : public ConcurrentStage {};
INSTANTIATE_TEST_SUITE_P(Stage, EchoToSeveral, testing::Values(thread_per_client, acceptor_pool), name_of);

constexpr std::size_t mebi = 1 << 20;

TEST_P(Echo, RawReturnsRandomBytesThroughAnySplit) {
    const Server server(stage(), {"--packet", "raw", "--log", "quiet"});
    const auto bytes = random_bytes(support::sanitized ? 4 * mebi : 64 * mebi);
    Client client(server.port());
    EXPECT_TRUE(client.exchange(bytes, random_sizes(256 * 1024)) == bytes);
    client.expect_silence(0ms);
}

TEST_P(Echo, RawReturnsOneByteAtATime) {
    const Server server(stage(), {"--packet", "raw"});
    Client client(server.port());
    for (const char byte : "\0\n\r\xff\xf4 x"s) {
        client.send({&byte, 1});
        EXPECT_EQ(client.recv_exactly(1), std::string(1, byte));
    }
}

TEST_P(Echo, HalfCloseAnswersEverythingThenCloses) {
    const auto many = random_bytes(mebi);
    std::string lines;
    std::string answers;
    for (int i = 0; i < 10'000; ++i) {
        lines += "line " + std::to_string(i) + "\r\n";
        answers += "ECHO line " + std::to_string(i) + "\r\n";
    }
    struct Case {
        std::string packet, sent, expected;
    };
    for (const auto& [packet, sent, expected] : {
             Case{"raw", many, many},
             Case{"line", lines, answers},
             Case{"line", "first\nan unfinished last line", "ECHO first\nECHO an unfinished last line"},
             Case{"line", "half an ending\r", "ECHO half an ending\r"},
             Case{"line", "", ""},
             Case{"1", framed(1, "a") + framed(1, "b"), framed(1, "a") + framed(1, "b")},
             Case{"4", framed(4, many.substr(0, 65536)), framed(4, many.substr(0, 65536))},
         }) {
        SCOPED_TRACE("--packet " + packet + ", " + std::to_string(sent.size()) + " bytes");
        const Server server(stage(), {"--packet", packet, "--log", "quiet"});
        Client client(server.port());
        // The replies are read only afterwards: a server that waits for us to read first must not lose any.
        client.send(sent);
        client.half_close();
        EXPECT_TRUE(client.recv_until_close() == expected);
    }
}

TEST_P(Echo, AFrameThatTheEndCutsShortIsNotAnswered) {
    Server server(stage(), {"--packet", "2"});
    Client client(server.port());
    client.send(framed(2, "whole") + "\0\5abc"s);
    client.half_close();
    EXPECT_EQ(client.recv_until_close(), framed(2, "whole"));
    server.wait_for_line("connection lost: closed in the middle of a packet");
}

TEST_P(Echo, FramesRoundTripUpToTheirLimits) {
    struct Case {
        std::size_t header;
        std::string max_packet;
        std::vector<std::size_t> sizes;
    };
    for (const auto& [header, max_packet, sizes] : {
             Case{1, "65536", {0, 1, 254, 255}},
             Case{1, "100", {0, 99, 100}},
             Case{2, "65536", {0, 1, 255, 256, 65534, 65535}},
             Case{4, "65536", {0, 1, 255, 256, 65535, 65536}},
             Case{4, "3000000", {2'999'999, 3'000'000, 0}},
         }) {
        const Server server(stage(), {"--packet", std::to_string(header), "--max-packet", max_packet});
        Client client(server.port());
        for (const auto size : sizes) {
            SCOPED_TRACE(std::to_string(header) + " byte header, a frame of " + std::to_string(size));
            const auto frame = framed(header, random_bytes(size));
            EXPECT_TRUE(client.exchange(frame, random_sizes(128 * 1024)) == frame);
        }
        client.half_close();
        EXPECT_EQ(client.recv_until_close(), "");
    }
}

TEST_P(Echo, PacketsAreTheSameWhereverTheyAreSplit) {
    struct Case {
        std::string packet, sent, expected;
    };
    for (const auto& [packet, sent, expected] : {
             Case{"line", "hello\r\n\r\nПривет\n", "ECHO hello\r\nECHO \r\nECHO Привет\n"},
             Case{"1", framed(1, "hello") + framed(1, "") + framed(1, "x"), "\5hello\0\1x"s},
             Case{"2", framed(2, "hello") + framed(2, "") + framed(2, "x"), "\0\5hello\0\0\0\1x"s},
             Case{"4", framed(4, "hello") + framed(4, ""), "\0\0\0\5hello\0\0\0\0"s},
         }) {
        const Server server(stage(), {"--packet", packet, "--log", "quiet"});
        Client client(server.port());
        for (std::size_t split = 0; split <= sent.size(); ++split) {
            SCOPED_TRACE("--packet " + packet + ", split at " + std::to_string(split));
            // When what is before the split has been answered, as far as it is whole, the server has read all of it.
            const auto whole = packet == "line" ? "ready\n"s : framed(std::stoul(packet), "ready");
            const auto reply = packet == "line" ? "ECHO ready\n"s : whole;
            client.send(whole + sent.substr(0, split));
            EXPECT_EQ(client.recv_exactly(reply.size()), reply);
            client.send(sent.substr(split));
            EXPECT_EQ(client.recv_exactly(expected.size()), expected);
        }
    }
}

TEST_P(Echo, AThousandLinesInOneGoAreAnsweredInOrder) {
    const Server server(stage(), {"--log", "quiet"});
    std::string lines;
    for (int i = 0; i < 1000; ++i) lines += std::to_string(i) + "\n";
    Client client(server.port());
    client.send(lines);
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.recv_line(), "ECHO " + std::to_string(i) + "\n");
}

TEST(AcceptorPool, AnswersAllLinesOfOneReadInOneWrite) {
    const Server server(acceptor_pool, {"--log", "quiet"});
    std::string lines;
    std::string answers;
    for (int i = 0; i < 1000; ++i) {
        lines += "\n";
        answers += "ECHO \n";
    }
    Client client(server.port());
    client.send(lines);
    EXPECT_TRUE(client.recv_exactly(answers.size()) == answers);
    // The first reads are small, so there are a few of them.
    EXPECT_LE(client.segments_received(), 10u);
}

TEST_P(EchoToSeveral, FiveClientsAtOnceGetTheirOwnBytes) {
    const Server server(stage(), {"--packet", "raw"});
    const auto clients = connect(server.port(), 5);
    const auto bytes = random_bytes(5 * 20'000);
    for (std::size_t round = 0; round < 20; ++round) {
        const auto part = [&](std::size_t i) { return bytes.substr(i * 20'000 + round * 1000, 1000); };
        for (std::size_t i = 0; i < clients.size(); ++i) clients[i]->send(part(i));
        // The last one first: no reply may depend on another client's having read its own.
        for (std::size_t i = clients.size(); i-- > 0;) EXPECT_TRUE(clients[i]->recv_exactly(1000) == part(i));
    }
}

TEST_P(EchoToSeveral, ASecondClientIsAnsweredAtOnce) {
    const Server server(stage());
    Client first(server.port());
    expect_served(first);
    Client second(server.port());
    expect_served(second);
    expect_served(first);
}

TEST(Naive, ASecondClientWaitsUntilTheFirstLeaves) {
    const Server server(naive);
    Client first(server.port());
    expect_served(first);
    // The kernel connects it and keeps what it says; nobody reads that.
    Client second(server.port());
    second.send("hello\r\n");
    second.expect_silence(a_while);
    expect_served(first);
    second.expect_silence(0ms);
    first.close();
    EXPECT_EQ(second.recv_line(), "ECHO hello\r\n");
}

}  // namespace
}  // namespace stages
