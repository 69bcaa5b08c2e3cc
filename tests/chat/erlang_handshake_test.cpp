#include "05_chat/erlang/dist/epmd.hpp"
#include "05_chat/erlang/dist/handshake.hpp"

#include <gtest/gtest.h>

using namespace erlang;
using namespace std::string_literals;
using State = Handshake::State;

namespace {

const Identity north{"north@host", 1, "secret"};
const Identity south{"south@host", 2, "secret"};

// Everything one side has to say, given to the other, without the lengths.
void pass(Handshake& from, Handshake& to) {
    std::string bytes = from.take_output();
    while (!bytes.empty()) {
        const std::size_t length = static_cast<unsigned char>(bytes[0]) * 256u + static_cast<unsigned char>(bytes[1]);
        to.packet(bytes.substr(2, length));
        bytes.erase(0, 2 + length);
    }
}

std::string name_packet(std::string name, std::uint64_t flags = our_flags) {
    Identity someone{std::move(name), 1, ""};
    std::string packet = Handshake::connecting(someone, 1, "x@y").take_output().substr(2);
    for (int i = 0; i < 8; ++i) packet[1 + i] = static_cast<char>(flags >> (56 - 8 * i) & 0xFF);
    return packet;
}

}  // namespace

TEST(Handshake, DigestIsMd5OfTheCookieAndTheDecimalChallenge) {
    const Digest expected{0x1f, 0x4d, 0x9b, 0x4e, 0x53, 0xca, 0xdc, 0x39,
                          0x99, 0xbc, 0xdb, 0x38, 0x6a, 0x23, 0xc2, 0x40};
    EXPECT_EQ(digest("secret", 305419896), expected);
    EXPECT_TRUE(same(expected, {reinterpret_cast<const char*>(expected.data()), 16}));
    EXPECT_FALSE(same(expected, {reinterpret_cast<const char*>(expected.data()), 15}));
    EXPECT_FALSE(same(expected, std::string(16, '\0')));
}

TEST(Handshake, TwoOfUsComeToTrustEachOther) {
    for (const Status status : {Status::ok, Status::ok_simultaneous, Status::alive}) {
        Handshake caller = Handshake::connecting(north, 11, "south@host");
        Handshake called = Handshake::accepting(south, 22);
        pass(caller, called);
        ASSERT_EQ(called.state(), State::deciding);
        EXPECT_EQ(called.peer(), "north@host");
        called.decide(status);
        for (int i = 0; i < 4; ++i) {
            pass(called, caller);
            pass(caller, called);
        }
        EXPECT_EQ(called.state(), State::done) << called.why();
        EXPECT_EQ(caller.state(), State::done) << caller.why();
    }
}

TEST(Handshake, AWrongCookieIsFoundOutByTheCalledAndProvesNothingToTheCaller) {
    Handshake caller = Handshake::connecting({"north@host", 1, "guess"}, 11, "south@host");
    Handshake called = Handshake::accepting(south, 22);
    pass(caller, called);
    called.decide(Status::ok);
    pass(called, caller);
    pass(caller, called);
    EXPECT_EQ(called.why(), "wrong cookie");
    EXPECT_EQ(called.take_output(), "");
    // And a called node that does not know it cannot pretend to.
    Handshake other = Handshake::connecting(north, 11, "south@host");
    other.packet("sok");
    other.packet(name_packet("south@host").insert(9, "\0\0\0\x01"s));
    other.packet("a" + std::string(16, 'x'));
    EXPECT_EQ(other.why(), "wrong cookie");
}

TEST(Handshake, EachStatusHasItsEnd) {
    for (const auto& [status, why] :
         {std::pair{"snok", "it is connecting to us at the same time"},
          std::pair{"snot_allowed", "it does not allow us"}, std::pair{"HTTP/1.1 400", "not an Erlang node"}}) {
        Handshake caller = Handshake::connecting(north, 11, "south@host");
        caller.packet(status);
        EXPECT_EQ(caller.state(), State::failed);
        EXPECT_EQ(caller.why(), why);
    }
    for (const auto& [status, word] :
         {std::pair{Status::nok, "\0\x04snok"s}, std::pair{Status::not_allowed, "\0\x0csnot_allowed"s}}) {
        Handshake called = Handshake::accepting(south, 22);
        called.packet(name_packet("north@host"));
        called.decide(status);
        EXPECT_EQ(called.take_output(), word);
        EXPECT_EQ(called.state(), State::failed);
    }
}

TEST(Handshake, NamesAreChecked) {
    const auto why = [](const std::string& packet) {
        Handshake called = Handshake::accepting(south, 22);
        called.packet(packet);
        return called.why();
    };
    EXPECT_EQ(why(name_packet("north@host")), "");
    for (const char* bad : {"north", "@host", "north@", "a@b@c", "a b@c", "\x1b[1m@host", "\xff@host"}) {
        EXPECT_EQ(why(name_packet(bad)), "its name is ill-formed") << bad;
    }
    EXPECT_EQ(why(name_packet("south@host")), "it has our own name");
    EXPECT_EQ(why(name_packet("north@host", 0)), "its flags lack what we need");
    EXPECT_EQ(why("n\0\x05xxxx"s), "it speaks a handshake from before OTP 23");
    EXPECT_EQ(why(""), "not an Erlang node");
    EXPECT_EQ(why(name_packet("north@host").substr(0, 16)), "not an Erlang node");
}

TEST(Handshake, TheCallerMeetsWhomItCalled) {
    Handshake caller = Handshake::connecting(north, 11, "south@host");
    caller.packet("sok");
    caller.packet(name_packet("east@host").insert(9, "\0\0\0\x01"s));
    EXPECT_EQ(caller.why(), "it is another node: east@host");
}

TEST(Epmd, AnswersMayComeInPiecesAndMayBeNonsense) {
    using epmd::Answer;
    const std::string found = "\x77\0\x12\x34\x4d\0\0\x06\0\x05\0\x05room1\0\0"s;
    EXPECT_EQ(epmd::read_found(found).port, 0x1234);
    EXPECT_TRUE(epmd::read_found(found).speaks_version_6);
    EXPECT_EQ(epmd::read_found(found.substr(0, 9)).answer, Answer::incomplete);
    EXPECT_EQ(epmd::read_found("\x77\x01"s).answer, Answer::no);
    EXPECT_EQ(epmd::read_found("\x78\x01"s).answer, Answer::ill_formed);
    EXPECT_FALSE(epmd::read_found("\x77\0\x12\x34\x4d\0\0\x05\0\x05"s).speaks_version_6);
    EXPECT_EQ(epmd::read_registered("\x79\0\0\x03"s).creation, 3u);
    EXPECT_EQ(epmd::read_registered("\x79\x01\0\0"s).answer, Answer::no);
    EXPECT_EQ(epmd::read_registered("\x76\0\0"s).answer, Answer::incomplete);
    EXPECT_EQ(epmd::read_registered("\x01\0"s).answer, Answer::ill_formed);
}
