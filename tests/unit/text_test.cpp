#include "app/text.hpp"

#include <gtest/gtest.h>

namespace text = app::text;
using namespace std::string_literals;

TEST(Text, PlainIsPrintableAsciiAndNothingElse) {
    EXPECT_TRUE(text::is_plain(""));
    EXPECT_TRUE(text::is_plain(" Hello, ~!"));
    for (const char* other : {"a\tb", "\x7f", "a\n", "\x1b[2J", "\xc3\xa9", "\xff"})
        EXPECT_FALSE(text::is_plain(other));
}

TEST(Text, WellFormedUtf8IsWhatRfc3629Says) {
    EXPECT_TRUE(text::is_utf8(""));
    EXPECT_TRUE(text::is_utf8("hello, Привет, 你好, 😀"));
    EXPECT_TRUE(text::is_utf8("\xF4\x8F\xBF\xBF"));   // U+10FFFF
    EXPECT_FALSE(text::is_utf8("\xC0\x80"));          // an overlong NUL
    EXPECT_FALSE(text::is_utf8("\xE0\x9F\xBF"));      // an overlong U+07FF
    EXPECT_FALSE(text::is_utf8("\xED\xA0\x80"));      // a surrogate
    EXPECT_FALSE(text::is_utf8("\xF4\x90\x80\x80"));  // beyond U+10FFFF
    EXPECT_FALSE(text::is_utf8("\xF8\x88\x80\x80\x80"));
    EXPECT_FALSE(text::is_utf8("\x80"));
    EXPECT_FALSE(text::is_utf8("abc\xD0"));  // cut in the middle
}

TEST(Text, VisibleShowsLettersAndEscapesWhatATerminalWouldObey) {
    EXPECT_EQ(text::visible("Привет, \\o/", 100), "Привет, \\\\o/");
    EXPECT_EQ(text::visible("a\r\n\t\x1b[31m\x7f\0"s, 100), "a\\r\\n\\t\\x1b[31m\\x7f\\x00");
    EXPECT_EQ(text::visible("\xC2\x9B"  // U+009B: an escape sequence's start in one character
                            "2J\xFF",
                            100),
              "\\xc2\\x9b2J\\xff");
}

TEST(Text, VisibleCutsBetweenCharactersAndCountsTheRest) {
    EXPECT_EQ(text::visible("a\u2028b\u2029c", 100), "a\\xe2\\x80\\xa8b\\xe2\\x80\\xa9c") << "two more ends of a line";
    EXPECT_EQ(text::visible("\u202Eb\u2066c\u200F\u061C", 100),
              "\\xe2\\x80\\xaeb\\xe2\\x81\\xa6c\\xe2\\x80\\x8f\\xd8\\x9c")
        << "what turns the order of words around";
    EXPECT_EQ(text::visible("abcdef", 6), "abcdef");
    EXPECT_EQ(text::visible("abcdef", 4), "abcd... (2 bytes more)");
    EXPECT_EQ(text::visible("aПП", 4), "aП... (2 bytes more)");
}

TEST(Text, UncapitalisedLeavesNamesInCapitalsAlone) {
    EXPECT_EQ(text::uncapitalised("Address already in use"), "address already in use");
    EXPECT_EQ(text::uncapitalised("EOF"), "EOF");
    EXPECT_EQ(text::uncapitalised(""), "");
}
