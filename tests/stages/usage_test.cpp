// The command line: one clear line for each mistake, the exit codes of the contract, and where a server listens.

#include "stages/stage.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <unistd.h>

namespace stages {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Usage : public EveryStage {
protected:
    static support::Finished run(const std::vector<std::string>& options, support::Command conditions = {}) {
        conditions.words = {support::path_of(stage())};
        conditions.words.insert(conditions.words.end(), options.begin(), options.end());
        return support::run_to_end(conditions);
    }
};
INSTANTIATE_TEST_SUITE_P(Stage, Usage, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

/// A mistake: its one line on stderr names what was wrong and what is allowed.
struct Mistake {
    std::vector<std::string> options;
    std::string what, allowed;
};

void expect_explained(const support::Finished& finished, const Mistake& mistake) {
    EXPECT_EQ(finished.exit, exited(2));
    EXPECT_THAT(finished.lines, IsEmpty());
    EXPECT_THAT(finished.errors, HasSubstr(mistake.what));
    EXPECT_THAT(finished.errors, HasSubstr(mistake.allowed));
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
    EXPECT_TRUE(finished.errors.ends_with('\n'));
}

TEST_P(Usage, AMistakeIsExplainedInOneLineAndExits2) {
    for (const Mistake& mistake : {
             Mistake{{"--prot", "1234"}, "--prot", "--port"},
             Mistake{{"1234"}, "1234", "--port"},
             Mistake{{"--port"}, "--port", "NUMBER"},
             Mistake{{"--port", "65536"}, "--port: 65536", "from 0 to 65535"},
             Mistake{{"--port", "-1"}, "--port: -1", "from 0 to 65535"},
             Mistake{{"--port", "http"}, "--port: http", "from 0 to 65535"},
             Mistake{{"--port", "12x"}, "--port: 12x", "from 0 to 65535"},
             Mistake{{"--port", "99999999999999999999"}, "--port: 99999999999999999999", "from 0 to 65535"},
             Mistake{{"--packet", "3"}, "--packet: 3", "raw|line|1|2|4"},
             Mistake{{"--max-packet", "0"}, "--max-packet: 0", "from 1 to"},
             Mistake{{"--backlog", "0"}, "--backlog: 0", "from 1 to"},
             Mistake{{"--log", "xml"}, "--log: xml", "text|json|quiet"},
         }) {
        SCOPED_TRACE(mistake.what);
        expect_explained(run(mistake.options), mistake);
    }
}

TEST(UsageOfThePool, AMistakeIsExplainedInOneLineAndExits2) {
    for (const Mistake& mistake : {
             Mistake{{"--acceptors", "0"}, "--acceptors: 0", "from 1 to"},
             Mistake{{"--threads", "0"}, "--threads: 0", "from 1 to"},
             Mistake{{"--max-connections", "-1"}, "--max-connections: -1", "from 0 to"},
             Mistake{{"--overload", "maybe"}, "--overload: maybe", "queue|reject"},
             Mistake{{"--idle-timeout", "soon"}, "--idle-timeout: soon", "a number of seconds from 0 to"},
             Mistake{{"--shutdown-timeout", "-1"}, "--shutdown-timeout: -1", "a number of seconds from 0 to"},
             Mistake{{"--setup-ms", "1.5"}, "--setup-ms: 1.5", "a whole number from 0 to"},
         }) {
        SCOPED_TRACE(mistake.what);
        std::vector<std::string> words{support::path_of(acceptor_pool)};
        words.insert(words.end(), mistake.options.begin(), mistake.options.end());
        expect_explained(support::run_to_end({.words = words}), mistake);
    }
}

TEST_P(Usage, HelpShowsTheOptionsInGroupsWithTheirDefaults) {
    const auto help = run({"--help"});
    EXPECT_EQ(help.exit, exited(0));
    EXPECT_EQ(help.errors, "");
    std::string text;
    for (const auto& line : help.lines) text += line + "\n";
    std::vector<std::string> groups{"Where it listens:", "What it speaks:", "What it tells:", "Help:"};
    // The stage's own come first.
    if (stage() != naive) groups.insert(groups.begin(), "This stage:");
    std::size_t at = 0;
    for (const auto& group : groups) {
        at = text.find("\n" + group + "\n", at);
        ASSERT_NE(at, std::string::npos) << group << " is missing or out of order in:\n" << text;
    }
    for (const auto* const option :
         {"--host HOST=127.0.0.1", "--port NUMBER=1234", "--packet raw|line|1|2|4=line", "--max-packet NUMBER=65536",
          "--backlog NUMBER=1024", "--log text|json|quiet=text", "--faults", "--version"}) {
        EXPECT_THAT(text, HasSubstr(option));
    }
}

TEST_P(Usage, VersionNamesTheStage) {
    const auto version = run({"--version"});
    EXPECT_EQ(version.exit, exited(0));
    EXPECT_THAT(version.lines, ElementsAre(StartsWith(stage() + " 0.")));
}

TEST_P(Usage, APortThatIsTakenIsExit1AndSaysWhoHasIt) {
    const Server other(stage());
    const auto port = std::to_string(other.port());
    const auto second = run({"--port", port});
    EXPECT_EQ(second.exit, exited(1));
    const auto pid = std::to_string(other.process().pid());
    const auto next = std::to_string(other.port() < 65535 ? other.port() + 1 : other.port() - 1);
    EXPECT_EQ(second.errors, "cannot listen on 127.0.0.1:" + port + ": address already in use\n" + stage() +
                                 " (process " + pid + ") has the port: end it (kill " + pid +
                                 "), or choose another one: --port " + next + "\n");
    EXPECT_THAT(second.lines, IsEmpty());
    expect_served(other.port());
}

TEST_P(Usage, APortThatIsNotPermittedIsOneLineAndExit1) {
    constexpr unsigned nobody = 65534;
    constexpr int port = 81;
    int first_free = 0;
    std::ifstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") >> first_free;
    if (first_free <= port) GTEST_SKIP() << "this system lets everybody listen on ports below 1024";
    support::Command conditions;
    if (::geteuid() == 0) conditions.user = nobody;
    const auto refused = run({"--port", std::to_string(port)}, conditions);
    if (refused.errors.find("setpriv: ") != std::string::npos) GTEST_SKIP() << "as another user: " << refused.errors;
    EXPECT_EQ(refused.exit, exited(1));
    EXPECT_EQ(refused.errors, "cannot listen on 127.0.0.1:81: permission denied\n");
}

TEST_P(Usage, AnUnknownHostIsOneLineAndExit1) {
    // Where no name server answers, nobody waits for it for long.
    const support::Command conditions{.words = {}, .environment = {{"RES_OPTIONS", "timeout:1 attempts:1"}}};
    const auto unknown = run({"--host", "no.such.host.invalid"}, conditions);
    EXPECT_EQ(unknown.exit, exited(1));
    EXPECT_THAT(unknown.errors, StartsWith("cannot listen on no.such.host.invalid:1234: host not found"));
    EXPECT_EQ(std::count(unknown.errors.begin(), unknown.errors.end(), '\n'), 1);
    EXPECT_THAT(unknown.lines, IsEmpty());
}

// Else a socket would get the number 1, and what is told would go to a client.
TEST_P(Usage, StdinAndStdoutMayBeClosed) {
    const std::string closed = R"(exec "$0" --port 0 <&- >&-)";
    const support::Program server({.words = {"sh", "-c", closed, support::path_of(stage())}});
    const auto descriptors = "/proc/" + std::to_string(server.process().pid()) + "/fd/";
    for (const auto* const stream : {"0", "1"}) {
        EXPECT_TRUE(support::eventually([&] {
            std::error_code not_yet;
            return std::filesystem::read_symlink(descriptors + stream, not_yet) == "/dev/null";
        })) << "descriptor "
            << stream;
    }
}

TEST_P(Usage, WhatWasTypedIsSafeToPrint) {
    const auto unknown = run({"--host", "no\x1b[2J.invalid"});
    EXPECT_EQ(unknown.exit, exited(1));
    EXPECT_THAT(unknown.errors, StartsWith("cannot listen on no\\x1b[2J.invalid:1234: "));
}

TEST_P(Usage, TooFewDescriptorsToBeginWithAreOneLineAndExit1) {
    if (support::sanitized) GTEST_SKIP() << "a sanitizer needs descriptors of its own";
    for (const std::string descriptors : {"4", "5", "6"}) {
        SCOPED_TRACE(descriptors);
        // Without those that it would inherit from whoever runs the tests.
        const std::string limited =
            "exec 3<&- 4<&- 5<&- 6<&- 7<&-; ulimit -n " + descriptors + R"(; exec "$0" --port 0)";
        const auto finished = support::run_to_end({.words = {"sh", "-c", limited, support::path_of(stage())}});
        EXPECT_EQ(finished.exit, exited(1));
        EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
        EXPECT_THAT(finished.errors, HasSubstr(": too many open files\n"));
    }
}

TEST_P(Usage, NoThreadToBeginWithIsOneLineAndExit1) {
    if (stage() == naive) GTEST_SKIP() << "it needs none";
    if (::geteuid() != 0) GTEST_SKIP() << "root only can become somebody without other processes";
    constexpr unsigned somebody = 54321;
    const auto finished = support::run_to_end(
        {.words = {"prlimit", "--nproc=1", support::path_of(stage()), "--port", "0", "--log", "quiet"},
         .user = somebody});
    if (finished.errors.find("ermission denied") != std::string::npos) GTEST_SKIP() << finished.errors;
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_EQ(finished.errors, "cannot go on: resource temporarily unavailable\n");
}

TEST_P(Usage, AnAddressOfAnotherMachineIsOneLineAndExit1) {
    const auto other = run({"--host", "192.0.2.200", "--port", "0"});
    EXPECT_EQ(other.exit, exited(1));
    EXPECT_EQ(other.errors, "cannot listen on 192.0.2.200:0: cannot assign requested address\n");
}

TEST_P(Usage, AnOptionSaidTwiceCountsTheLastTime) {
    const Server server(stage(), {"--packet", "4", "--packet", "line"});
    expect_served(server.port());
}

TEST_P(Usage, ListensOnLocalhostByName) {
    const Server server(stage(), {"--host", "localhost"});
    try {
        expect_served(server.port());
    } catch (const std::system_error&) {
        // localhost may be ::1 first.
        Client client(server.port(), {.host = "::1"});
        expect_served(client);
    }
}

TEST_P(Usage, ListensOnIPv6) {
    std::ifstream addresses("/proc/net/if_inet6");
    const std::string all(std::istreambuf_iterator<char>(addresses), {});
    if (all.find("00000000000000000000000000000001") == std::string::npos) GTEST_SKIP() << "there is no ::1 here";
    Server server(stage(), {"--host", "::1"});
    EXPECT_EQ(server.lines().at(0), "Listening on [::1]:" + std::to_string(server.port()));
    Client client(server.port(), {.host = "::1"});
    expect_served(client);
    server.wait_for_line("got client connection " + client.name());
}

TEST_P(Usage, APortIsFreeAgainWhenItsServerHasGone) {
    std::string port;
    Client client = [&] {
        Server server(stage());
        port = std::to_string(server.port());
        Client connected(server.port());
        expect_served(connected);
        // The server's side closes first, so its address stays in TIME_WAIT.
        server.signal(SIGKILL);
        server.wait_exit();
        return connected;
    }();
    EXPECT_EQ(client.wait_for_end(), Client::End::closed);
    const Server again(stage(), {"--port", port});
    expect_served(again.port());
}

}  // namespace
}  // namespace stages
