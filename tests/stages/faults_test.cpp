// Breaking a server by typing: the same command meets a different fate in each stage.

#include "stages/stage.hpp"

namespace stages {
namespace {

class Faults : public EveryStage {};
INSTANTIATE_TEST_SUITE_P(Stage, Faults, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

class FaultsAmongOthers : public ConcurrentStage {};
INSTANTIATE_TEST_SUITE_P(Stage, FaultsAmongOthers, testing::Values(thread_per_client, acceptor_pool), name_of);

/// How the server ends when a client types that.
support::Exit exit_after(const std::string& stage, const std::string& command) {
    support::Server server(stage, {"--faults"});  // sanitizers may speak of this crash
    Client client(server.port());
    expect_served(client);
    client.send(command + "\r\n");
    const auto exit = server.wait_exit();
    // The last words before a crash are not lost.
    EXPECT_EQ(server.count_lines("got data from client " + command), 1u);
    return exit;
}

TEST_P(Faults, AreOnlyWordsWhereTheyAreOff) {
    const Server server(stage());
    Client client(server.port());
    for (const auto& command : {"!throw"s, "!abort"s, "!segv"s, "!spin"s, "!leak 1"s, "!exit 3"s}) {
        client.send(command + "\r\n");
        EXPECT_EQ(client.recv_line(), "ECHO " + command + "\r\n");
    }
}

TEST_P(Faults, WhatIsNoCommandIsOnlyWordsToo) {
    const Server server(stage(), {"--faults"});
    Client client(server.port());
    for (const auto& words : {"!throws"s, " !abort"s, "!exit"s, "!exit 256"s, "!exit x"s, "!leak 4097"s, "!"s}) {
        client.send(words + "\r\n");
        EXPECT_EQ(client.recv_line(), "ECHO " + words + "\r\n");
    }
}

TEST_P(Faults, SegvEndsTheWholeServer) {
    const auto exit = exit_after(stage(), "!segv");
    // UBSan notices the null pointer before the processor does.
    if (support::sanitized) {
        EXPECT_NE(exit.signal, 0) << exit;
    } else {
        EXPECT_EQ(exit, killed_by(SIGSEGV));
    }
}

TEST_P(Faults, AbortEndsTheWholeServer) {
    EXPECT_EQ(exit_after(stage(), "!abort"), killed_by(SIGABRT));
}

TEST_P(Faults, ExitEndsTheWholeServerWithThatCode) {
    EXPECT_EQ(exit_after(stage(), "!exit 0"), exited(0));
    EXPECT_EQ(exit_after(stage(), "!exit 42"), exited(42));
}

TEST_P(Faults, LeakTakesThatMuchMemory) {
    constexpr std::size_t mebi = 1 << 20;
    Server server(stage(), {"--faults"});
    Client client(server.port());
    expect_served(client);
    const auto before = server.process().resident_bytes();
    client.send("!leak 64\r\n");
    EXPECT_EQ(client.recv_line(), "ECHO !leak 64\r\n");
    EXPECT_GE(server.process().resident_bytes(), before + 60 * mebi);
    // Nobody gives it back when the client leaves: only the process's death would.
    client.close();
    server.wait_for_line("connection closed");
    EXPECT_GE(server.process().resident_bytes(), before + 60 * mebi);
}

TEST(Naive, AnExceptionEndsTheServer) {
    EXPECT_EQ(exit_after(naive, "!throw"), killed_by(SIGABRT));
}

TEST_P(FaultsAmongOthers, AnExceptionCostsOneSessionAndIsTold) {
    Server server(stage(),
                  stage() == acceptor_pool ? std::vector{"--faults"s, "--acceptors"s, "1"s} : std::vector{"--faults"s});
    Client other(server.port());
    expect_served(other);
    Client thrower(server.port());
    thrower.send("hello\r\n");
    EXPECT_EQ(thrower.recv_line(), "ECHO hello\r\n");
    thrower.send("!throw\r\n");
    EXPECT_EQ(thrower.recv_until_close(), "");
    EXPECT_EQ(server.wait_for_line("crashed"), "handler 2 crashed: !throw");
    expect_served(other);
    expect_served(server.port());
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST_P(FaultsAmongOthers, WhatCameBeforeAFaultIsAnsweredFirst) {
    Server server(stage(), {"--faults"});
    Client client(server.port());
    client.send("one\n!leak 1\ntwo\n!throw\nthree\n");
    for (const auto& line : {"one\n"s, "!leak 1\n"s, "two\n"s}) EXPECT_EQ(client.recv_line(), "ECHO " + line);
    server.wait_for_line("crashed: !throw");
}

TEST(Naive, AnEndlessLoopStopsTheServer) {
    Server server(naive, {"--faults"});
    Client client(server.port());
    client.send("!spin\r\n");
    server.wait_for_line("got data from client !spin");
    Client other(server.port());
    other.send("hello\r\n");
    client.close();
    other.expect_silence(a_while);
}

TEST(ThreadPerClient, AnEndlessLoopStopsOnlyItsOwnThread) {
    Server server(thread_per_client, {"--faults"});
    Client other(server.port());
    expect_served(other);
    Client spinner(server.port());
    spinner.send("!spin\r\nhello\r\n");
    server.wait_for_line("got data from client !spin");
    expect_served(other);
    expect_served(server.port());
    spinner.expect_silence(0ms);
}

TEST(AcceptorPool, AnEndlessLoopStopsTheClientsOfItsEventLoop) {
    // One acceptor gives the clients to the two loops in turn.
    Server server(acceptor_pool, {"--faults", "--threads", "2", "--acceptors", "1", "--shutdown-timeout", "0.1"});
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 4; ++i) {
        clients.push_back(std::make_unique<Client>(server.port()));
        expect_served(*clients.back());
    }
    clients[1]->send("!spin\r\n");
    server.wait_for_line("got data from client !spin");
    clients[3]->send("hello\r\n");
    expect_served(*clients[0]);
    expect_served(*clients[2]);
    clients[3]->expect_silence(a_while);
    // A loop that never ends cannot be joined: that is said, and the server ends in time nevertheless.
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(1));
    EXPECT_EQ(server.errors(), "an event loop never ended: leaving it behind\n");
}

}  // namespace
}  // namespace stages
