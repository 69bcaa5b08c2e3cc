#include "05_chat/base/token_bucket.hpp"
#include "05_chat/room/listing.hpp"
#include "05_chat/text/arrivals.hpp"
#include "chat/ordered_rooms.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

using namespace chat;
using namespace std::chrono_literals;
using testing::ElementsAre;

namespace {

struct AtRoom : testing::Test {
    Outcome join(PersonId who, std::string name) { return room.apply(++at, Join{who, std::move(name)}); }
    Outcome say(PersonId who, std::string text) { return room.apply(++at, Say{who, std::move(text)}); }
    Outcome leave(PersonId who, std::string why = {}) { return room.apply(++at, Leave{who, std::move(why)}); }
    Limits limits{.max_line = 20, .history = 2, .max_people = 3, .max_rooms = 2};
    Room room{limits};
    Sequence at = 0;
};

}  // namespace

TEST_F(AtRoom, SpeaksInTheWordsOfTheOriginal) {
    EXPECT_EQ(words(*join(1, "Michael")), "Michael has joined the room");
    EXPECT_EQ(words(*say(1, "Hello!")), "Michael says: Hello!");
    EXPECT_EQ(words(*say(1, "/me waves")), "Michael waves");
    EXPECT_EQ(words(*leave(1)), "Michael has left the room");
    join(2, "Mikey");
    EXPECT_EQ(words(*leave(2, "node room2@host is down")), "Mikey has left the room (node room2@host is down)");
}

TEST_F(AtRoom, LinesCarryTheirPlaceAndWhoTheyAreAbout) {
    join(1, "Michael");
    const Line line = *say(1, "x");
    EXPECT_EQ(line.sequence, 2u);
    EXPECT_EQ(line.person, 1u);
    EXPECT_EQ(room.last(), 2u);
}

TEST_F(AtRoom, ANameIsTakenWhateverItsCapitalsUntilItsOwnerLeaves) {
    join(1, "Michael");
    EXPECT_EQ(join(2, "mICHAEL").error(), Refusal::name_taken);
    EXPECT_TRUE(join(2, "Мария"));
    EXPECT_TRUE(join(3, "мария"));  // only ASCII has its case ignored
    leave(1);
    EXPECT_TRUE(join(4, "MICHAEL"));
    EXPECT_EQ(join(5, "late").error(), Refusal::room_full);
    EXPECT_EQ(join(4, "again").error(), Refusal::already_here);
}

TEST_F(AtRoom, WhoIsNotInTheRoomCannotSpeakOrLeave) {
    EXPECT_EQ(say(9, "x").error(), Refusal::not_here);
    EXPECT_EQ(leave(9).error(), Refusal::not_here);
}

TEST_F(AtRoom, SpeechIsBoundedUtf8WithoutControls) {
    join(1, "M");
    EXPECT_EQ(say(1, "\x1b[31mred\a\u009b")->text, "[31mred");
    EXPECT_EQ(say(1, "\xff").error(), Refusal::text_not_utf8);
    EXPECT_TRUE(say(1, std::string(20, 'x')));
    EXPECT_EQ(say(1, std::string(21, 'x')).error(), Refusal::text_too_long);
}

TEST_F(AtRoom, HistoryKeepsTheLastThingsSaid) {
    join(1, "M");
    for (const char* text : {"a", "b", "c"}) say(1, text);
    ASSERT_EQ(room.history().size(), 2u);
    EXPECT_EQ(room.history().front().text, "b");
    EXPECT_EQ(room.history().back().text, "c");
}

TEST_F(AtRoom, HistoryIsNeverMoreBytesThanANewcomerMayBeBehind) {
    Room small(Limits{.max_line = 4096, .history = 20, .history_bytes = 10'000});
    small.apply(1, Join{1, "M"});
    std::size_t shown = 0;
    for (Sequence at = 2; at < 12; ++at) small.apply(at, Say{1, std::string(4096, static_cast<char>('a' + at))});
    for (const Line& line : small.history()) shown += words(line).size();
    ASSERT_EQ(small.history().size(), 2u);
    EXPECT_LE(shown, 10'000u);
    EXPECT_EQ(small.history().back().text.front(), 'a' + 11);
    for (Sequence at = 12; at < 40; ++at) small.apply(at, Say{1, "short"});
    EXPECT_EQ(small.history().size(), 20u);
}

TEST_F(AtRoom, TwoRoomsThatHearTheSameRequestsAgree) {
    const std::vector<Request> requests{Join{1, "a"}, Join{2, "A"}, Join{2, "b"},
                                        Say{2, "x"},  Leave{1, {}}, Join{3, "a"}};
    Room other(limits);
    for (Sequence i = 0; i < requests.size(); ++i) {
        const auto here = room.apply(i + 1, requests[i]);
        const auto there = other.apply(i + 1, requests[i]);
        ASSERT_EQ(here.has_value(), there.has_value());
        ASSERT_EQ(here ? words(*here) : "", there ? words(*there) : "");
    }
    EXPECT_EQ(room.people(), other.people());
}

TEST(Names, AreOneToThirtyTwoCharactersWithoutSpacesOrControls) {
    EXPECT_FALSE(check_name("Michael"));
    EXPECT_FALSE(check_name("👩🚀"));
    std::string many;
    for (int i = 0; i < 32; ++i) many += "ж";
    EXPECT_FALSE(check_name(many));
    EXPECT_EQ(check_name(many + "ж"), Refusal::name_too_long);
    EXPECT_EQ(check_name(""), Refusal::name_empty);
    EXPECT_EQ(check_name("a\xff"), Refusal::name_not_utf8);
    for (const char* bad : {"a b", "a\tb", "\x1b[1m", "a\u00a0b", "a\u200bb", "a\u2028b", "a\x7f", "a\u0085"}) {
        EXPECT_EQ(check_name(bad), Refusal::name_ill_formed) << bad;
    }
}

TEST(Names, HaveNothingInvisible) {
    for (const char* bad : {"Victim\u200d", "Victim\u200c", "Victim\u2060", "Victim\u00ad", "Victim\u034f",
                            "Victim\ufe0f", "Victim\U000e0041", "Victim\u180e", "a\u202eb", "a\u061cb", "\u2060",
                            "\u3164", "\u2800", "\u115f", "Victim\u2800says:\u2800hi", "\u0301", "\ufff9"}) {
        EXPECT_EQ(check_name(bad), Refusal::name_invisible) << bad;
    }
    EXPECT_FALSE(check_name("Zoe\u0308"));  // an accent stands on a letter
}

TEST_F(AtRoom, WhyTheyLeftIsShort) {
    join(1, "M");
    const auto line = leave(1, std::string(30'000, 'W'));
    EXPECT_EQ(line->text, std::string(max_why, 'W'));
    join(1, "M");
    std::string accents;
    for (int i = 0; i < 99; ++i) accents += "é";
    EXPECT_EQ(leave(1, "x" + accents)->text.size(), max_why - 1);  // no half a letter
}

TEST(Rooms, ARepeatedPlaceChangesNothing) {
    Rooms rooms(Limits{}, "lobby");
    EXPECT_TRUE(rooms.apply(1, {"lobby", Join{1, "Michael"}}));
    EXPECT_TRUE(rooms.apply(3, {"tea", Join{2, "Mikey"}}));
    EXPECT_EQ(rooms.apply(1, {"lobby", Leave{1, {}}}).error(), Refusal::out_of_order);
    EXPECT_EQ(rooms.apply(3, {"lobby", Leave{1, {}}}).error(), Refusal::out_of_order);
    EXPECT_TRUE(rooms.apply(4, {"tea", Leave{2, {}}}));
    EXPECT_EQ(rooms.apply(3, {"tea", Join{2, "Mikey"}}).error(), Refusal::out_of_order);  // it does not open again
    EXPECT_EQ(answer(rooms, {Question::About::rooms, {}}), "Rooms: lobby (1)");
}

TEST(Rooms, OpenForTheFirstAndCloseAfterTheLast) {
    OrderedRooms rooms(Limits{.max_rooms = 2}, "lobby");
    EXPECT_TRUE(rooms.submit("Lobby", Join{1, "Michael"}));
    EXPECT_TRUE(rooms.submit("tea", Join{2, "michael"}));  // names are unique in a room
    EXPECT_EQ(rooms.submit("more", Join{3, "Mikey"}).error(), Refusal::too_many_rooms);
    EXPECT_EQ(answer(rooms, {Question::About::rooms, {}}), "Rooms: lobby (1), tea (1)");
    EXPECT_TRUE(rooms.submit("TEA", Leave{2, {}}));
    EXPECT_EQ(rooms.find("tea"), nullptr);
    EXPECT_EQ(rooms.submit("tea", Say{2, "x"}).error(), Refusal::not_here);
    EXPECT_EQ(rooms.submit("more", Join{3, "a b"}).error(), Refusal::name_ill_formed);
    EXPECT_EQ(rooms.find("more"), nullptr);
    EXPECT_EQ(rooms.submit("a room", Join{3, "Mikey"}).error(), Refusal::name_ill_formed);
    EXPECT_TRUE(rooms.submit("lobby", Leave{1, {}}));
    EXPECT_NE(rooms.find("lobby"), nullptr);
}

TEST(Rooms, ListsAreCutAndCounted) {
    OrderedRooms rooms(Limits{}, "lobby");
    const Question who{Question::About::people, "lobby"};
    for (PersonId i = 1; i <= 5; ++i) rooms.submit("lobby", Join{i, "p" + std::to_string(i)});
    EXPECT_EQ(answer(rooms, who, 5), "In the room: p1, p2, p3, p4, p5");
    EXPECT_EQ(answer(rooms, who, 2), "In the room: p1, p2 and 3 more");
}

TEST(TokenBucket, LetsABurstThroughAndThenOneLineAnInterval) {
    TokenBucket bucket(2, 5);
    TokenBucket::Clock::time_point now{1h};
    for (int i = 0; i < 4; ++i) EXPECT_EQ(bucket.take(now), 0s) << i;
    EXPECT_EQ(bucket.take(now), 500ms);
    now += 500ms;
    EXPECT_EQ(bucket.take(now), 500ms);
    now += 1s;
    EXPECT_EQ(bucket.take(now), 0s);
    now += 1h;  // a pause fills it up to the burst and no further
    for (int i = 0; i < 4; ++i) EXPECT_EQ(bucket.take(now), 0s) << i;
    EXPECT_EQ(bucket.take(now), 500ms);
}

TEST(TokenBucket, RateZeroNeverWaits) {
    TokenBucket bucket(0, 5);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(bucket.take(TokenBucket::Clock::time_point{1h}), 0s);
}

TEST(Arrivals, AreSlowedDownForEachAddress) {
    Arrivals arrivals;
    const TokenBucket::Clock::time_point now{1h};
    int at_once = 0;
    while (*arrivals.take("10.0.0.1:" + std::to_string(at_once), now) == 0s) ++at_once;
    EXPECT_EQ(at_once, Arrivals::at_once - 1);
    EXPECT_EQ(*arrivals.take("10.0.0.1:7", now), 200ms);
    EXPECT_EQ(*arrivals.take("10.0.0.2:7", now), 0s);
    // Nobody waits for ever, and who is sent away has no place in the queue.
    while (arrivals.take("10.0.0.1:7", now)) {
    }
    EXPECT_EQ(arrivals.take("10.0.0.1:7", now), std::nullopt);
    EXPECT_EQ(*arrivals.take("10.0.0.1:7", now + Arrivals::longest_wait), 100ms);
}

TEST(Arrivals, FromOneNetworkOfIpv6AreFromOneAddress) {
    Arrivals arrivals;
    const TokenBucket::Clock::time_point now{1h};
    for (int i = 1; i < Arrivals::at_once; ++i) arrivals.take("[2001:db8::" + std::to_string(i) + "]:1", now);
    EXPECT_EQ(*arrivals.take("[2001:db8::ffff:1]:2", now), 100ms);
    EXPECT_EQ(*arrivals.take("[2001:db8:0:1::1]:2", now), 0s);
}

TEST(Rooms, ThatBeginAnewStillKnowARepetition) {
    OrderedRooms rooms({}, "lobby");
    ASSERT_TRUE(rooms.submit("lobby", Join{1, "Ann"}));
    ASSERT_TRUE(rooms.submit("garden", Join{2, "Ben"}));
    rooms.begin_anew();
    EXPECT_EQ(rooms.all().size(), 1u);
    EXPECT_TRUE(rooms.find("lobby")->people().empty());
    EXPECT_EQ(rooms.apply(1, {"lobby", Join{1, "Ann"}}).error(), Refusal::out_of_order);
    EXPECT_TRUE(rooms.submit("lobby", Join{1, "Ann"}));
}
