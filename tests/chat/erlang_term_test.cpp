#include "05_chat/erlang/dist/term.hpp"

#include <gtest/gtest.h>

using namespace erlang;
using namespace std::string_literals;

TEST(Term, TextArrivesInFourShapes) {
    const auto text = [](std::string term) {
        TermReader in(term);
        auto value = in.text();
        EXPECT_EQ(in.empty(), value.has_value());
        return value;
    };
    EXPECT_EQ(text("\x6d\0\0\0\x05h\xc3\xa9llo"s.substr(0, 10)), "h\u00e9ll");
    EXPECT_EQ(text("\x6b\0\x03"
                   "ch\xe9"s),
              "ch\u00e9");  // code points, not UTF-8
    EXPECT_EQ(text("\x6a"s), "");
    EXPECT_EQ(text("\x6c\0\0\0\x03\x61\x41\x62\0\0\x04\x1f\x62\0\x01\xf6\x00\x6a"s), "A\u041f\U0001f600");
}

TEST(Term, WhatIsNoTextIsLeftAlone) {
    for (const std::string& term : {"\x77\x02hi"s,                              // an atom
                                    "\x6c\0\0\0\x01\x62\0\0\xd8\0\x6a"s,        // a surrogate
                                    "\x6c\0\0\0\x01\x62\0\x11\0\0\x6a"s,        // beyond Unicode
                                    "\x6c\0\0\0\x01\x62\xff\xff\xff\xff\x6a"s,  // negative
                                    "\x6c\0\0\0\x01\x61\x41\x61\x42"s,          // an improper list
                                    "\x6c\xff\xff\xff\xff\x61\x41"s,            // a length that lies
                                    "\x6d\xff\xff\xff\xff\x61"s, "\x6b\0\x02x"s, ""s}) {
        TermReader in(term);
        EXPECT_FALSE(in.text());
        EXPECT_EQ(in.rest(), term);
    }
}

TEST(Term, WhatIsWrittenIsRead) {
    const Pid pid{"room1@h\u00f6st", 7, 8, 9};
    std::string out;
    put_version(out);
    put_tuple(out, 7);
    put_pid(out, pid);
    put_atom(out, "join");
    put_integer(out, 255);
    put_integer(out, -1);
    put_integer(out, 70000);
    put_binary(out, "x");
    put_reference(out, "a@b", 3, ~0ull);
    TermReader in(out);
    ASSERT_TRUE(in.version());
    EXPECT_FALSE(in.tuple(3));
    ASSERT_TRUE(in.tuple(7));
    EXPECT_FALSE(in.atom());
    EXPECT_EQ(in.pid(), pid);
    EXPECT_FALSE(in.atom("leave"));
    EXPECT_TRUE(in.atom("join"));
    EXPECT_EQ(in.integer(), 255);
    EXPECT_EQ(in.integer(), -1);
    EXPECT_EQ(in.integer(), 70000);
    EXPECT_EQ(in.text(), "x");
    EXPECT_TRUE(in.reference());
    EXPECT_TRUE(in.empty());
}

TEST(Term, AnAtomMayHaveMoreBytesThanCharacters) {
    for (const std::size_t characters : {1, 63, 64, 255}) {
        std::string name;
        for (std::size_t i = 0; i < characters; ++i) name += "\xf0\x9f\x98\x80";
        std::string term;
        put_atom(term, name);
        TermReader in(term);
        EXPECT_EQ(in.atom(), name);
        EXPECT_TRUE(in.empty());
    }
}

TEST(Term, OldFormsOfAtomsAndPidsAreRead) {
    const std::string latin1 = "\x64\0\x02\xe9t"s;
    TermReader in(latin1);
    EXPECT_EQ(in.atom(), "\u00e9t");
    const std::string old =
        "\x67\x73\x03"
        "a@b\0\0\0\x01\0\0\0\x02\x03"s;
    TermReader pid(old);
    EXPECT_EQ(pid.pid(), (Pid{"a@b", 1, 2, 3}));
    const std::string big = "\x6e\x05\x01\0\0\0\0\x01"s;
    TermReader integer(big);
    EXPECT_EQ(integer.integer(), -(1ll << 32));
}

TEST(Term, AnyTermIsPassedOverWhole) {
    for (const std::string& term : {"\x46\x3f\xf8\0\0\0\0\0\0"s,  // 1.5
                                    "\x74\0\0\0\x01\x77\x01"
                                    "a\x61\x01"s,                                   // %{a: 1}
                                    "\x68\x02\x6a\x6c\0\0\0\x01\x61\x01\x61\x02"s,  // {[], [1 | 2]}
                                    "\x4d\0\0\0\x01\x03\xe0"s,                      // <<7::3>>
                                    "\x70\0\0\0\x08"
                                    "abcd"s,  // a fun
                                    "\x71\x77\x01m\x77\x01"
                                    "f\x61\x02"s,                                 // &m.f/2
                                    "\x58\x77\x01n\0\0\0\0\0\0\0\0\0\0\0\0"s,     // a pid
                                    "\x5a\0\x01\x77\x01n\0\0\0\0\0\0\0\0"s,       // a reference
                                    "\x78\x77\x01n\0\0\0\0\0\0\0\0\0\0\0\0"s}) {  // a port
        const std::string more = term + "rest";
        TermReader in(more);
        EXPECT_EQ(in.any(), term);
        for (std::size_t cut = 0; cut < term.size(); ++cut) {
            TermReader shorter(std::string_view(term).substr(0, cut));
            EXPECT_FALSE(shorter.any()) << cut;
        }
    }
}

TEST(Term, DepthHasABound) {
    const auto nested = [](int depth) {
        std::string term;
        for (int i = 1; i < depth; ++i) put_tuple(term, 1);
        return term + "\x6a";
    };
    EXPECT_TRUE(TermReader(nested(max_depth)).any());
    EXPECT_FALSE(TermReader(nested(max_depth + 1)).any());
    EXPECT_FALSE(TermReader(nested(1'000'000)).any());
    // The tail is where a list can be deep without looking so.
    std::string tails;
    for (int i = 0; i < 100'000; ++i) tails += "\x6c\0\0\0\x01\x6a"s;
    EXPECT_FALSE(TermReader(tails + "\x6a").any());
}

TEST(Term, ShowIsForPeopleAndBounded) {
    std::string term;
    put_tuple(term, 2);
    put_atom(term, "shutdown");
    put_binary(term, "\x1b[1m");
    EXPECT_EQ(show(term), "{shutdown,\"\\x1b[1m\"}");
    EXPECT_EQ(show("\x6c\0\0\0\x02\x77\x01x\x61\x01\x6a"s), "[x,1]");
    EXPECT_EQ(show("\x46\x3f\xf8\0\0\0\0\0\0"s), "...");
    EXPECT_EQ(show("\xff"s), "(ill-formed)");
    std::string wide;
    put_tuple(wide, 255);
    for (int i = 0; i < 255; ++i) put_binary(wide, std::string(1000, 'x'));
    EXPECT_LT(show(wide).size(), 1000u);
    EXPECT_LT(show(std::string(100'000, '\x68')).size(), 1000u);
}
