// Whispers in a room of three.

#include "whisper.hpp"

#include <gtest/gtest.h>

using namespace chat;

namespace {

struct Whispers : testing::Test {
    Whispers() {
        for (const auto& [id, name] : {std::pair(1, "Michael"), std::pair(2, "Mikey"), std::pair(3, "Мария")}) {
            EXPECT_TRUE(room.apply(room.last() + 1, Join{static_cast<PersonId>(id), name}));
        }
    }
    boost::system::result<Whisper, Refusal> to(std::string_view name, std::string_view text, PersonId from = 1) {
        return whisper(room, limits, from, name, text);
    }
    Limits limits{.max_line = 20, .history = 5, .max_people = 5, .max_rooms = 2};
    Room room{limits};
};

/// The refusal in words, or what was delivered instead.
std::string refusal(const boost::system::result<Whisper, Refusal>& result) {
    return result ? "delivered: " + result->line : std::string(reason(result.error()));
}
const std::string not_here(reason(Refusal::not_here));

}  // namespace

TEST_F(Whispers, GoToOneAlone) {
    const auto delivered = to("Mikey", "psst");
    ASSERT_TRUE(delivered) << "Mikey is here, but: " << refusal(delivered);
    EXPECT_EQ(delivered->to, 2u) << "the hearer is Mikey alone, whose id is 2";
    EXPECT_EQ(delivered->line, "Michael whispers: psst");
}

TEST_F(Whispers, AreNotInTheHistory) {
    const auto before = room.last();
    (void)to("Mikey", "psst");
    EXPECT_TRUE(room.history().empty()) << "a newcomer would be shown: " << words(room.history().front());
    EXPECT_EQ(room.last(), before) << "the room has moved on, as if something had happened in it";
}

TEST_F(Whispers, NamesHaveNoCase) {
    const auto delivered = to("mIKEY", "psst");
    ASSERT_TRUE(delivered) << "Mikey is also mIKEY, but: " << refusal(delivered);
    EXPECT_EQ(delivered->to, 2u);
    const auto cyrillic = to("Мария", "привет", 2);
    ASSERT_TRUE(cyrillic);
    EXPECT_EQ(cyrillic->to, 3u);
    EXPECT_EQ(cyrillic->line, "Mikey whispers: привет");
}

TEST_F(Whispers, ToWhoIsNotHereAreRefused) {
    EXPECT_EQ(refusal(to("Nobody", "psst")), not_here);
    EXPECT_EQ(refusal(to("", "psst")), not_here);
    EXPECT_EQ(refusal(to("Mike", "psst")), not_here) << "Mike is not Mikey";
    room.apply(room.last() + 1, Leave{2, {}});
    EXPECT_EQ(refusal(to("Mikey", "psst")), not_here) << "Mikey has left";
}

TEST_F(Whispers, FromWhoIsNotHereAreRefused) {
    EXPECT_EQ(refusal(to("Mikey", "psst", 9)), not_here) << "nobody has the id 9";
}

TEST_F(Whispers, AreFitForATerminal) {
    const auto delivered = to("Mikey", "\x1b[2Jboo\a");
    ASSERT_TRUE(delivered);
    EXPECT_EQ(delivered->line, "Michael whispers: [2Jboo") << "control characters must be taken out";
    EXPECT_EQ(refusal(to("Mikey", "\xff")), reason(Refusal::text_not_utf8));
    EXPECT_TRUE(to("Mikey", std::string(20, 'x'))) << "20 bytes are allowed here";
    EXPECT_EQ(refusal(to("Mikey", std::string(21, 'x'))), reason(Refusal::text_too_long))
        << "20 bytes are allowed here";
}

TEST_F(Whispers, ToOneselfAreStrangeButAllowed) {
    const auto delivered = to("Michael", "remember the milk");
    ASSERT_TRUE(delivered);
    EXPECT_EQ(delivered->to, 1u);
}
