// The Erlang door without a BEAM: our programs on both sides of it, without an epmd.

#include "chat/erlang_peer.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

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
    EXPECT_EQ(guest.terminate(), exited(0));
    EXPECT_EQ(owner->terminate(), exited(0));
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

TEST(ErlangDoor, TakesAChattyPeerAtItsRate) {
    const auto owner = erlang_node({"--rate", "10", "--burst", "2"});
    Person michael(*owner, "Michael");
    ErlangPeer peer(*owner, "chatty@localhost");
    const auto begin = std::chrono::steady_clock::now();
    peer.tell_room(peer.pid(1), "join", "Chatty");
    for (int line = 1; line <= 6; ++line) peer.tell_room(peer.pid(1), "message", std::to_string(line));
    EXPECT_EQ(michael.hear(), "Chatty has joined the room");
    for (int line = 1; line <= 6; ++line) EXPECT_EQ(michael.hear(), "Chatty says: " + std::to_string(line));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 500ms);
}

TEST(ErlangDoor, APortThatIsTakenIsOneLineAndExit1) {
    const Server other;
    const auto port = std::to_string(other.port());
    const auto second = run("05_chat", {"--port", "0", "--sname", "room1", "--cookie", "x", "--dist-port", port});
    EXPECT_EQ(second.exit, exited(1));
    EXPECT_EQ(second.errors, "cannot listen on 127.0.0.1:" + port + ": address already in use\n");
    EXPECT_THAT(second.lines, IsEmpty());
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
