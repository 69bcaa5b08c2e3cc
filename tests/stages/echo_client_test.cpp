// echo_client against the real servers: the client that the tutorial's reader uses where there is no telnet.

#include "stages/stage.hpp"
#include "support/terminal.hpp"

#include <filesystem>
#include <fstream>

#include <unistd.h>

namespace stages {
namespace {

using support::Terminal;
using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> client_words(std::uint16_t port, const std::vector<std::string>& options) {
    std::vector<std::string> words{support::path_of("echo_client"), "--port", std::to_string(port)};
    words.insert(words.end(), options.begin(), options.end());
    return words;
}

support::Finished run_client(std::uint16_t port, const std::vector<std::string>& options) {
    return support::run_to_end({.words = client_words(port, options)});
}

/// The client with lines on its standard input, as `printf ... | echo_client` gives them.
support::Finished run_piped(std::uint16_t port, const std::string& input, const std::vector<std::string>& options) {
    std::vector<std::string> words{"sh", "-c", R"(input=$1; shift; printf '%b' "$input" | "$@")", "sh", input};
    const auto client = client_words(port, options);
    words.insert(words.end(), client.begin(), client.end());
    return support::run_to_end({.words = words});
}

/// A file for the client to send, gone at the end of the test.
class File {
public:
    explicit File(const std::string& bytes)
        : path_(std::filesystem::temp_directory_path() / ("echo_client_test." + std::to_string(::getpid()))) {
        std::ofstream(path_, std::ios::binary) << bytes;
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { std::filesystem::remove(path_); }

    std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

void expect_line(const support::Finished& finished, const std::string& line) {
    EXPECT_EQ(finished.exit, exited(0)) << finished.errors;
    EXPECT_THAT(finished.lines, ElementsAre(line));
    EXPECT_THAT(finished.errors, IsEmpty());
}

void expect_failure(const support::Finished& finished, const std::string& why) {
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(finished.errors, StartsWith("echo_client: "));
    EXPECT_THAT(finished.errors, HasSubstr(why));
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
}

class EchoClient : public EveryStage {};
INSTANTIATE_TEST_SUITE_P(Stage, EchoClient, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

TEST_P(EchoClient, SendsOnePacketAndPrintsTheReply) {
    const Server server(stage());
    expect_line(run_client(server.port(), {"--send", "abc"}), "ECHO abc");
    expect_line(run_client(server.port(), {"--send", ""}), "ECHO ");
}

TEST_P(EchoClient, SpeaksEveryPacketMode) {
    for (const std::string packet : {"raw", "1", "2", "4"}) {
        SCOPED_TRACE(packet);
        const Server server(stage(), {"--packet", packet});
        expect_line(run_client(server.port(), {"--packet", packet, "--send", "abc"}), "abc");
    }
}

TEST_P(EchoClient, TalksLineByLine) {
    const Server server(stage());
    const auto finished = run_piped(server.port(), "hello\\n42\\n\\nthe end", {});
    EXPECT_EQ(finished.exit, exited(0)) << finished.errors;
    EXPECT_THAT(finished.lines, ElementsAre("ECHO hello", "ECHO 42", "ECHO ", "ECHO the end"));
}

TEST_P(EchoClient, ActiveModePrintsTheSame) {
    const Server server(stage());
    const auto finished = run_piped(server.port(), "hello\\n42\\n\\nthe end", {"--active"});
    EXPECT_EQ(finished.exit, exited(0)) << finished.errors;
    EXPECT_THAT(finished.lines, ElementsAre("ECHO hello", "ECHO 42", "ECHO ", "ECHO the end"));
}

TEST_P(EchoClient, TalksInATerminalUntilCtrlD) {
    const Server server(stage());
    Terminal terminal({.words = client_words(server.port(), {})});
    terminal.enter("hello");
    terminal.wait_for("ECHO hello\n");
    terminal.press_ctrl('D');
    EXPECT_EQ(terminal.wait_exit(), exited(0));
}

TEST_P(EchoClient, ComparesAFileInEveryPacketMode) {
    const File file(random_bytes(1'000'000));
    for (const std::string packet : {"raw", "1", "2", "4"}) {
        SCOPED_TRACE(packet);
        const Server server(stage(), {"--packet", packet});
        const auto finished = run_client(server.port(), {"--packet", packet, "--from", file.path()});
        EXPECT_EQ(finished.exit, exited(0)) << finished.errors;
        ASSERT_EQ(finished.lines.size(), 1u);
        EXPECT_THAT(finished.lines[0], StartsWith("1000000 bytes in "));
        EXPECT_THAT(finished.lines[0], HasSubstr(" came back unchanged"));
    }
}

TEST_P(EchoClient, ComparesAFileOfLines) {
    const File file("first\nwith a carriage return\r\n\nlast, without an end");
    const Server server(stage());
    // A carriage return before the line feed belongs to the line's end, which is not compared.
    expect_line(run_client(server.port(), {"--from", file.path()}), "50 bytes in 4 packets came back unchanged");
}

TEST(EchoClientFails, WhereTheReplyDiffers) {
    const File file("hello\n");
    const Server server(naive, {"--packet", "line"});
    expect_failure(run_client(server.port(), {"--packet", "raw", "--from", file.path()}), "came back changed");
}

TEST(EchoClientFails, WhereTheFileCannotBeRead) {
    const Server server(naive);
    expect_failure(run_client(server.port(), {"--from", "no/such/file"}), "cannot read no/such/file");
    expect_failure(run_client(server.port(), {"--from", "/"}), "cannot read /");
}

TEST(EchoClientFails, WhereNobodyListens) {
    std::uint16_t port = 0;
    {
        const Server server(naive);
        port = server.port();
    }
    expect_failure(run_client(port, {"--send", "abc"}),
                   "cannot connect to 127.0.0.1:" + std::to_string(port) + ": connection refused");
}

TEST(EchoClientFails, PassivelyOnlyWhenItAsks) {
    Server server(naive);
    Terminal terminal({.words = client_words(server.port(), {})});
    terminal.enter("hello");
    terminal.wait_for("ECHO hello\n");
    server.signal(SIGKILL);
    server.wait_exit();
    EXPECT_TRUE(terminal.process().is_running());
    terminal.enter("anybody there?");
    terminal.wait_for("echo_client: ");
    EXPECT_EQ(terminal.wait_exit(), exited(1));
}

TEST(EchoClientFails, ActivelyAsSoonAsTheServerHasGone) {
    Server server(naive);
    Terminal terminal({.words = client_words(server.port(), {"--active"})});
    terminal.enter("hello");
    terminal.wait_for("ECHO hello\n");
    server.signal(SIGKILL);
    terminal.wait_for("echo_client: the server has closed the connection");
    EXPECT_EQ(terminal.wait_exit(), exited(1));
}

TEST(EchoClientFails, WhereNoReplyComesInTime) {
    const Server server(naive);
    // A frame: to a server that waits for a line's end it is the beginning of one.
    expect_failure(run_client(server.port(), {"--packet", "1", "--send", "abc", "--timeout", "0.1"}),
                   "no reply within 100 ms: is the server's --packet 1, too?");
}

TEST(EchoClient, TakesTheServersNameInOneWord) {
    const Server server(naive);
    const auto where = "127.0.0.1:" + std::to_string(server.port());
    expect_line(support::run_to_end({.words = {support::path_of("echo_client"), "--connect", where, "--send", "abc"}}),
                "ECHO abc");
}

TEST(EchoClientUsage, AllowsOneThingAtATime) {
    for (const std::vector<std::string>& options :
         {std::vector<std::string>{"--send", "abc", "--active"}, {"--send", "abc", "--from", "file"}}) {
        const auto finished = run_client(1, options);
        EXPECT_EQ(finished.exit, exited(2));
        EXPECT_THAT(finished.errors, HasSubstr("only one of --send, --from, --active"));
    }
}

}  // namespace
}  // namespace stages
