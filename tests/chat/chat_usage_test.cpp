// The command lines of 05_chat and chat_client: one clear line for each mistake, and the exit codes of the contract.

#include "chat/chat.hpp"
#include "support/descriptor.hpp"

#include <array>

#include <netinet/in.h>
#include <sys/socket.h>

namespace chat_tests {
namespace {

struct Mistake {
    std::vector<std::string> options;
    std::string what, allowed;
};

void expect_explained(const std::string& program, const Mistake& mistake) {
    SCOPED_TRACE(mistake.what);
    const auto finished = run(program, mistake.options);
    EXPECT_EQ(finished.exit, exited(2));
    EXPECT_THAT(finished.lines, IsEmpty());
    EXPECT_THAT(finished.errors, HasSubstr(mistake.what));
    EXPECT_THAT(finished.errors, HasSubstr(mistake.allowed));
    EXPECT_EQ(std::count(finished.errors.begin(), finished.errors.end(), '\n'), 1) << finished.errors;
}

TEST(ChatUsage, AMistakeIsExplainedInOneLineAndExits2) {
    for (const Mistake& mistake : {
             Mistake{{"--packet", "line"}, "--packet", "--port"},
             Mistake{{"--max-line", "0"}, "--max-line: 0", "from 1 to"},
             Mistake{{"--max-line", "100000"}, "--max-line: 100000", "to 32768"},
             Mistake{{"--history", "-1"}, "--history: -1", "from 0 to"},
             Mistake{{"--max-people", "0"}, "--max-people: 0", "from 1 to"},
             Mistake{{"--max-rooms", "none"}, "--max-rooms: none", "from 1 to"},
             Mistake{{"--rate", "-2"}, "--rate: -2", "from 0 to"},
             Mistake{{"--burst", "0"}, "--burst: 0", "from 1 to"},
             Mistake{{"--idle-timeout", "soon"}, "--idle-timeout: soon", "a number of seconds from 0 to"},
             Mistake{{"--max-backlog", "1"}, "--max-backlog: 1", "from 65536 to"},
             Mistake{{"--max-waiting", "65536"}, "--max-waiting: 65536", "--max-backlog"},
             Mistake{{"--name-timeout", "soon"}, "--name-timeout: soon", "a number of seconds from 0 to"},
             Mistake{{"--node-port", "65536"}, "--node-port: 65536", "from 0 to 65535"},
             Mistake{{"--join", "nowhere"}, "--join: nowhere", "HOST:PORT or chatroom@room1@host[:port]"},
             Mistake{{"--join", "chatroom@room1"}, "--join: chatroom@room1", "chatroom@room1@host[:port]"},
             Mistake{{"--join", "127.0.0.1:1", "--node-port", "0"}, "--node-port", "--join"},
             Mistake{{"--join", "127.0.0.1:1", "--sname", "room2"}, "--sname", "--join"},
             Mistake{{"--rejoin"}, "--rejoin", "--join"},
             Mistake{{"--cookie", ""}, "--cookie", "empty"},
             Mistake{{"--cookie", std::string(256, 'c')}, "--cookie", "at most 255 bytes"},
             Mistake{{"--sname", "two words"}, "--sname: two words", "NAME or NAME@HOST"},
             Mistake{{"--sname", "a@b@c"}, "--sname: a@b@c", "NAME or NAME@HOST"},
             Mistake{{"--sname", std::string(400, 'n')}, "--sname: nnn", "at most 255 bytes"},
             Mistake{{"--register", "net_kernel"}, "--register: net_kernel", "no other process"},
             Mistake{{"--register", std::string(400, 'n')}, "--register: nnn", "at most 255 characters"},
             Mistake{{"--register", "\x1b[2J"}, "--register: \\x1b[2J", "at most 255 characters"},
             Mistake{{"--engine", "redis"}, "--engine: redis", "local|etcd"},
             Mistake{{"--etcd", "http://127.0.0.1:2379"}, "--etcd", "needs --engine etcd"},
             Mistake{{"--etcd-prefix", "six"}, "--etcd-prefix", "needs --engine etcd"},
             Mistake{{"--engine", "local", "--node-name", "A"}, "--node-name", "needs --engine etcd"},
             Mistake{{"--etcd-ca", "ca.crt"}, "--etcd-ca", "needs --engine etcd"},
             Mistake{{"--engine", "etcd", "--join", "127.0.0.1:1"}, "--engine", "--join"},
             Mistake{{"--engine", "etcd", "--join", "chatroom@room1@host"}, "--engine", "--join"},
             Mistake{{"--engine", "etcd", "--etcd", ""}, "--etcd", "empty"},
             Mistake{{"--engine", "etcd", "--etcd", "127.0.0.1:2379"}, "--etcd: 127.0.0.1:2379", "http://HOST:PORT"},
             Mistake{{"--engine", "etcd", "--etcd", "http://a:1,"}, "--etcd: http://a:1,", "http://HOST:PORT"},
             Mistake{{"--engine", "etcd", "--etcd", "http://a"}, "--etcd: http://a", "http://HOST:PORT"},
             Mistake{{"--engine", "etcd", "--etcd", "http://a:0"}, "--etcd: http://a:0", "http://HOST:PORT"},
             Mistake{{"--engine", "etcd", "--etcd", "ftp://a:1"}, "--etcd: ftp://a:1", "http://HOST:PORT"},
             Mistake{{"--engine", "etcd", "--etcd", "http://a\nb:1"}, "--etcd: http://a\\nb:1", "http://HOST:PORT"},
             Mistake{{"--engine", "etcd", "--etcd-ca", "ca.crt"}, "--etcd-ca", "https://"},
             Mistake{{"--engine", "etcd", "--etcd-prefix", "/five"}, "--etcd-prefix: /five", "without spaces"},
             Mistake{{"--engine", "etcd", "--etcd-prefix", "a b"}, "--etcd-prefix: a b", "without spaces"},
             Mistake{{"--engine", "etcd", "--node-name", "a/b"}, "--node-name: a/b", "without spaces and /"},
             Mistake{{"--engine", "etcd", "--node-name", std::string(400, 'n')}, "--node-name: nnn", "at most 255"},
         }) {
        expect_explained("05_chat", mistake);
    }
    for (const Mistake& mistake : {
             Mistake{{}, "--name", "required"},
             Mistake{{"--name", "two words"}, "--name", "no spaces"},
             Mistake{{"--name", "Michael", "--connect", "nowhere"}, "--connect: nowhere", "HOST:PORT"},
             Mistake{{"--name", "Michael", "--cookie", ""}, "--cookie", "empty"},
             Mistake{{"--name", "Michael", "--room", "nowhere"}, "--room: nowhere", "chatroom@room1@host[:port]"},
         }) {
        expect_explained("chat_client", mistake);
    }
}

TEST(ChatUsage, HelpShowsTheOptionsInGroupsWithTheirDefaults) {
    const auto help = run("05_chat", {"--help"});
    EXPECT_EQ(help.exit, exited(0));
    std::string text;
    for (const auto& line : help.lines) text += line + "\n";
    std::size_t at = 0;
    for (const std::string group : {"The room:", "The people:", "Other C++ nodes:", "Erlang and Elixir nodes:",
                                    "Where it listens:", "What it tells:", "Help:"}) {
        at = text.find("\n" + group + "\n", at);
        ASSERT_NE(at, std::string::npos) << group << " is missing or out of order in:\n" << text;
    }
    for (const auto* const option : {"--max-line NUMBER=4096",
                                     "--history NUMBER=20",
                                     "--max-people NUMBER=10000",
                                     "--max-rooms NUMBER=1000",
                                     "--rate NUMBER=2",
                                     "--burst NUMBER=5",
                                     "--idle-timeout SECONDS=900",
                                     "--max-backlog NUMBER=1048576",
                                     "--max-waiting NUMBER=67108864",
                                     "--name-timeout SECONDS=60",
                                     "--node-port",
                                     "--join WHERE",
                                     "--rejoin",
                                     "--handshake-timeout SECONDS=5",
                                     "--sname NAME",
                                     "--cookie TEXT",
                                     "--dist-host HOST=127.0.0.1",
                                     "--dist-port NUMBER=0",
                                     "--register NAME=chatroom",
                                     "--port NUMBER=1234",
                                     "--faults",
                                     "--version"}) {
        EXPECT_THAT(text, HasSubstr(option));
    }
    EXPECT_THAT(text, Not(HasSubstr("--packet")));
}

TEST(ChatUsage, EachPortThatIsTakenIsExit1AndSaysWhichOptionChoosesAnother) {
    const Server other;
    const auto port = std::to_string(other.port());
    const auto taken = "cannot listen on 127.0.0.1:" + port + ": address already in use\n";
    for (const std::vector<std::string>& options : {
             std::vector<std::string>{"--port", port},
             {"--port", "0", "--node-port", port},
         }) {
        const auto second = run("05_chat", options);
        EXPECT_EQ(second.exit, exited(1));
        EXPECT_THAT(second.errors, StartsWith(taken));
        EXPECT_THAT(second.errors, HasSubstr("or choose another one: " + options[options.size() - 2] + " "));
        EXPECT_THAT(second.lines, IsEmpty());
    }
    Person michael(other, "Michael");
}

TEST(ChatUsage, ANodeThatIsNotThereIsOneLineAndExit1) {
    std::uint16_t free_port = 0;
    {
        Server server;
        free_port = server.port();
    }
    const auto where = "127.0.0.1:" + std::to_string(free_port);
    const auto server = run("05_chat", {"--port", "0", "--join", where});
    EXPECT_EQ(server.exit, exited(1));
    EXPECT_EQ(server.errors, "cannot join " + where + ": connection refused\n");
    const auto client = run("chat_client", {"--name", "Michael", "--connect", where});
    EXPECT_EQ(client.exit, exited(1));
    EXPECT_EQ(client.errors, "chat_client: cannot connect to " + where + ": connection refused\n");
}

TEST(ChatUsage, TheFirstLineIsPlainInEveryLogMode) {
    for (const std::string mode : {"text", "json", "quiet"}) {
        Server server({"--log", mode});
        EXPECT_EQ(server.lines().at(0), "Listening on 127.0.0.1:" + std::to_string(server.port()));
        Person michael(server, "Michael");
        EXPECT_EQ(server.terminate(), exited(0));
        for (std::size_t i = 1; mode == "json" && i < server.lines().size(); ++i) {
            EXPECT_THAT(server.lines()[i], StartsWith("{\"time\":"));
        }
        if (mode == "quiet") {
            EXPECT_EQ(server.lines().size(), 1u);
        }
        EXPECT_EQ(server.errors(), "");
    }
}

TEST(ChatClient, PrintsWhatTheRoomSaysAndPostsWhatIsTyped) {
    Server server;
    const auto where = "127.0.0.1:" + std::to_string(server.port());
    Person mikey(server, "Mikey");
    Terminal michael({.words = {support::path_of("chat_client"), "--name", "Michael", "--connect", where}});
    EXPECT_EQ(mikey.hear(), "Michael has joined the room");
    mikey.say("Hello!");
    michael.wait_for("Michael's client: Mikey says: Hello!\n");
    michael.enter("Hi!");
    michael.wait_for("Michael's client: Michael says: Hi!\n");
    mikey.hear();
    EXPECT_EQ(mikey.hear(), "Michael says: Hi!");
    michael.press_ctrl('D');
    EXPECT_EQ(michael.wait_exit(), exited(0));
    EXPECT_EQ(mikey.hear(), "Michael has left the room");
}

TEST(ChatClient, SaysWhatIsPipedAndEndsWell) {
    Server server;
    const auto client = support::path_of("chat_client") + " --connect 127.0.0.1:" + std::to_string(server.port());
    const auto piped = support::run_to_end(shell("printf 'one\\ntwo' | " + client + " --name Michael"));
    EXPECT_EQ(piped.exit, exited(0));
    EXPECT_THAT(piped.lines,
                testing::ElementsAre("Michael's client: Michael says: one", "Michael's client: Michael says: two"));
    EXPECT_EQ(piped.errors, "");
    Person mikey(server, "Mikey", 2);
    const auto taken = support::run_to_end(shell("echo hm | " + client + " --name mikey"));
    EXPECT_EQ(taken.exit, exited(1));
    EXPECT_EQ(taken.errors, "chat_client: refused: The name is taken. What is your name?\n");
}

/// A server that the test plays.
class PlayedServer {
public:
    PlayedServer() : door_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        if (::bind(door_.get(), any, size) != 0 || ::listen(door_.get(), 1) != 0 ||
            ::getsockname(door_.get(), any, &size) != 0) {
            throw std::runtime_error("cannot listen");
        }
        port_ = std::to_string(ntohs(address.sin_port));
    }

    const std::string& port() const { return port_; }
    support::Descriptor accept() const { return support::Descriptor(::accept(door_.get(), nullptr, nullptr)); }

private:
    support::Descriptor door_;
    std::string port_;
};

/// What chat_client makes of a server that sends just this, and closes.
support::Finished client_of(const std::string& bytes) {
    const PlayedServer server;
    // It has a keyboard at which nobody types.
    support::Program client({.words = {support::path_of("chat_client"), "--name", "Ann", "--port", server.port()}});
    {
        const auto session = server.accept();
        ::send(session.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        std::array<char, 100> name;
        while (::recv(session.get(), name.data(), name.size(), 0) > 0 && bytes.size() < 1000) {
            ::shutdown(session.get(), SHUT_WR);
        }
    }
    const auto exit = client.wait_exit();
    return {exit, client.lines(), client.errors()};
}

TEST(ChatClient, GivesUpOnAServerThatRefusesInOtherWordsAndStays) {
    const PlayedServer server;
    support::Program client({.words = {support::path_of("chat_client"), "--name", "Ann", "--port", server.port(),
                                       "--join-timeout", "0.1"}});
    const auto session = server.accept();
    const std::string_view words = "Nobody comes in today.\n";
    ::send(session.get(), words.data(), words.size(), MSG_NOSIGNAL);
    EXPECT_EQ(client.wait_exit(), exited(1));
    EXPECT_EQ(client.errors(),
              "chat_client: the server has neither let us in nor sent us away within --join-timeout\n");
}

TEST(ChatClient, KnowsWhatWasSaidBeforeFromARefusal) {
    const std::string in = "You are in the room lobby as Ann. /help lists the commands.\r\n";
    const auto history = client_of("Welcome! What is your name?\r\nBen waves\r\nBen says: What is your name?\r\n" + in);
    EXPECT_THAT(history.lines,
                testing::ElementsAre("Ann's client: Ben waves", "Ann's client: Ben says: What is your name?"));
    EXPECT_THAT(history.errors, Not(HasSubstr("refused")));
    const auto refused = client_of("Welcome! What is your name?\r\nA name has no spaces. What is your name?\r\n");
    EXPECT_EQ(refused.exit, exited(1));
    EXPECT_EQ(refused.errors, "chat_client: refused: A name has no spaces. What is your name?\n");
}

TEST(ChatClient, ShowsTextAndObeysNothing) {
    const std::string in = "You are in the room lobby as Ann. /help lists the commands.\r\n";
    const auto shown = client_of(in +
                                 "Ben says: \x1b[2J\x1b]0;owned\x07\xc2\x9b"
                                 "boo\r\nbad\xfe\r\n");
    EXPECT_THAT(shown.lines, testing::ElementsAre("Ann's client: Ben says: [2J]0;ownedboo", "Ann's client: bad\\xfe"));
    const auto refused = client_of("\x1b[2JNo. What is your name?\r\n");
    EXPECT_EQ(refused.exit, exited(1));
    EXPECT_EQ(refused.errors, "chat_client: refused: [2JNo. What is your name?\n");
}

TEST(ChatClient, SaysWhatIsWrongWithALineThatDoesNotEnd) {
    const auto huge = client_of(std::string(100'000, 'H'));
    EXPECT_EQ(huge.exit, exited(1));
    EXPECT_EQ(huge.errors, "chat_client: the server's line is too long\n");
    const auto silent = client_of("");
    EXPECT_EQ(silent.exit, exited(1));
    EXPECT_EQ(silent.errors, "chat_client: the server closed the connection before we were in the room\n");
}

TEST(ChatClient, TakesTheServersAddressInTwoWordsToo) {
    Server server;
    const auto client =
        support::run_to_end(shell("echo Hello! | " + support::path_of("chat_client") +
                                  " --name Ann --host localhost --port " + std::to_string(server.port())));
    EXPECT_EQ(client.exit, exited(0)) << client.errors;
    EXPECT_THAT(client.lines, testing::ElementsAre("Ann's client: Ann says: Hello!"));
}

TEST(ChatClient, TellsThatTheServerHasGone) {
    Server server;
    Terminal michael({.words = {support::path_of("chat_client"), "--name", "Michael", "--connect",
                                "127.0.0.1:" + std::to_string(server.port())}});
    // The server knows that Michael is in before his client does.
    michael.enter("Hi!");
    michael.wait_for("Michael's client: Michael says: Hi!\n");
    server.signal(SIGKILL);
    EXPECT_EQ(michael.wait_exit(), exited(1));
    EXPECT_THAT(michael.screen(), HasSubstr("chat_client: connection lost: "));
}

}  // namespace
}  // namespace chat_tests
