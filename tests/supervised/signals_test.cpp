#include "supervised/supervised.hpp"
#include "support/terminal.hpp"

#include <sys/ioctl.h>

// What the root does when it is told to end, or to show itself.

using namespace supervised;

namespace {

/// Sends lines and reads nothing, until the server takes no more of them: it has more replies than it can get rid of.
void send_until_stuck(Client& client) {
    std::string line(60'000, 'x');
    line.append("\r\n");
    while (client.wait_until_it_takes_more(500ms)) client.send_some(line);
}

TEST(Start, TheFirstLineComesFirstAndAllWorkersAreUp) {
    Server server({"--workers", "3"});
    EXPECT_THAT(server.lines().front(), testing::StartsWith("Listening on 127.0.0.1:"));
    EXPECT_EQ(server.workers().size(), 3u);
}

class EndSignal : public testing::TestWithParam<int> {};

TEST_P(EndSignal, EndsInOrder) {
    Server server;
    Client client(server.port());
    ask(client);
    server.signal(GetParam());
    EXPECT_EQ(client.recv_until_close(), "");
    EXPECT_EQ(server.wait_exit(), exited(0));
    EXPECT_TRUE(support::refuses_clients(server.port()));
    EXPECT_EQ(server.count_events("supervisor_report"), 0u);
    EXPECT_EQ(server.errors(), "");
}
INSTANTIATE_TEST_SUITE_P(Both, EndSignal, testing::Values(SIGTERM, SIGINT));

TEST(Sigterm, RepliesUnderWayAreFinished) {
    Server server;
    Client client(server.port());
    std::string lines, replies;
    for (int i = 0; i < 20; ++i) {
        const auto line = std::string(1000, 'x') + std::to_string(i) + "\r\n";
        lines += line;
        replies += "ECHO " + line;
    }
    client.send(lines);
    server.wait_for_event("got_data_from_client");
    server.signal(SIGTERM);
    EXPECT_EQ(client.recv_until_close(), replies);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

// A client that is owed much and reads nothing keeps its worker busy; the other worker's clients do not wait for it.
TEST(Sigterm, OneWorkerThatDrainsDoesNotMakeTheNextOnesClientsWait) {
    Server server({"--shutdown-timeout", "3600"});
    std::vector<std::unique_ptr<Client>> others;
    others.push_back(server.client_of("worker-1"));
    others.push_back(server.client_of("worker-2"));
    // The root stops its youngest child first, so that is the one to be slow.
    const auto slow = server.client_of("worker-2");
    send_until_stuck(*slow);
    server.signal(SIGTERM);
    for (auto& other : others) EXPECT_EQ(other->recv_until_close(), "");
    EXPECT_TRUE(eventually([&] { return support::refuses_clients(server.port()); }));
    EXPECT_EQ(server.workers().size(), 2u);  // the second one drains, the first one waits for its turn
    slow->reset();
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(Sigterm, WhoDoesNotReadIsCutOffInTheEnd) {
    Server server({"--shutdown-timeout", "0.3"});
    Client slow(server.port());
    send_until_stuck(slow);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
    EXPECT_EQ(server.count_events("cuts_off"), 1u);
    EXPECT_EQ(server.count_events("supervisor_report"), 0u);
}

TEST(Sigterm, ToAWorkerMakesItDrainAndItIsRestarted) {
    Server server({"--workers", "1"});
    ::kill(server.pid_of("worker-1"), SIGTERM);
    const auto report = server.wait_for_event("supervisor_report");
    EXPECT_EQ(report.at("reason"), "shutdown");
    server.pid_of("worker-1", 2);
    Client client(server.port());
    ask(client);
}

TEST(Sigusr1, ShowsTheTree) {
    Server server({"--acceptors", "2"});
    server.wait_for_event("waits_for_client", {}, 4);
    server.signal(SIGUSR1);
    const auto tree = server.wait_for_event("tree").at("lines").as_array();
    std::string text;
    for (const auto& line : tree) text += std::string(line.as_string().c_str()) + "\n";
    const auto pid = [&](const std::string& worker) { return std::to_string(server.pid_of(worker)); };
    EXPECT_THAT(text, HasSubstr("root  " + std::to_string(server.process().pid()) + "  one_for_one"));
    EXPECT_THAT(text, HasSubstr("    worker-1  " + pid("worker-1") + "  running  0 restarts  for "));
    EXPECT_THAT(text, HasSubstr("    worker-2  " + pid("worker-2") + "  running  0 restarts  for "));
    EXPECT_THAT(text, HasSubstr("        sessions  <1>  running"));
    EXPECT_THAT(text, HasSubstr("        acceptors  <2>  running"));
    EXPECT_THAT(text, HasSubstr("            acceptor-2  <2>  running"));
    EXPECT_EQ(tree.size(), 11u);
}

// The tree is longer than what a pipe keeps whole, and than what it holds.
TEST(Sigusr1, DoesNotWaitForAReaderWhoHasStopped) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const support::Descriptor read_end(ends[0]);
    support::Descriptor write_end(ends[1]);
    const support::Process::Streams streams{STDIN_FILENO, write_end.get(), STDERR_FILENO};
    support::Process root(
        {{support::path_of("04_supervised"), "--port", "0", "--acceptors", "1000", "--workers", "4", "--log", "quiet"}},
        streams);
    write_end.close();
    char first;
    do {
        ASSERT_EQ(::read(read_end.get(), &first, 1), 1) << "before the end of the first line";
    } while (first != '\n');
    // The workers take a moment to start a thousand acceptors, and then the tree is more than the pipe holds. No signal
    // after that: it would interrupt a write that waits.
    const auto is_full = [&] {
        int bytes = 0;
        ::ioctl(read_end.get(), FIONREAD, &bytes);
        return bytes > 60'000;
    };
    ASSERT_TRUE(eventually([&] {
        root.signal(SIGUSR1);
        return eventually(is_full, 1s);
    }));
    root.signal(SIGTERM);
    EXPECT_EQ(root.wait_exit(), exited(0));
}

TEST(Sigusr1, DoesNotWaitForAWorkerThatHangs) {
    Server server;
    suspend(server.pid_of("worker-1"));
    server.signal(SIGUSR1);
    server.wait_for_line("(does not answer)");
    ::kill(server.pid_of("worker-1"), SIGCONT);
}

TEST(Tree, IsPrintedAgainWhenItHasChanged) {
    support::Server server("04_supervised", {"--tree", "--workers", "2", "--faults"});
    server.wait_for_line("    worker-2  ");
    Client client(server.port());
    client.send("!segv\n");
    client.wait_for_end();
    server.wait_for_line("  running  1 restart  for");
}

TEST(Terminal, CtrlCEndsItInOrder) {
    support::Terminal terminal({{support::path_of("04_supervised"), "--port", "0"}});
    terminal.wait_for("Listening on ");
    terminal.press_ctrl('C');
    EXPECT_EQ(terminal.wait_exit(), exited(0));
    EXPECT_THAT(terminal.screen(), Not(HasSubstr("reports")));
}

TEST(Terminal, ItsEndIsTheServersEndAndNoReplacement) {
    support::Terminal terminal({{support::path_of("04_supervised"), "--port", "0"}});
    terminal.wait_for("Listening on ");
    terminal.hang_up();
    EXPECT_EQ(terminal.wait_exit(), exited(0));
}

}  // namespace
