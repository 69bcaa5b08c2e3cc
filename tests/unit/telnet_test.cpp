#include "net/telnet.hpp"

#include "unit/bytes.hpp"

#include <gtest/gtest.h>

using namespace std::string_literals;
namespace telnet = net::telnet;

namespace {

struct Filtered {
    std::string data;
    std::string answers;
    bool operator==(const Filtered&) const = default;
};
void PrintTo(const Filtered& filtered, std::ostream* out) {
    *out << testing::PrintToString(filtered.data) << " and answers " << testing::PrintToString(filtered.answers);
}

/// Filters pieces with one filter.
Filtered filter(const bytes::Pieces& pieces) {
    telnet::Filter filter;
    Filtered filtered;
    for (const auto piece : pieces) {
        std::string in_place(piece);
        const auto kept = filter.run(in_place, filtered.answers);
        EXPECT_LE(kept, piece.size());
        filtered.data.append(in_place, 0, kept);
    }
    return filtered;
}

/// Filters `whole`, cut in every way; all must come to the same.
Filtered filter_cut_anywhere(std::string_view whole) {
    const auto at_once = filter({whole});
    for (const auto& pieces : bytes::cuts(whole)) {
        const auto filtered = filter(pieces);
        EXPECT_EQ(filtered.data, at_once.data) << "first " << pieces.front().size() << " bytes";
        EXPECT_EQ(filtered.answers, at_once.answers) << "first " << pieces.front().size() << " bytes";
    }
    return at_once;
}

}  // namespace

TEST(Telnet, DataPassesUnchanged) {
    EXPECT_EQ(filter_cut_anywhere("hello\r\nworld\nПривет\r\n"), (Filtered{"hello\r\nworld\nПривет\r\n", ""}));
    EXPECT_EQ(filter_cut_anywhere("a\0b\r\r\n\x04"s), (Filtered{"a\0b\r\r\n\x04"s, ""}));
    // 0xF0 to 0xFE are commands after IAC only.
    EXPECT_EQ(filter_cut_anywhere("\xf0\xf4\xfa\xfb\xfd\xfe\n"), (Filtered{"\xf0\xf4\xfa\xfb\xfd\xfe\n", ""}));
}

TEST(Telnet, CrNulIsALineEnd) {
    EXPECT_EQ(filter_cut_anywhere("a\r\0b\r\0"s), (Filtered{"a\r\nb\r\n", ""}));
    // Only the first NUL after a CR, and only right after it in the data.
    EXPECT_EQ(filter_cut_anywhere("\r\0\0\rx\0"s), (Filtered{"\r\n\0\rx\0"s, ""}));
    EXPECT_EQ(filter_cut_anywhere("\r\r\0"s), (Filtered{"\r\r\n", ""}));
    EXPECT_EQ(filter_cut_anywhere("\r\xff\xf1\0"s), (Filtered{"\r\n", ""})) << "a command between them is not data";
    EXPECT_EQ(filter_cut_anywhere("\r\xff\xff\0"s), (Filtered{"\r\xff\0"s, ""}));
}

TEST(Telnet, CommandsVanish) {
    // From SE (outside of a subnegotiation) and NOP to GA; and what is no command at all.
    for (const char command : "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\x01\n\r"s) {
        EXPECT_EQ(filter_cut_anywhere("a\xff"s + command + "b\n"), (Filtered{"ab\n", ""}));
    }
    EXPECT_EQ(filter_cut_anywhere("a\xff\xff"
                                  "b\xff\xff\xff\xff\n"),
              (Filtered{"a\xff"
                        "b\xff\xff\n",
                        ""}));
}

TEST(Telnet, OptionsAreRefusedAndRefusalsAreNotAnswered) {
    EXPECT_EQ(filter_cut_anywhere("\xff\xfd\x01"), (Filtered{"", "\xff\xfc\x01"})) << "DO: WONT";
    EXPECT_EQ(filter_cut_anywhere("\xff\xfb\x1f"), (Filtered{"", "\xff\xfe\x1f"})) << "WILL: DONT";
    EXPECT_EQ(filter_cut_anywhere("a\xff\xfe\x01\xff\xfc\x01z"), (Filtered{"az", ""})) << "DONT and WONT";
    EXPECT_EQ(filter_cut_anywhere("\xff\xfd\xff"), (Filtered{"", "\xff\xfc\xff"})) << "option 255 is no IAC";
    EXPECT_EQ(filter_cut_anywhere("\xff\xfd\nx\n"), (Filtered{"x\n", "\xff\xfc\n"})) << "option 10 ends no line";
}

TEST(Telnet, ControlCIsAnsweredWherePeopleWaitForIt) {
    // What inetutils-telnet sends for ^C; and what is left of it where the urgent byte was lost on the way.
    EXPECT_EQ(filter_cut_anywhere("\xff\xf4\xff\xfd\x06hello\r\n"), (Filtered{"hello\r\n", "\xff\xfc\x06"}));
    EXPECT_EQ(filter_cut_anywhere("\xff\xf4\xff\xf2\xff\xfd\x06z\n"), (Filtered{"z\n", "\xff\xfc\x06"}));
    EXPECT_EQ(filter_cut_anywhere("\xf4\xff\xfd\x06\n"), (Filtered{"\xf4\n", "\xff\xfc\x06"}));
}

TEST(Telnet, SubnegotiationsVanish) {
    EXPECT_EQ(filter_cut_anywhere("a\xff\xfa\x18\x01xterm\n\r\0\xff\xf0z\n"s), (Filtered{"az\n", ""}));
    EXPECT_EQ(filter_cut_anywhere("\xff\xfa\x01\xff\xff\xf0\xff\xf0z"), (Filtered{"z", ""})) << "IAC IAC in it is data";
    EXPECT_EQ(filter_cut_anywhere("\xff\xfa\x01\xff\xfd\x06\xff\xf0z"), (Filtered{"z", ""})) << "no command in it";
    EXPECT_EQ(filter_cut_anywhere("\xff\xfa\xff\xf0z"), (Filtered{"z", ""})) << "an empty one";
    // CR before and NUL after it are neighbours in the data.
    EXPECT_EQ(filter_cut_anywhere("\r\xff\xfa\x01\xff\xf0\0"s), (Filtered{"\r\n", ""}));
}

TEST(Telnet, ASubnegotiationThatNeverEndsIsNotBelievedForEver) {
    const std::string endless = "\xff\xfa" + std::string(telnet::max_subnegotiation, 'x');
    EXPECT_EQ(filter_cut_anywhere(endless + "hello\n"), (Filtered{"hello\n", ""}));
    const std::string longest = "\xff\xfa" + std::string(telnet::max_subnegotiation - 1, 'x') + "\xff\xf0";
    EXPECT_EQ(filter_cut_anywhere(longest + "hello\n"), (Filtered{"hello\n", ""}));
    // Each one has the whole bound to itself.
    EXPECT_EQ(filter_cut_anywhere(longest + longest + "hello\n"), (Filtered{"hello\n", ""}));
}

TEST(Telnet, NorOneOfCommandsOnly) {
    const std::string endless = "\xff\xfa" + std::string(2 * telnet::max_subnegotiation, '\xff');
    EXPECT_EQ(filter_cut_anywhere(endless + "hello\n"), (Filtered{"hello\n", ""}));
}

TEST(Telnet, Every255IsDoubledOnTheWayOut) {
    const auto out = telnet::escaped("before a\xff\xffz\xff");
    EXPECT_EQ(out, "before a\xff\xff\xff\xffz\xff\xff");
    EXPECT_EQ(telnet::escaped(""), "");
    EXPECT_EQ(filter_cut_anywhere(out).data, "before a\xff\xffz\xff");
}
