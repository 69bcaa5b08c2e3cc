// The Erlang door without a BEAM: our programs on both sides of it, without an epmd.

#include "chat/erlang_peer.hpp"

#include "support/descriptor.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <netinet/in.h>
#include <sys/socket.h>

namespace chat_tests {
namespace {

std::string room_of(Server& server) {
    return "chatroom@room1@localhost:" + std::to_string(server.dist_port());
}

TEST(ErlangDoor, LetsPeopleOfAnotherOfOurNodesIn) {
    auto owner = erlang_node();
    const auto room = room_of(*owner);
    Server guest({"--join", room, "--cookie", dist_cookie, "--rejoin"});
    Person michael(*owner, "Michael");
    Person mikey(guest);
    mikey.say("Mikey");
    EXPECT_EQ(mikey.hear(), "You are in the room chatroom as Mikey. /help lists the commands.");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    mikey.chat("Mikey", "Hello!");
    EXPECT_EQ(michael.hear(), "Mikey says: Hello!");
    michael.chat("Michael", "Grüß dich!");
    EXPECT_EQ(mikey.hear(), "Michael says: Grüß dich!");
    mikey.say("/join garden");
    EXPECT_THAT(mikey.hear(), Not(IsEmpty()));
    mikey.say("/quit");
    EXPECT_EQ(mikey.client().recv_until_close(), "Goodbye!\r\n");
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    Person anna(guest);
    anna.say("Anna");
    anna.hear();
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    const auto port = owner->dist_port();
    owner->signal(SIGKILL);
    owner->wait_exit();
    EXPECT_EQ(anna.hear(), awaited);
    owner = erlang_node({"--dist-port", std::to_string(port)});
    EXPECT_EQ(anna.hear(), "You are in the room chatroom as Anna. /help lists the commands.");
    anna.chat("Anna", "Again.");
    anna.leave();
    const auto told = guest.count_lines(" is DOWN: ");
    EXPECT_EQ(guest.terminate(), exited(0));
    EXPECT_EQ(guest.count_lines(" is DOWN: "), told);  // our own end is not the room's
    EXPECT_EQ(owner->terminate(), exited(0));
}

TEST(ErlangDoor, RefusesANameThatIsTakenAsADoorOfItsOwnWould) {
    auto owner = erlang_node();
    const auto room = room_of(*owner);
    Server guest({"--join", room, "--cookie", dist_cookie, "--rejoin"});
    Person ann(*owner, "Ann");
    Person other(guest);
    other.say("ann");
    EXPECT_EQ(other.hear(), "The name is taken. What is your name?");
    other.say("Anna");
    EXPECT_EQ(other.hear(), "You are in the room chatroom as Anna. /help lists the commands.");
    EXPECT_EQ(ann.hear(), "Anna has joined the room");
    other.chat("Anna", "I am heard.");
    EXPECT_EQ(ann.hear(), "Anna says: I am heard.");
    // What a refusal would say, said by somebody who is in, is speech.
    ann.chat("Ann", "the name is taken");
    EXPECT_EQ(other.hear(), "Ann says: the name is taken");
    guest.wait_for_line("handler 1 was refused: the name is taken");
    for (const std::string input : {"echo hm", "true"}) {
        const auto client = support::run_to_end(shell(input + " | exec " + support::path_of("chat_client") +
                                                      " --name ANN --room " + room + " --cookie " + dist_cookie));
        EXPECT_EQ(client.exit, exited(1)) << input;
        EXPECT_EQ(client.errors, "chat_client: refused: the name is taken\n");
        EXPECT_THAT(client.lines, IsEmpty());
    }
    Terminal typing(
        {.words = {support::path_of("chat_client"), "--name", "ANN", "--room", room, "--cookie", dist_cookie}});
    EXPECT_EQ(typing.wait_exit(), exited(1));
}

TEST(ErlangDoor, SaysOnTheWayBackThatTheNameHasBeenTakenMeanwhile) {
    auto owner = erlang_node();
    const auto port = owner->dist_port();
    Server guest({"--join", room_of(*owner), "--cookie", dist_cookie, "--rejoin"});
    Person ben(guest);
    ben.say("Ben");
    ben.hear();
    owner->signal(SIGKILL);
    owner->wait_exit();
    EXPECT_EQ(ben.hear(), awaited);
    guest.signal(SIGSTOP);
    owner = erlang_node({"--dist-port", std::to_string(port)});
    const Person thief(*owner, "Ben");
    guest.signal(SIGCONT);
    EXPECT_THAT(ben.hear(), StartsWith("The name is taken: you are out of the room"));
    ben.say("Can you hear me?");
    EXPECT_THAT(ben.hear(), StartsWith("The name is taken: you are out of the room"));
}

TEST(ErlangDoor, LetsTheClientIn) {
    auto owner = erlang_node();
    const auto room = room_of(*owner);
    const auto client = [&](const std::string& input, const std::string& name, const std::string& where,
                            const std::string& cookie) {
        return support::run_to_end(shell(input + " | " + support::path_of("chat_client") + " --name " + name +
                                         " --room " + where + " --cookie " + cookie));
    };
    const auto piped = client("printf 'one\\ntwo'", "Michael", room, dist_cookie);
    EXPECT_EQ(piped.exit, exited(0)) << piped.errors;
    EXPECT_THAT(piped.lines,
                testing::ElementsAre("Michael's client: Michael says: one", "Michael's client: Michael says: two"));
    const auto wrong = client("echo", "Michael", room, "WRONG");
    EXPECT_EQ(wrong.exit, exited(1));
    EXPECT_EQ(wrong.errors,
              "chat_client: cannot join " + room + ": it hangs up in the handshake; is the cookie the same?\n");
    owner->wait_for_line("is gone: wrong cookie");
    const auto nobody = "nobody" + room.substr(room.find('@'));
    const auto no_room = client("echo", "Michael", nobody, dist_cookie);
    EXPECT_EQ(no_room.exit, exited(1));
    EXPECT_EQ(no_room.errors, "chat_client: cannot join " + nobody + ": there is no nobody on room1@localhost\n");
}

TEST(ErlangDoor, TellsTheClientThatTheRoomIsDown) {
    auto owner = erlang_node();
    Person michael(*owner, "Michael");
    Terminal mikey({.words = {support::path_of("chat_client"), "--name", "Mikey", "--room", room_of(*owner), "--cookie",
                              dist_cookie}});
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    michael.say("Hello!");
    mikey.wait_for("Mikey's client: Michael says: Hello!\n");
    owner->signal(SIGKILL);
    EXPECT_EQ(mikey.wait_exit(), exited(1));
    EXPECT_THAT(mikey.screen(), HasSubstr("chat_client: room is DOWN: "));
}

TEST(ErlangDoor, SaysNothingAfterTheGoodbyeToWhoeverWaitsToComeIn) {
    auto owner = erlang_node();
    Server guest({"--join", room_of(*owner), "--cookie", dist_cookie});
    Person mikey(guest);
    owner->signal(SIGSTOP);
    mikey.say("Mikey");
    guest.wait_for_line("got data from client Mikey");
    EXPECT_EQ(guest.terminate(), exited(0));
    EXPECT_THAT(mikey.client().recv_until_close(), testing::EndsWith("The server is closing. Goodbye!\r\n"));
    owner->signal(SIGCONT);
}

TEST(ErlangDoor, TakesAChattyPeerAtItsRate) {
    const auto owner = erlang_node({"--rate", "10", "--burst", "2"});
    Person michael(*owner, "Michael");
    ErlangPeer peer(*owner, "chatty@localhost");
    const auto begin = std::chrono::steady_clock::now();
    peer.tell_room(peer.pid(1), "join", "Chatty");
    for (int line = 1; line <= 7; ++line) peer.tell_room(peer.pid(1), "message", std::to_string(line));
    EXPECT_EQ(michael.hear(), "Chatty has joined the room");
    for (int line = 1; line <= 7; ++line) EXPECT_EQ(michael.hear(), "Chatty says: " + std::to_string(line));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 500ms);
}

TEST(ErlangDoor, HearsNoMoreOfADeadNodesPeople) {
    const auto owner = erlang_node({"--rate", "1", "--burst", "1"});
    Person michael(*owner, "Michael");
    ErlangPeer peer(*owner, "mortal@localhost");
    peer.tell_room(peer.pid(1), "join", "Ghost");
    for (int line = 1; line <= 1000; ++line) peer.tell_room(peer.pid(1), "message", std::to_string(line));
    EXPECT_EQ(michael.hear(), "Ghost has joined the room");
    EXPECT_EQ(michael.hear(), "Ghost says: 1");
    peer.client().reset();
    EXPECT_THAT(michael.hear_up_to("Ghost has left the room (node down)"), testing::SizeIs(testing::Lt(5)));
    owner->wait_for_line("node 1 is gone: connection reset by peer");
    EXPECT_EQ(owner->terminate(), exited(0));
}

TEST(ErlangDoor, TriesFewCookiesASecond) {
    const auto owner = erlang_node();
    Person michael(*owner, "Michael");
    const auto port = owner->dist_port();
    const auto begin = std::chrono::steady_clock::now();
    constexpr int guesses = 15;
    for (int i = 0; i < guesses; ++i) {
        Client eve(port);
        auto handshake = erlang::Handshake::connecting({"eve@localhost", 1, "guess"}, 4711, "room1@localhost");
        eve.send(handshake.take_output());
        for (int packet = 0; packet < 2; ++packet) {  // its status and its challenge
            const auto length = eve.recv_exactly(2);
            handshake.packet(eve.recv_exactly(chat::ByteReader(length).u16()));
        }
        eve.send(handshake.take_output());
        eve.wait_for_end();
    }
    EXPECT_GE(std::chrono::steady_clock::now() - begin, (guesses - 2) * 100ms);
    owner->wait_for_line("is gone: wrong cookie");
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
    EXPECT_LE(owner->count_lines("is gone: wrong cookie"), static_cast<std::size_t>(seconds.count()) + 2);
    // Whoever knows it comes in.
    ErlangPeer anna(*owner, "anna@localhost");
    anna.tell_room(anna.pid(1), "join", "Anna");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    EXPECT_EQ(owner->terminate(), exited(0));
}

TEST(ErlangDoor, TakesNoMoreConnectionsThanItsBound) {
    constexpr int most = 100;
    const auto owner = erlang_node({"--handshake-timeout", "60"});
    std::vector<std::unique_ptr<Client>> strangers;
    for (int i = 0; i < most; ++i) strangers.push_back(std::make_unique<Client>(owner->dist_port()));
    Client one_more(owner->dist_port());
    EXPECT_EQ(one_more.wait_for_end(), Client::End::closed);
    owner->wait_for_line("refuses a link from ");
    EXPECT_FALSE(strangers.front()->has_news(0ms));
    EXPECT_EQ(owner->terminate(), exited(0));
}

TEST(ErlangDoor, APortThatIsTakenIsOneLineAndExit1) {
    const Server other;
    const auto port = std::to_string(other.port());
    const auto second = run("05_chat", {"--port", "0", "--sname", "room1", "--cookie", "x", "--dist-port", port});
    EXPECT_EQ(second.exit, exited(1));
    EXPECT_THAT(second.errors, StartsWith("cannot listen on 127.0.0.1:" + port + ": address already in use\n"));
    EXPECT_THAT(second.lines, IsEmpty());
}

/// Something that listens where epmd is looked for, and never says a word. `backlog` 0: once a client waits there, it
/// does not even let another one connect.
class SilentPort {
public:
    explicit SilentPort(int backlog) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        if (::bind(socket_.get(), any, size) != 0 || ::listen(socket_.get(), backlog) != 0 ||
            ::getsockname(socket_.get(), any, &size) != 0) {
            throw std::runtime_error("cannot listen");
        }
        port_ = ntohs(address.sin_port);
    }
    std::uint16_t port() const { return port_; }

private:
    support::Descriptor socket_;
    std::uint16_t port_ = 0;
};

TEST(ErlangDoor, OpensWhereEpmdIsSilent) {
    const SilentPort silent(16), full(0);
    const Client waiting(full.port());
    for (const std::uint16_t epmd : {silent.port(), full.port()}) {
        Server server({"--sname", "room1@localhost", "--cookie", dist_cookie},
                      support::Command{.words = {}, .environment = {{"ERL_EPMD_PORT", std::to_string(epmd)}}});
        server.wait_for_line("is not known to epmd: port " + std::to_string(epmd) + " does not answer as epmd would");
        Person michael(server, "Michael");
        michael.chat("Michael", "The room is open.");
        EXPECT_EQ(server.terminate(), exited(0));
    }
}

/// A home directory of its own, with this cookie file in it.
class Home {
public:
    Home() {
        std::string path = testing::TempDir() + "chat-home-XXXXXX";
        if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = path;
    }
    ~Home() { std::filesystem::remove_all(path_); }

    std::filesystem::path cookie() const { return path_ / ".erlang.cookie"; }
    support::Command environment() const {
        return {.words = {}, .environment = {{"HOME", path_.string()}, {"ERL_EPMD_PORT", "1"}}};
    }

private:
    std::filesystem::path path_;
};

TEST(ErlangDoor, MakesTheCookieFileThatErlangWouldMake) {
    using std::filesystem::perms;
    const Home home;
    Server server({"--sname", "room1"}, home.environment());
    server.dist_port();
    std::ifstream file(home.cookie());
    std::string cookie;
    file >> cookie;
    EXPECT_EQ(cookie.size(), 20u);
    EXPECT_EQ(std::filesystem::status(home.cookie()).permissions(), perms::owner_read);
}

TEST(ErlangDoor, ReadsAllOfACookieOrNone) {
    using std::filesystem::perms;
    const Home home;
    std::ofstream(home.cookie()) << std::string(255, 'c') << "\r\n";
    std::filesystem::permissions(home.cookie(), perms::owner_read | perms::owner_write);
    {
        Server longest({"--sname", "room1"}, home.environment());
        EXPECT_EQ(longest.terminate(), exited(0));
    }
    std::ofstream(home.cookie()) << std::string(256, 'c');
    auto command = home.environment();
    command.words = {support::path_of("05_chat"), "--port", "0", "--sname", "room1"};
    const auto refused = support::run_to_end(command);
    EXPECT_EQ(refused.exit, exited(1));
    EXPECT_EQ(refused.errors, home.cookie().string() + " is too long for a cookie: 255 bytes are allowed\n");
}

TEST(ErlangDoor, DoesNotTrustACookieFileThatOthersCanRead) {
    using std::filesystem::perms;
    const Home home;
    std::ofstream(home.cookie()) << "SECRET\n";
    std::filesystem::permissions(home.cookie(), perms::owner_read | perms::group_read);
    auto command = home.environment();
    command.words = {support::path_of("05_chat"), "--port", "0", "--sname", "room1"};
    const auto refused = support::run_to_end(command);
    EXPECT_EQ(refused.exit, exited(1));
    EXPECT_EQ(refused.errors, home.cookie().string() + " must be accessible by its owner only: chmod 400 " +
                                  home.cookie().string() + "\n");
}

}  // namespace
}  // namespace chat_tests
