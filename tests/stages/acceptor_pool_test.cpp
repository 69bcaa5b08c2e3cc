// What only 03 has: limits, shortages, and the end.

#include "stages/stage.hpp"

namespace stages {
namespace {

using support::Deadline;
using Clock = std::chrono::steady_clock;

// ---- too many clients -----------------------------------------------------------------------------------------------

TEST(AcceptorPool, ServesEverybodyInTheEndWhenDescriptorsRunOut) {
    support::Command few_descriptors;
    few_descriptors.max_open_files = 64;
    Server server(acceptor_pool, {}, few_descriptors);
    const auto begin = Clock::now();
    const auto clients = connect(server.port(), 200);
    for (const auto& client : clients) client->send("hello\r\n");
    EXPECT_EQ(clients.front()->recv_line(), "ECHO hello\r\n");
    // The shortage lasts until it has been told of twice. It is told of once a second, whoever meets it.
    const auto told = server.wait_for_line("cannot accept");
    EXPECT_THAT(told, testing::MatchesRegex("acceptor [1-8] cannot accept: too many open files; waits 100 ms"));
    const auto cpu_before = server.process().cpu_time();
    server.wait_for_line("cannot accept", 2);
    // In that second, eighty tries at the most: a few milliseconds. Without the wait between them it would be all that
    // the machine has left.
    EXPECT_LT(server.process().cpu_time() - cpu_before, 60ms * support::time_factor());
    const auto seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    EXPECT_LE(static_cast<double>(server.count_lines("cannot accept")), seconds + 1);
    // Nor does each try make a line: once for each client and acceptor is enough.
    EXPECT_LE(server.count_lines("waits for client"), 64u + 8u);
    // Those who are there are served meanwhile, the others as descriptors come free.
    clients.front()->send("hello\r\n");
    EXPECT_EQ(clients.front()->recv_line(), "ECHO hello\r\n");
    clients.front()->close();
    for (std::size_t i = 1; i < clients.size(); ++i) {
        EXPECT_EQ(clients[i]->recv_line(), "ECHO hello\r\n");
        clients[i]->close();
    }
    expect_served(server.port());
}

/// How many of the clients have something to read, or have been closed.
std::size_t number_with_news(const std::vector<std::unique_ptr<Client>>& clients) {
    return static_cast<std::size_t>(
        std::count_if(clients.begin(), clients.end(), [](const auto& client) { return client->has_news(); }));
}

TEST(AcceptorPool, NeverServesMoreThanTheLimitAndQueuesTheRest) {
    Server server(acceptor_pool, {"--max-connections", "10"});
    auto clients = connect(server.port(), 30);
    for (const auto& client : clients) client->send("hello\r\n");
    while (!clients.empty()) {
        const auto expected = std::min<std::size_t>(clients.size(), 10);
        EXPECT_TRUE(support::eventually([&] { return number_with_news(clients) >= expected; }));
        if (clients.size() % 10 == 1) clients.back()->has_news(a_while);  // time for one too many to show
        ASSERT_EQ(number_with_news(clients), expected);
        // They are served in the order of their coming: the first ten hold the places, and one of them leaves.
        EXPECT_EQ(clients.front()->recv_line(), "ECHO hello\r\n");
        clients.erase(clients.begin());
    }
    server.wait_for_line("waits until one of 10 clients leaves");
}

TEST(AcceptorPool, NeverServesMoreThanTheLimitAndRejectsTheRest) {
    Server server(acceptor_pool, {"--max-connections", "10", "--overload", "reject"});
    auto clients = connect(server.port(), 10);
    for (const auto& client : clients) expect_served(*client);
    for (int i = 0; i < 20; ++i) {
        Client rejected(server.port());
        EXPECT_EQ(rejected.recv_until_close(), "ERROR too many clients, try again later\r\n");
    }
    EXPECT_THAT(server.wait_for_line("rejects client", 20), testing::EndsWith(": too many clients"));
    for (const auto& client : clients) expect_served(*client);
    // One leaves, one comes; and then they are ten again.
    clients.pop_back();
    server.wait_for_line("connection closed");
    EXPECT_TRUE(support::eventually([&] {
        clients.push_back(std::make_unique<Client>(server.port()));
        clients.back()->send("hello\r\n");
        if (clients.back()->recv_line() == "ECHO hello\r\n") return true;
        clients.pop_back();
        return false;
    }));
    Client rejected(server.port());
    EXPECT_EQ(rejected.recv_until_close(), "ERROR too many clients, try again later\r\n");
}

TEST(AcceptorPool, AStampedeUnderTheLimitLosesNobody) {
    Server server(acceptor_pool, {"--max-connections", "3", "--threads", "4", "--log", "quiet"});
    std::vector<std::thread> crowd;
    std::atomic<int> served = 0;
    for (int i = 0; i < 8; ++i) {
        crowd.emplace_back([&] {
            for (int visit = 0; visit < 25; ++visit) {
                Client client(server.port());
                client.send("hello\r\n");
                if (client.recv_line() == "ECHO hello\r\n") ++served;
            }
        });
    }
    for (auto& person : crowd) person.join();
    EXPECT_EQ(served, 8 * 25);
}

// ---- idle clients ---------------------------------------------------------------------------------------------------

TEST(AcceptorPool, SendsOnlyTheIdleAway) {
    Server server(acceptor_pool, {"--idle-timeout", "1.5", "--acceptors", "1"});
    Client idle(server.port());
    Client active(server.port());
    expect_served(idle);
    const auto last_word = Clock::now();
    // A word now and then is enough.
    while (!idle.has_news(400ms)) expect_served(active);
    EXPECT_EQ(idle.recv_until_close(), "");
    EXPECT_GE(Clock::now() - last_word, 1500ms);
    server.wait_for_line("handler 1 has been idle for 1500 ms");
    for (int i = 0; i < 3; ++i) {
        active.expect_silence(400ms);
        expect_served(active);
    }
}

// ---- the end --------------------------------------------------------------------------------------------------------

TEST(AcceptorPool, ASignalClosesIdleClientsAtOnce) {
    for (const int signal : {SIGTERM, SIGINT}) {
        Server server(acceptor_pool, {"--shutdown-timeout", "3600"});
        const auto clients = connect(server.port(), 50);
        for (const auto& client : clients) expect_served(*client);
        server.signal(signal);
        for (const auto& client : clients) EXPECT_EQ(client->recv_until_close(), "");
        EXPECT_EQ(server.wait_exit(), exited(0));
        EXPECT_EQ(server.count_lines(signal == SIGINT ? "got signal SIGINT" : "got signal SIGTERM"), 1u);
    }
}

TEST(AcceptorPool, ASignalLetsRepliesFinishAndRefusesNewClients) {
    Server server(acceptor_pool, {"--max-packet", "16777216", "--shutdown-timeout", "3600"});
    const auto line = long_line(16 << 20, "\n");
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 3; ++i) {
        clients.push_back(std::make_unique<Client>(server.port(), Client::Options{.receive_buffer = 64 * 1024}));
        clients.back()->send(line);
        EXPECT_EQ(clients.back()->recv_exactly(5), "ECHO ");
    }
    server.signal(SIGTERM);
    server.wait_for_line("server stops accepting");
    EXPECT_TRUE(support::eventually([&] { return support::refuses_clients(server.port()); }));
    EXPECT_TRUE(server.process().is_running());
    for (const auto& client : clients) EXPECT_TRUE(client->recv_until_close() == line);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(AcceptorPool, ASignalCutsOffWhoNeverReads) {
    Server server(acceptor_pool, {"--shutdown-timeout", "0.5"});
    Client client(server.port(), {.receive_buffer = 64 * 1024});
    send_until_stuck(client, 256 << 20);
    const auto begin = Clock::now();
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
    EXPECT_GE(Clock::now() - begin, 500ms);
    EXPECT_LT(Clock::now() - begin, 4s * support::time_factor());
    EXPECT_EQ(server.count_lines("server cuts off 1 clients after 500 ms"), 1u);
}

TEST(AcceptorPool, ASignalCutsOffWhoNeverStopsTalking) {
    Server server(acceptor_pool, {"--shutdown-timeout", "0.5"});
    Client client(server.port());
    expect_served(client);
    const auto begin = Clock::now();
    server.signal(SIGTERM);
    const auto talk = [&client] {
        try {
            for (;;) expect_served(client);
        } catch (const support::Failure&) {  // the end
        }
    };
    talk();
    EXPECT_EQ(server.wait_exit(), exited(0));
    EXPECT_LT(Clock::now() - begin, 4s * support::time_factor());
}

TEST(AcceptorPool, ASignalEndsThePoolWhileClientsQueue) {
    Server server(acceptor_pool, {"--max-connections", "1", "--shutdown-timeout", "3600"});
    auto clients = connect(server.port(), 5);
    expect_served(*clients.front());
    server.wait_for_line("waits until one of 1 clients leaves");
    server.signal(SIGTERM);
    for (const auto& client : clients) client->wait_for_end();
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(AcceptorPool, SaysInTheEndWhoAcceptedHowMany) {
    constexpr int acceptors = 4;
    Server server(acceptor_pool, {"--acceptors", std::to_string(acceptors)});
    for (int i = 0; i < 40; ++i) expect_served(server.port());
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
    int all = 0;
    for (int i = 1; i <= acceptors; ++i) {
        const auto words = "acceptor " + std::to_string(i) + " accepted ";
        const auto line = server.wait_for_line(words);
        const int clients = std::stoi(line.substr(words.size()));
        EXPECT_GT(clients, 0) << "the acceptors take turns: " << line;
        all += clients;
    }
    EXPECT_EQ(all, 40);
    EXPECT_EQ(server.lines().back(), "server stopped");
}

TEST(AcceptorPool, AnErrorsLastWordsOutliveTheConnection) {
    // The client leaves in the same moment in which the server stops reading its too long line away. A stopped process
    // makes it the same moment: it finds both when it goes on.
    Server server(acceptor_pool, {"--max-packet", "10", "--threads", "1"});
    Client client(server.port());
    client.send(std::string(100, 'x'));
    EXPECT_EQ(client.recv_until_close(), "ERROR line longer than 10 bytes\r\n");
    server.signal(SIGSTOP);
    const Deadline lingering(1500ms);
    client.close();
    EXPECT_TRUE(support::eventually([&] { return lingering.passed(); }));
    server.signal(SIGCONT);
    expect_served(server.port());
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

}  // namespace
}  // namespace stages
