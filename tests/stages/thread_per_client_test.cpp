// What only 02 has: threads, which the system may refuse, and which are joined at the end.

#include "stages/stage.hpp"

namespace stages {
namespace {

/// Both shapes: the acceptor spawns the handler, or hands its own thread over.
class ThreadPerClient : public testing::TestWithParam<std::string> {
protected:
    static std::vector<std::string> with_shape(std::vector<std::string> options = {}) {
        if (GetParam() == "handoff") options.insert(options.begin(), "--handoff");
        return options;
    }
};
INSTANTIATE_TEST_SUITE_P(Shape, ThreadPerClient, testing::Values("spawn"s, "handoff"s), name_of);

TEST_P(ThreadPerClient, EachClientHasAThreadAndTakesItAway) {
    Server server(thread_per_client, with_shape());
    expect_served(server.port());
    server.wait_for_line("connection closed");
    const auto& process = server.process();
    // At most one thread that has ended is left to be joined, by the next one that ends.
    const auto idle = process.threads();
    {
        const auto clients = connect(server.port(), 20);
        for (const auto& client : clients) expect_served(*client);
        EXPECT_GE(process.threads(), idle + 19);
        EXPECT_LE(process.threads(), idle + 20);
    }
    EXPECT_TRUE(support::eventually([&] { return process.threads() <= idle; })) << process.threads();
}

TEST_P(ThreadPerClient, NumbersItsClientsInTheOrderOfTheirComing) {
    Server server(thread_per_client, with_shape());
    for (int i = 1; i <= 3; ++i) {
        expect_served(server.port());
        server.wait_for_line("handler " + std::to_string(i) + " connection closed");
    }
    const bool handoff = GetParam() == "handoff";
    EXPECT_EQ(server.count_lines("acceptor 1 got client connection"), handoff ? 1u : 3u);
    EXPECT_EQ(server.count_lines("acceptor 3 got client connection"), handoff ? 1u : 0u);
}

TEST_P(ThreadPerClient, AThreadThatTheSystemRefusesCostsOnlyTheNewClient) {
    if (support::sanitized) GTEST_SKIP() << "a sanitizer needs more address space than the limit leaves";
    // Room for a few stacks of 8 MiB each.
    constexpr std::size_t room = 160 << 20;
    Server server(thread_per_client, with_shape(), {.words = {}, .max_address_space = room});
    std::vector<std::unique_ptr<Client>> served;
    std::string refusal;
    while (refusal.empty()) {
        ASSERT_LT(served.size(), 100u) << "the limit does not bite";
        auto client = std::make_unique<Client>(server.port());
        client->send("hello\r\n");
        const auto answer = client->recv_line();
        if (answer == "ECHO hello\r\n") {
            served.push_back(std::move(client));
        } else {
            refusal = answer + client->recv_until_close();
        }
    }
    EXPECT_EQ(refusal, "ERROR no thread for you, try again later\r\n");
    EXPECT_THAT(server.wait_for_line("cannot start a thread"), StartsWith("acceptor "));
    ASSERT_GE(served.size(), 2u);
    for (const auto& client : served) expect_served(*client);
    // When one leaves there is room again.
    served.pop_back();
    server.wait_for_line("connection closed");
    EXPECT_TRUE(support::eventually([&] {
        Client next(server.port());
        next.send("hello\r\n");
        return next.recv_line() == "ECHO hello\r\n";
    }));
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST_P(ThreadPerClient, ASignalEndsItInOrderWithClientsConnected) {
    for (const int signal : {SIGTERM, SIGINT}) {
        Server server(thread_per_client, with_shape());
        const auto clients = connect(server.port(), 5);
        for (const auto& client : clients) expect_served(*client);
        server.signal(signal);
        // Nobody is owed a reply, so nobody is waited for: the server's patience is 5 s.
        const support::Deadline at_once(4s);
        for (const auto& client : clients) EXPECT_EQ(client->recv_until_close(), "");
        EXPECT_FALSE(at_once.passed());
        EXPECT_EQ(server.wait_exit(), exited(0));
        EXPECT_EQ(server.count_lines(signal == SIGINT ? "got signal SIGINT" : "got signal SIGTERM"), 1u);
        EXPECT_EQ(server.count_lines("connection closed"), 5u);
        EXPECT_EQ(server.lines().back(), "server stopped");
    }
}

TEST_P(ThreadPerClient, ASignalLetsAReplyFinish) {
    Server server(thread_per_client, with_shape({"--max-packet", "16777216"}));
    Client client(server.port(), {.receive_buffer = 64 * 1024});
    const auto line = long_line(16 << 20, "\n");
    client.send(line);
    EXPECT_EQ(client.recv_exactly(5), "ECHO ");
    server.signal(SIGTERM);
    server.wait_for_line("got signal SIGTERM");
    EXPECT_TRUE(support::eventually([&] { return support::refuses_clients(server.port()); }));
    EXPECT_TRUE(client.recv_until_close() == line);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

}  // namespace
}  // namespace stages
