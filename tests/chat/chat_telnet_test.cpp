// Two and three people at real telnets, each in a terminal.

#include "chat/chat.hpp"

namespace chat_tests {
namespace {

class Telnet : public testing::Test {
protected:
    void SetUp() override {
        if (!support::is_installed("telnet")) GTEST_SKIP() << "telnet is not installed (apt-get install telnet)";
    }

    static std::unique_ptr<Terminal> telnet_to(const Server& server) {
        auto terminal = std::make_unique<Terminal>(
            support::Command{.words = {"telnet", "127.0.0.1", std::to_string(server.port())}});
        terminal->wait_for("Welcome! What is your name?\n");
        return terminal;
    }
    static std::unique_ptr<Terminal> person(const Server& server, const std::string& name) {
        auto terminal = telnet_to(server);
        terminal->enter(name);
        terminal->wait_for("You are in the room lobby as " + name + ".");
        return terminal;
    }
};

TEST_F(Telnet, ShowsTwoPeopleWhatTheyWouldSee) {
    Server server;
    auto michael = telnet_to(server);
    michael->enter("Michael");
    michael->wait_for("/help lists the commands.\n");
    auto mikey = telnet_to(server);
    mikey->enter("michael");
    mikey->wait_for("The name is taken. What is your name?\n");
    mikey->enter("Mikey");
    mikey->wait_for("/help lists the commands.\n");
    michael->wait_for("Mikey has joined the room\n");
    michael->enter("Hello!");
    michael->wait_for("Michael says: Hello!\n");
    mikey->wait_for("Michael says: Hello!\n");
    mikey->enter("Grüß dich!");
    mikey->wait_for("Mikey says: Grüß dich!\n");
    michael->wait_for("Mikey says: Grüß dich!\n");
    mikey->enter("/who");
    mikey->wait_for("In the room: Michael, Mikey\n");
    mikey->enter("/quit");
    mikey->wait_for("Connection closed by foreign host.\n");
    mikey->wait_exit();
    EXPECT_TRUE(mikey->is_usable());
    michael->wait_for("Mikey has left the room\n");
    michael->enter("/quit");
    michael->wait_for("Connection closed by foreign host.\n");
    michael->wait_exit();
    EXPECT_EQ(michael->screen(),
              "Trying 127.0.0.1...\n"
              "Connected to 127.0.0.1.\n"
              "Escape character is '^]'.\n"
              "Welcome! What is your name?\n"
              "Michael\n"
              "You are in the room lobby as Michael. /help lists the commands.\n"
              "Mikey has joined the room\n"
              "Hello!\n"
              "Michael says: Hello!\n"
              "Mikey says: Grüß dich!\n"
              "Mikey has left the room\n"
              "/quit\n"
              "Goodbye!\n"
              "Connection closed by foreign host.\n");
}

TEST_F(Telnet, LetsThreePeopleTalkInTwoRooms) {
    Server server;
    auto michael = person(server, "Michael");
    auto mikey = person(server, "Mikey");
    auto anna = person(server, "Anna");
    michael->wait_for("Anna has joined the room\n");
    anna->enter("/join garden");
    anna->wait_for("You are in the room garden as Anna.");
    michael->wait_for("Anna has left the room\n");
    michael->enter("Where is Anna?");
    mikey->wait_for("Michael says: Where is Anna?\n");
    mikey->enter("/join garden");
    anna->wait_for("Mikey has joined the room\n");
    anna->enter("Here!");
    mikey->wait_for("Anna says: Here!\n");
    mikey->enter("/join lobby");
    // What was said there meanwhile.
    mikey->wait_for("Michael says: Where is Anna?\n");
    mikey->wait_for("You are in the room lobby as Mikey.");
    anna->wait_for("Mikey has left the room\n");
    EXPECT_THAT(michael->screen(), Not(HasSubstr("Here!")));
}

TEST_F(Telnet, IsNotFrozenByCtrlC) {
    Server server;
    auto michael = person(server, "Michael");
    auto mikey = person(server, "Mikey");
    michael->wait_for("Mikey has joined the room\n");
    michael->press_ctrl('C');
    michael->enter("after");
    michael->wait_for("Michael says: after\n");
    mikey->wait_for("Michael says: after\n");
    michael->press_ctrl('\\');
    michael->enter("and again");
    michael->wait_for("Michael says: and again\n");
    EXPECT_TRUE(eventually([&] { return server.process().is_running(); }));
}

TEST_F(Telnet, SurvivesALineOfTenThousandCharactersPasted) {
    Server server;
    auto michael = person(server, "Michael");
    auto mikey = person(server, "Mikey");
    michael->wait_for("Mikey has joined the room\n");
    michael->enter(std::string(10'000, 'x'));
    // The terminal itself cuts a line at 4095.
    mikey->wait_for("Michael says: " + std::string(4095, 'x') + "\n");
    michael->enter("that was long");
    mikey->wait_for("Michael says: that was long\n");
    michael->wait_for("Michael says: that was long\n");
}

TEST_F(Telnet, AClosedWindowIsSomebodyWhoHasLeft) {
    Server server;
    auto michael = person(server, "Michael");
    auto mikey = person(server, "Mikey");
    michael->wait_for("Mikey has joined the room\n");
    mikey->hang_up();
    michael->wait_for("Mikey has left the room\n");
    michael->enter("Gone.");
    michael->wait_for("Michael says: Gone.\n");
}

}  // namespace
}  // namespace chat_tests
