#include "app/options.hpp"
#include "app/faults.hpp"

#include <gmock/gmock.h>

#include <algorithm>

using namespace std::chrono_literals;

namespace {

/// A server with an option of every kind.
struct Program {
    app::CommandLine line{"server", "A server for tests."};
    app::ServerOptions server;
    unsigned count = 8;
    std::chrono::milliseconds timeout{1500};

    Program() {
        line.group("This stage");
        line.number("--count", count, 10, 1000, "How many");
        line.seconds("--timeout", timeout, 1h, "How long");
        server.declare(line);
    }

    Program& parse(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "./server");
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        line.parse_or_exit(static_cast<int>(argv.size()), argv.data());
        return *this;
    }
};

bool is_one_line(const std::string& text) {
    return std::count(text.begin(), text.end(), '\n') == 1 && text.ends_with('\n');
}

/// Expects one line on stderr that starts with `said`, and exit 2.
void expect_mistake(const std::vector<std::string>& arguments, const std::string& said) {
    const std::string shown = testing::PrintToString(arguments);
    EXPECT_EXIT(Program().parse(arguments), testing::ExitedWithCode(2),
                testing::AllOf(testing::StartsWith("server: " + said), testing::HasSubstr("--help explains"),
                               testing::ResultOf(is_one_line, true)))
        << shown;
}

}  // namespace

TEST(Options, DefaultsAreTheContracts) {
    Program program;
    program.parse({});
    EXPECT_EQ(program.server.host, "127.0.0.1");
    EXPECT_EQ(program.server.port, 1234);
    EXPECT_EQ(program.server.socket.packet, net::Packet::line);
    EXPECT_EQ(program.server.socket.max_packet, 65536U);
    EXPECT_EQ(program.server.socket.backlog, 1024);
    EXPECT_EQ(program.server.log, app::Log::text);
    EXPECT_FALSE(program.server.faults);
    EXPECT_EQ(program.count, 8U);
    EXPECT_EQ(program.timeout, 1500ms);
}

TEST(Options, AreReceived) {
    Program program;
    program.parse({"--host", "::1", "--port=0", "--packet", "4", "--max-packet", "1", "--backlog", "65535", "--log",
                   "json", "--faults", "--count", "1000", "--timeout", "0.25"});
    EXPECT_EQ(program.server.host, "::1");
    EXPECT_EQ(program.server.port, 0);
    EXPECT_EQ(program.server.socket.packet, net::Packet::four);
    EXPECT_EQ(program.server.socket.max_packet, 1U);
    EXPECT_EQ(program.server.socket.backlog, 65535);
    EXPECT_EQ(program.server.log, app::Log::json);
    EXPECT_TRUE(program.server.faults);
    EXPECT_EQ(program.count, 1000U);
    EXPECT_EQ(program.timeout, 250ms);
}

TEST(Options, EveryPacketModeHasItsName) {
    for (std::size_t i = 0; i < net::packet_names.size(); ++i) {
        Program program;
        program.parse({"--packet", std::string(net::packet_names[i])});
        EXPECT_EQ(program.server.socket.packet, static_cast<net::Packet>(i));
        EXPECT_EQ(program.server.reply_prefix(), program.server.socket.packet == net::Packet::line ? "ECHO " : "");
    }
}

TEST(Options, TheLastOneCounts) {
    Program program;
    program.parse(
        {"--port", "1", "--log", "json", "--port", "2", "--log", "quiet", "--timeout", "1", "--timeout", "2"});
    EXPECT_EQ(program.server.port, 2);
    EXPECT_EQ(program.server.log, app::Log::quiet);
    EXPECT_EQ(program.timeout, 2s);
}

TEST(Options, NumbersAreDecimal) {
    Program program;
    program.parse({"--port", "010", "--count", "0099"});
    EXPECT_EQ(program.server.port, 10);
    EXPECT_EQ(program.count, 99U);
}

TEST(OptionsDeathTest, AMistakeIsOneLineThatSaysWhatIsAllowed) {
    expect_mistake({"--prot", "1"}, "unknown: --prot 1; allowed: --count --timeout --host --port");
    expect_mistake({"1234"}, "unknown: 1234; allowed:");
    for (const std::string wrong : {"65536", "-1", "x", "1x", "0x10", "1.5", "", " 1", "99999999999999999999"}) {
        expect_mistake({"--port=" + wrong},
                       wrong.empty() ? "--port" : "--port: " + wrong + ": a whole number from 0 to 65535 is allowed");
    }
    expect_mistake({"--port", "-1"}, "--port");
    expect_mistake({"--count", "9"}, "--count: 9: a whole number from 10 to 1000 is allowed");
    expect_mistake({"--count", "011x"}, "--count: 011x: a whole number from 10 to 1000 is allowed");
    expect_mistake({"--max-packet", "0"}, "--max-packet: 0: a whole number from 1 to 1073741824 is allowed");
    expect_mistake({"--packet", "3"}, "--packet: 3: raw|line|1|2|4 is allowed");
    expect_mistake({"--log", "JSON"}, "--log: JSON: text|json|quiet is allowed");
    for (const std::string wrong : {"3601", "-1", "x", "1s", "nan", "inf", "1e99"}) {
        expect_mistake({"--timeout=" + wrong},
                       "--timeout: " + wrong + ": a number of seconds from 0 to 3600 is allowed");
    }
    expect_mistake({"--port"}, "--port: ");
    expect_mistake({"--faults=perhaps"}, "--faults: perhaps: true|false is allowed");
    // What a script's unset variable becomes.
    expect_mistake({"--host", ""}, "--host: empty: HOST is allowed");
}

TEST(Options, AServerIsNamedInOneWordOrInTwo) {
    for (std::vector<std::string> arguments :
         {std::vector<std::string>{"--connect", "[::1]:99"}, {"--host", "::1", "--port", "99"}}) {
        app::CommandLine line{"client", "A client for tests."};
        std::string host = "127.0.0.1";
        std::uint16_t port = 1234;
        line.server(host, port);
        arguments.insert(arguments.begin(), "./client");
        std::vector<char*> argv;
        for (auto& argument : arguments) argv.push_back(argument.data());
        line.parse_or_exit(static_cast<int>(argv.size()), argv.data());
        EXPECT_EQ(host, "::1");
        EXPECT_EQ(port, 99);
    }
    EXPECT_EQ(app::parse_address("host.example:1"), std::pair(std::string("host.example"), std::uint16_t{1}));
    for (const auto* const wrong : {"", ":", ":1", "host", "host:", "host:0", "host:65536", "host:1x", "[]:1"}) {
        EXPECT_EQ(app::parse_address(wrong), std::nullopt) << wrong;
    }
}

TEST(OptionsDeathTest, AMistakeIsOneLineWhateverWasTyped) {
    expect_mistake({"--two\nlines\x1b[2J"}, "unknown: --two\\nlines\\x1b[2J;");
    expect_mistake({"--log", "a\nb"}, "--log: a\\nb: ");
    expect_mistake({"--log", std::string(100'000, 'x')}, "--log: xxx");
}

TEST(OptionsDeathTest, MistakesThatShowTogetherLookTheSame) {
    EXPECT_EXIT(Program().line.usage_error("--a and --b exclude each other"), testing::ExitedWithCode(2),
                testing::StrEq("server: --a and --b exclude each other (server --help explains)\n"));
}

TEST(OptionsDeathTest, HelpAndVersionAnswerAndEndWell) {
    // Their text is on stdout; here only that nothing is on stderr.
    for (const std::string asked : {"--help", "-h", "--version"}) {
        EXPECT_EXIT(Program().parse({asked}), testing::ExitedWithCode(0), testing::StrEq("")) << asked;
    }
}

// Letter by letter: no version of CLI11 may change what our pages show.
TEST(Options, HelpHasTheStagesOwnFirstAndDefaults) {
    Program program;
    program.parse({});
    EXPECT_EQ(program.line.help(),
              "A server for tests.\n"
              "Usage: server [OPTIONS]\n"
              "\n"
              "This stage:\n"
              "  --count NUMBER=8            How many\n"
              "  --timeout SECONDS=1.500     How long\n"
              "\n"
              "Where it listens:\n"
              "  --host HOST=127.0.0.1       An address (::1 too) or a name\n"
              "  --port NUMBER=1234          A TCP port; 0 takes a free one\n"
              "  --backlog NUMBER=1024       Clients that may wait for accept\n"
              "\n"
              "What it speaks:\n"
              "  --packet raw|line|1|2|4=line\n"
              "                              Raw bytes, lines, or frames with a length of 1, 2, 4 bytes\n"
              "  --max-packet NUMBER=65536   Longest line or frame, in bytes\n"
              "\n"
              "What it tells:\n"
              "  --log text|json|quiet=text  The story as text, as JSON Lines, or not at all\n"
              "  --faults                    Obey lines that break the server: " +
                  std::string(app::faults::commands) +
                  "\n"
                  "\n"
                  "Help:\n"
                  "  -h,--help                   Print this help and exit\n"
                  "  --version                   Print the version and exit\n");
}

TEST(Options, HelpSaysWhatIsRequiredAndLeavesOutWhatIsNotForPeople) {
    app::CommandLine line("client", "A client for tests.");
    std::string name;
    bool hidden = false;
    line.text("--name", name, "NAME", "Who you are");
    line.require("--name");
    line.group("");
    line.flag("--as-worker", hidden, "For ourselves");
    EXPECT_EQ(line.help(),
              "A client for tests.\n"
              "Usage: client [OPTIONS]\n"
              "\n"
              "Options:\n"
              "  --name NAME REQUIRED        Who you are\n");
}
