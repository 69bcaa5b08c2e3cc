// Renames people in a room of two.

#include "nick.hpp"

#include <gtest/gtest.h>

using namespace chat;

namespace {

struct Nick : testing::Test {
    Nick() {
        apply(Join{1, "Michael"});
        apply(Join{2, "Mikey"});
        apply(Say{1, "Hello!"});
    }
    boost::system::result<Line, Refusal> apply(const Request& request) { return room.apply(room.last() + 1, request); }
    void must_be_as_it_was(const Room& before) {
        ASSERT_TRUE(room.people().contains(1)) << "Michael is not in the room any more";
        EXPECT_EQ(room.people(), before.people());
        EXPECT_EQ(room.history().size(), before.history().size());
        EXPECT_EQ(room.last(), before.last()) << "the room has moved on, although nothing happened";
        EXPECT_EQ(apply(Join{9, "MICHAEL"}).error(), Refusal::name_taken) << "Michael's name is Michael's";
    }
    Room room{Limits{}};
};

}  // namespace

TEST_F(Nick, IsToldInOneLine) {
    const auto told = nick(room, 1, "Mike");
    ASSERT_TRUE(told) << "Mike is free, but: " << reason(told.error());
    EXPECT_EQ(*told, "Michael is now known as Mike");
    EXPECT_EQ(room.people().at(1), "Mike");
    EXPECT_EQ(room.people().at(2), "Mikey");
    EXPECT_EQ(words(*apply(Say{1, "it is me"})), "Mike says: it is me");
}

TEST_F(Nick, ATakenNameIsRefusedAndNothingHasHappened) {
    const Room before = room;
    const auto told = nick(room, 1, "mikey");
    ASSERT_FALSE(told) << "Mikey has that name";
    EXPECT_EQ(reason(told.error()), reason(Refusal::name_taken));
    must_be_as_it_was(before);
}

TEST_F(Nick, WhatIsNoNameIsRefusedAndNothingHasHappened) {
    for (const char* bad : {"", "two words", "\x1b[1m", "\xff"}) {
        const Room before = room;
        const auto told = nick(room, 1, bad);
        ASSERT_FALSE(told) << testing::PrintToString(bad) << " is no name";
        must_be_as_it_was(before);
    }
}

TEST_F(Nick, WhoIsNotHereHasNoNameToChange) {
    const Room before = room;
    const auto told = nick(room, 9, "Nobody");
    ASSERT_FALSE(told);
    EXPECT_EQ(reason(told.error()), reason(Refusal::not_here));
    EXPECT_EQ(room.people(), before.people());
    EXPECT_EQ(room.last(), before.last()) << "the room has moved on, although nothing happened";
}

TEST_F(Nick, TheOldNameIsFreeAndTheNewOneTaken) {
    ASSERT_TRUE(nick(room, 1, "Mike"));
    EXPECT_EQ(apply(Join{3, "mike"}).error(), Refusal::name_taken);
    EXPECT_TRUE(apply(Join{3, "Michael"}));
}

TEST_F(Nick, OnlyTheCase) {
    const auto told = nick(room, 1, "MICHAEL");
    ASSERT_TRUE(told) << "the name is his own, but: " << reason(told.error());
    EXPECT_EQ(room.people().at(1), "MICHAEL");
}

TEST_F(Nick, TheHistoryStays) {
    ASSERT_TRUE(nick(room, 1, "Mike"));
    ASSERT_EQ(room.history().size(), 1u);
    EXPECT_EQ(words(room.history().front()), "Michael says: Hello!") << "that is what was said, by who he was then";
}
