#include "05_chat/text/protocol.hpp"
#include "chat/ordered_rooms.hpp"

#include <gtest/gtest.h>

using namespace chat;

namespace {

// A person at the door: what a session does with the steps, without a socket.
struct Person {
    Person(OrderedRooms& rooms, PersonId id) : rooms(rooms), door(id, "lobby") { run(door.open()); }
    // What is printed for this person alone, who typed this.
    std::string types(std::string_view typed) {
        printed.clear();
        run(door.line(typed));
        return printed;
    }
    void run(Step step) {
        printed += step.print;
        closed |= step.close;
        if (const auto* question = std::get_if<Question>(&step.then)) {
            run(door.answer(answer(rooms, *question)));
        }
        if (const auto* submission = std::get_if<Submission>(&step.then)) {
            const auto result = rooms.submit(submission->room, submission->request);
            if (result) said.push_back(submission->room + ": " + words(*result));
            run(result ? door.done() : door.refused(reason(result.error())));
        }
    }
    OrderedRooms& rooms;
    TextProtocol door;
    std::string printed;
    std::vector<std::string> said;  // what the rooms hear of this person
    bool closed = false;
};

struct AtTextDoor : testing::Test {
    OrderedRooms rooms{Limits{.max_line = 50}, "lobby"};
    Person michael{rooms, 1};
    Person mikey{rooms, 2};
    using Lines = std::vector<std::string>;
};

}  // namespace

TEST_F(AtTextDoor, TheFirstLineIsTheName) {
    EXPECT_EQ(michael.printed, "Welcome! What is your name?\r\n");
    EXPECT_EQ(michael.types(" Michael "), "You are in the room lobby as Michael. /help lists the commands.\r\n");
    EXPECT_EQ(michael.types("Hello!"), "");
    EXPECT_EQ(michael.said, (Lines{"lobby: Michael has joined the room", "lobby: Michael says: Hello!"}));
}

TEST_F(AtTextDoor, ARefusedNameGetsAReasonAndAnotherTry) {
    michael.types("Michael");
    EXPECT_EQ(mikey.types(""), "A name needs at least one character. What is your name?\r\n");
    EXPECT_EQ(mikey.types("michael"), "The name is taken. What is your name?\r\n");
    EXPECT_EQ(mikey.types("Mi key"), "A name has no spaces or control characters. What is your name?\r\n");
    EXPECT_EQ(mikey.types(std::string(33, 'x')), "A name has at most 32 characters. What is your name?\r\n");
    EXPECT_EQ(mikey.types("\xff"), "The name is not UTF-8. What is your name?\r\n");
    EXPECT_TRUE(mikey.door.room().empty());
    EXPECT_EQ(mikey.types("Mikey").substr(0, 12), "You are in t");
}

TEST_F(AtTextDoor, Commands) {
    EXPECT_EQ(michael.types("/who"), "First tell me your name.\r\n");
    EXPECT_EQ(michael.types("/rooms"), "Rooms: lobby (0)\r\n");
    michael.types("Michael");
    mikey.types("Mikey");
    EXPECT_EQ(michael.types("/who"), "In the room: Michael, Mikey\r\n");
    EXPECT_EQ(michael.types("/nick \x1b[1m"), "There is no command /nick; /help lists them.\r\n");
    EXPECT_NE(michael.types("/help").find("/join ROOM"), std::string::npos);
    EXPECT_EQ(michael.types("   "), "");
    EXPECT_EQ(michael.types("/quit"), "Goodbye!\r\n");
    EXPECT_TRUE(michael.closed);
    EXPECT_EQ(michael.said, (Lines{"lobby: Michael has joined the room", "lobby: Michael has left the room"}));
    EXPECT_FALSE(michael.door.hang_up());
}

TEST_F(AtTextDoor, AnActionIsToldWithoutItsCommand) {
    EXPECT_EQ(michael.types("/me waves"), "First tell me your name.\r\n");
    michael.types("Michael");
    EXPECT_EQ(michael.types("/me"), "What do you do? /me waves\r\n");
    EXPECT_EQ(michael.types("/me  waves at all "), "");
    EXPECT_EQ(michael.said, (Lines{"lobby: Michael has joined the room", "lobby: Michael waves at all"}));
}

TEST_F(AtTextDoor, JoiningAnotherRoomLeavesTheFirst) {
    michael.types("Michael");
    EXPECT_EQ(michael.types("/join"), "Which room? /join ROOM\r\n");
    EXPECT_EQ(michael.types("/join LOBBY"), "You are in that room already.\r\n");
    EXPECT_EQ(michael.types("/join tea house"), "A name has no spaces or control characters.\r\n");
    EXPECT_EQ(michael.door.room(), "lobby");
    EXPECT_EQ(michael.types("/join tea"), "You are in the room tea as Michael. /help lists the commands.\r\n");
    EXPECT_EQ(michael.said, (Lines{"lobby: Michael has joined the room", "tea: Michael has joined the room",
                                   "lobby: Michael has left the room"}));
    mikey.types("michael");
    EXPECT_EQ(mikey.types("/join tea"), "The name is taken.\r\n");
    EXPECT_EQ(mikey.door.room(), "lobby");
}

TEST_F(AtTextDoor, ALineThatCannotBeSaidGetsAReason) {
    michael.types("Michael");
    EXPECT_EQ(michael.types("\xc3"), "The line is not UTF-8.\r\n");
    EXPECT_EQ(michael.types(std::string(51, 'x')), "The line is too long.\r\n");
}

TEST_F(AtTextDoor, HangingUpLeavesTheRoom) {
    EXPECT_FALSE(michael.door.hang_up());
    michael.types("Michael");
    const auto farewell = michael.door.hang_up();
    ASSERT_TRUE(farewell);
    EXPECT_EQ(farewell->room, "lobby");
    EXPECT_TRUE(std::holds_alternative<Leave>(farewell->request));
}

TEST_F(AtTextDoor, WhenTheRoomGoesDownPeopleAreToldAndComeBackUnderTheirNames) {
    michael.types("Michael");
    michael.types("/join tea");
    michael.printed.clear();
    michael.run(michael.door.room_down("It is away.", false));
    EXPECT_EQ(michael.printed, "It is away.\r\n");
    EXPECT_EQ(michael.types("Hello?"), "It is away.\r\n");
    EXPECT_EQ(michael.types("/join lobby"), "It is away.\r\n");
    EXPECT_EQ(michael.door.rejoined({}).print, "You are in the room tea as Michael. /help lists the commands.\r\n");
    EXPECT_EQ(michael.door.room(), "tea");
}

TEST_F(AtTextDoor, WhatIsSaidWhileTheRoomIsDownIsSubmittedWhereItIsKept) {
    michael.types("Michael");
    michael.types("/join tea");
    michael.said.clear();
    michael.run(michael.door.room_down("It waits.", true));
    EXPECT_EQ(michael.door.room(), "");
    michael.types("Hello?");
    michael.types("/me waves");
    EXPECT_EQ(michael.said, (std::vector<std::string>{"tea: Michael says: Hello?", "tea: Michael waves"}));
    EXPECT_EQ(michael.types("/who"), "In the room: Michael\r\n");
    EXPECT_EQ(michael.types("/join lobby"), "You are out of the room. Ask again when you are back.\r\n");
    EXPECT_EQ(michael.door.rejoined({}).print, "You are in the room tea as Michael. /help lists the commands.\r\n");
    EXPECT_EQ(michael.door.room(), "tea");
}

TEST_F(AtTextDoor, WhoeverIsToldTwiceThatTheRoomIsDownComesBackAllTheSame) {
    michael.types("Michael");
    michael.run(michael.door.room_down("It is down.", false));
    michael.run(michael.door.room_down("It is down again.", false));
    EXPECT_EQ(michael.types("Hello?"), "It is down again.\r\n");
    michael.run(michael.door.rejoined({}));
    EXPECT_EQ(michael.door.room(), "lobby");
}

TEST_F(AtTextDoor, WhoeverIsThrownOutIsInNoRoomUntilTheyJoinOne) {
    michael.types("Michael");
    rooms.submit("lobby", Leave{1, {}});
    michael.printed.clear();
    michael.run(michael.door.removed("it says kicked"));
    EXPECT_EQ(michael.printed,
              "You are no longer in the room lobby: it says kicked. /join lobby asks to be let in again.\r\n");
    EXPECT_EQ(michael.types("Hello?"), "You are in no room, and nobody hears you. /join ROOM goes to one.\r\n");
    EXPECT_EQ(michael.types("/who"), "You are in no room, and nobody hears you. /join ROOM goes to one.\r\n");
    EXPECT_EQ(michael.types("/join lobby"), "You are in the room lobby as Michael. /help lists the commands.\r\n");
    EXPECT_EQ(michael.types("/who"), "In the room: Michael\r\n");
}

TEST_F(AtTextDoor, WhatWasMeantForTheRoomIsNoNameWhenTheNameIsTakenMeanwhile) {
    michael.types("Michael");
    michael.run(michael.door.room_down("It is away.", false));
    const std::string told =
        "The name is taken: you are out of the room, and what you type is lost. /quit, and come in anew.\r\n";
    EXPECT_EQ(michael.door.rejoined(because("the name is taken")).print, told);
    EXPECT_EQ(michael.types("Hello?"), told);
    EXPECT_EQ(michael.door.name(), "Michael");
    EXPECT_EQ(michael.types("/quit"), "Goodbye!\r\n");
}

TEST_F(AtTextDoor, IdlePeopleAreAskedAndThenSaidGoodbyeTo) {
    EXPECT_FALSE(michael.door.idle(false).close);
    EXPECT_TRUE(michael.door.idle(true).close);
}
