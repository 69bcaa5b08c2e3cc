// What an exception ends in the chat, without a supervisor and with one.

#include "chat/chat.hpp"

#include <csignal>

namespace chat_tests {
namespace {

/// Types it; what comes back of it is no matter.
void command(Person& person, const std::string& fault) {
    person.say(fault);
    person.client().recv_line();
}

TEST(Supervised, WithoutItADoorThatThrowsIsShutForGood) {
    Server server({"--faults"});
    Person michael(server, "Michael");
    command(michael, "!throw door");
    Person mikey(server, "Mikey");  // the last one whom it lets in
    server.wait_for_line("acceptor crashed: !throw door");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    michael.chat("Michael", "We are still here");
    Client outside(server.port());  // the kernel accepts it, and nobody else
    outside.expect_silence(a_while);
}

TEST(Supervised, ADoorThatThrowsIsOpenedAnewAndNobodyElseNotices) {
    Server server({"--faults", "--supervised"});
    Person michael(server, "Michael");
    command(michael, "!throw door");
    Person mikey(server, "Mikey");
    server.wait_for_line("supervisor chat reports child_terminated. Reason: !throw door. Offender: id=acceptor");
    server.wait_for_line("supervisor chat started id=acceptor", 2);
    Person anna(server, "Anna");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    michael.chat("Michael", "We are all here");
    EXPECT_EQ(server.count_lines("started id=rooms"), 1u);
    EXPECT_EQ(server.terminate(), exited(0));
}

TEST(Supervised, RoomsThatThrowBeginAnewWithTheirPeople) {
    Server server({"--faults", "--supervised", "--node-port", "0"});
    const auto where = "127.0.0.1:" + std::to_string(server.node_port());
    Server guest({"--join", where, "--rejoin"});
    Person michael(server, "Michael"), mikey(server, "Mikey"), anna(guest, "Anna");
    EXPECT_EQ(michael.hear_up_to("Anna has joined the room").size(), 2u);
    EXPECT_EQ(mikey.hear(), "Anna has joined the room");
    michael.say("!throw room");  // ends his own session, too
    server.wait_for_line("crashed: !throw room");
    server.wait_for_line("supervisor chat reports child_terminated. Reason: !throw room. Offender: id=rooms");
    server.wait_for_line("supervisor chat started id=rooms", 2);
    EXPECT_EQ(mikey.hear(), "Michael has left the room");
    EXPECT_EQ(mikey.hear(), "The room has crashed and begins anew: what you type is lost.");
    EXPECT_EQ(mikey.hear(), "You are in the room lobby as Mikey. /help lists the commands.");
    anna.hear_up_to(awaited);
    EXPECT_EQ(anna.hear(), "You are in the room lobby as Anna. /help lists the commands.");
    EXPECT_EQ(mikey.hear(), "Anna has joined the room");
    mikey.chat("Mikey", "What was that?");
    EXPECT_EQ(anna.hear(), "Mikey says: What was that?");
    mikey.say("/who");
    EXPECT_EQ(mikey.hear(), "In the room: Mikey, Anna");
}

TEST(Supervised, WithoutItARoomThatThrowsEndsTheSessionThatAsked) {
    Server server({"--faults"});
    Person michael(server, "Michael"), mikey(server, "Mikey");
    michael.hear();
    mikey.say("!throw room");
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    server.wait_for_line("crashed: !throw room");
    michael.chat("Michael", "Luckily nothing was broken");
}

TEST(Supervised, AFaultInTheRoomsOfAnotherNodeIsNotThrownHere) {
    Server server({"--faults", "--node-port", "0"});
    server.wait_for_line("server obeys faults: !throw door !throw room");
    Server guest({"--faults", "--join", "127.0.0.1:" + std::to_string(server.node_port())});
    Person anna(guest, "Anna");
    anna.say("!throw room");
    EXPECT_EQ(anna.hear(), "The rooms are those of another node: nothing is thrown here.");
    anna.chat("Anna", "Good");
}

TEST(Supervised, ItGivesUpWhenADoorDoesNothingButThrow) {
    Server server({"--faults", "--supervised"});
    Person michael(server, "Michael");
    std::vector<std::unique_ptr<Person>> others;
    for (int crash = 1; crash <= 4; ++crash) {
        michael.say("!throw door");
        michael.hear_up_to("The door will throw after the next newcomer.");
        others.push_back(std::make_unique<Person>(server));
        server.wait_for_line("child_terminated. Reason: !throw door", static_cast<std::size_t>(crash));
    }
    server.wait_for_line("chat gives up: 4 restarts within 5 s, 3 allowed");
    EXPECT_THAT(michael.client().recv_until_close(), testing::EndsWith("The server is closing. Goodbye!\r\n"));
    michael.leave();
    others.clear();
    EXPECT_EQ(server.wait_exit(), exited(1));
    EXPECT_TRUE(support::refuses_clients(server.port()));
}

}  // namespace
}  // namespace chat_tests
