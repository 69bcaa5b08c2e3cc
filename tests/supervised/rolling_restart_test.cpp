#include "supervised/supervised.hpp"

// SIGHUP: the workers are replaced one by one, and nobody notices.

using namespace supervised;

namespace {

/// A client that comes, says a few lines, and goes.
void visit(std::uint16_t port) {
    Client client(port);
    for (int line = 1; line <= 3; ++line) ask(client, "line " + std::to_string(line));
    client.half_close();
    if (!client.recv_until_close().empty()) throw support::Failure("got more than was asked for");
}

TEST(RollingRestart, RefusesNobodyAndCutsNobodyShort) {
    Server server;
    visit(server.port());
    std::vector<std::unique_ptr<Loop>> visitors;
    for (int i = 0; i < 4; ++i) visitors.push_back(std::make_unique<Loop>([&] { visit(server.port()); }));
    const auto descriptors = server.process().open_descriptors();
    for (std::size_t round = 1; round <= 5; ++round) {
        server.signal(SIGHUP);
        server.wait_for_event("replaced", {}, 2 * round);
        for (auto& visitor : visitors) visitor->wait_for_rounds(5);
    }
    for (auto& visitor : visitors) EXPECT_THAT(visitor->stop(), IsEmpty());
    EXPECT_EQ(server.process().open_descriptors(), descriptors);
    EXPECT_EQ(server.workers().size(), 2u);
    EXPECT_EQ(server.lives_of("worker-12"), 1u);
    EXPECT_EQ(server.count_events("supervisor_report"), 0u);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(RollingRestart, NobodyWhoIsBeingSetUpIsLost) {
    Server server({"--setup-ms", "20", "--acceptors", "4"});
    std::vector<std::unique_ptr<Loop>> visitors;
    for (int i = 0; i < 8; ++i) visitors.push_back(std::make_unique<Loop>([&] { visit(server.port()); }));
    for (std::size_t round = 1; round <= 3; ++round) {
        server.signal(SIGHUP);
        server.wait_for_event("replaced", {}, 2 * round);
    }
    for (auto& visitor : visitors) EXPECT_THAT(visitor->stop(), IsEmpty());
}

TEST(RollingRestart, ALongSessionGoesOnWithItsOldWorkerUntilItEnds) {
    Server server({"--workers", "1", "--shutdown-timeout", "3600"});
    Client staying(server.port());
    ask(staying);
    const auto old = server.pid_of("worker-1");
    server.signal(SIGHUP);
    server.wait_for_event("stops_accepting", {"\"worker\":1"});
    Client coming(server.port());
    ask(coming);
    EXPECT_EQ(server.worker_of(coming), "worker-2");
    ask(staying);
    EXPECT_THAT(server.workers(), testing::ElementsAre(old, server.pid_of("worker-2")));
    staying.half_close();
    EXPECT_EQ(staying.recv_until_close(), "");
    server.wait_for_event("replaced", {field("child", "worker-1")});
    EXPECT_THAT(server.workers(), testing::ElementsAre(server.pid_of("worker-2")));
    ask(coming);
}

TEST(RollingRestart, ALongSessionEndsWhenItsTimeIsOver) {
    Server server({"--workers", "1", "--shutdown-timeout", "0.3"});
    Client staying(server.port());
    ask(staying);
    server.signal(SIGHUP);
    EXPECT_EQ(staying.wait_for_end(), Client::End::closed);
    server.wait_for_event("replaced");
}

TEST(RollingRestart, AnotherSighupMeanwhileIsRefusedWithAWord) {
    Server server({"--workers", "1", "--shutdown-timeout", "3600"});
    Client staying(server.port());
    ask(staying);
    server.signal(SIGHUP);
    server.wait_for_event("stops_accepting", {"\"worker\":1"});
    server.signal(SIGHUP);
    server.wait_for_event("replaces_already");
    ask(staying);
    staying.close();
    server.wait_for_event("replaced");
    server.signal(SIGHUP);
    server.wait_for_event("replaced", {field("successor", "worker-3")});
}

TEST(RollingRestart, AWorkerThatCrashesWhileAnotherDrainsIsRestartedAtOnce) {
    Server server({"--shutdown-timeout", "3600"});
    const auto staying = server.client_of("worker-1");
    ask(*staying);
    server.signal(SIGHUP);
    server.wait_for_event("stops_accepting", {"\"worker\":1"});
    ::kill(server.pid_of("worker-2"), SIGKILL);
    server.pid_of("worker-2", 2);
    ask(*staying);
    staying->half_close();
    staying->recv_until_close();
    server.wait_for_event("replaced", {}, 2);
    visit(server.port());
}

TEST(RollingRestart, GoesOnWhenTheDrainingWorkerCrashes) {
    Server server({"--workers", "1", "--shutdown-timeout", "3600"});
    Client staying(server.port());
    ask(staying);
    server.signal(SIGHUP);
    server.wait_for_event("stops_accepting", {"\"worker\":1"});
    ::kill(server.pid_of("worker-1"), SIGKILL);
    staying.wait_for_end();
    server.wait_for_event("replaced", {field("child", "worker-1")});
    EXPECT_EQ(server.workers().size(), 1u);
    visit(server.port());
}

TEST(RollingRestart, SigtermEndsItAndEverything) {
    Server server({"--shutdown-timeout", "3600"});
    const auto staying = server.client_of("worker-1");
    ask(*staying);
    server.signal(SIGHUP);
    server.wait_for_event("stops_accepting", {"\"worker\":1"});
    server.signal(SIGTERM);
    EXPECT_EQ(staying->recv_until_close(), "");
    EXPECT_EQ(server.wait_exit(), exited(0));
}

}  // namespace
