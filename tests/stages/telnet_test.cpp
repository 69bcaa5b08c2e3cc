// The real telnet in a real terminal, as the tutorial's reader sees it.

#include "stages/stage.hpp"
#include "support/terminal.hpp"

namespace stages {
namespace {

using support::Terminal;

class Telnet : public EveryStage {
protected:
    void SetUp() override {
        if (!support::is_installed("telnet")) GTEST_SKIP() << "telnet is not installed (apt-get install telnet)";
    }

    static Terminal telnet_to(const Server& server) {
        return Terminal({.words = {"telnet", "127.0.0.1", std::to_string(server.port())}});
    }

    /// Leaves as a person does.
    static void quit(Terminal& terminal) {
        terminal.press_ctrl(']');
        terminal.wait_for("telnet> ");
        terminal.enter("quit");
        terminal.wait_for("Connection closed.\n");
    }
};
INSTANTIATE_TEST_SUITE_P(Stage, Telnet, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

TEST_P(Telnet, ShowsTheOriginalsTranscriptLineForLineTwice) {
    Server server(stage());
    for (std::size_t visit = 1; visit <= 2; ++visit) {
        auto terminal = telnet_to(server);
        terminal.wait_for("Escape character is '^]'.\n");
        terminal.enter("hello");
        terminal.wait_for("ECHO hello\n");
        terminal.enter("42");
        terminal.wait_for("ECHO 42\n");
        terminal.enter("");
        terminal.wait_for("ECHO \n");
        terminal.enter("123");
        terminal.wait_for("ECHO 123\n");
        quit(terminal);
        terminal.wait_exit();
        EXPECT_EQ(terminal.screen(),
                  "Trying 127.0.0.1...\n"
                  "Connected to 127.0.0.1.\n"
                  "Escape character is '^]'.\n"
                  "hello\n"
                  "ECHO hello\n"
                  "42\n"
                  "ECHO 42\n"
                  "\n"
                  "ECHO \n"
                  "123\n"
                  "ECHO 123\n"
                  "^]\n"
                  "telnet> quit\n"
                  "Connection closed.\n");
        server.wait_for_line("connection closed", visit);
    }
    EXPECT_EQ(server.count_lines("got data from client 123"), 2u);
}

TEST_P(Telnet, CtrlCLeavesTheTerminalUsable) {
    const Server server(stage());
    auto terminal = telnet_to(server);
    terminal.wait_for("Escape character is '^]'.\n");
    terminal.enter("before");
    terminal.wait_for("ECHO before\n");
    terminal.press_ctrl('C');
    // telnet shows nothing until the server answers its timing mark.
    terminal.enter("after");
    terminal.wait_for("ECHO after\n");
    terminal.press_ctrl('C');
    terminal.press_ctrl('\\');
    terminal.enter("and again");
    terminal.wait_for("ECHO and again\n");
    quit(terminal);
    terminal.wait_exit();
    EXPECT_TRUE(terminal.is_usable());
}

TEST_P(Telnet, AClosedWindowIsAClientThatLeaves) {
    Server server(stage());
    auto terminal = telnet_to(server);
    terminal.enter("hello");
    EXPECT_EQ(terminal.wait_for_match("^ECHO h[el]+o$"), "ECHO hello");
    terminal.hang_up();
    server.wait_for_line("connection closed");
    expect_served(server.port());
}

}  // namespace
}  // namespace stages
