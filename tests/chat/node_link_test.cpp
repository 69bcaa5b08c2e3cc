#include "05_chat/link/message.hpp"

#include <gtest/gtest.h>

using namespace chat;
using namespace std::string_literals;

namespace {

std::string one_frame(const link::Message& message) {
    std::string out;
    link::encode(message, out);
    const std::size_t length = out.size() - 4;
    EXPECT_EQ(out.substr(0, 4), (std::string{0, 0, static_cast<char>(length >> 8), static_cast<char>(length & 0xFF)}));
    EXPECT_LE(length, link::max_frame);
    return out.substr(4);
}

}  // namespace

TEST(NodeLink, EveryMessageComesBackAsItWas) {
    const std::vector<link::Message> messages{
        link::Hello{.node = "north"},
        link::Enter{7, "lobby", "Мария"},
        link::Speak{7, "Hello!"},
        link::Go{7, ""},
        link::Ask{7, "lobby"},
        link::Answer{7, "In the room: Мария"},
        link::Entered{7, 41},
        link::Refused{7, "the name is taken"},
        link::Past{7, Line::Kind::said, "Mikey", "Hi!"},
        link::Spoken{"lobby", 1ull << 40, Line::Kind::left, "Mikey", "gone"},
        link::Ping{1},
        link::Pong{~0ull},
        link::Challenge{1, ~0ull},
        link::Proof{std::string(16, '\xff')},
    };
    for (const auto& message : messages) {
        const std::string bytes = one_frame(message);
        EXPECT_EQ(bytes[0], static_cast<char>(message.index() + 1));
        const auto back = link::decode(bytes);
        ASSERT_TRUE(back.has_value()) << message.index() << ": " << link::reason(back.error());
        EXPECT_EQ(back->index(), message.index());
        EXPECT_EQ(one_frame(*back), bytes);
        for (std::size_t cut = 0; cut < bytes.size(); ++cut) EXPECT_FALSE(link::decode(bytes.substr(0, cut)));
        EXPECT_EQ(link::decode(bytes + "x").error(), link::Fault::too_much);
    }
}

TEST(NodeLink, TheWireIsWhatTheHeaderSays) {
    EXPECT_EQ(one_frame(link::Speak{7, "Hi"}), "\x03\0\0\0\0\0\0\0\x07\0\x02Hi"s);
    std::string line;
    link::encode_line("r", {258, Line::Kind::said, 1, "M", "x"}, line);
    EXPECT_EQ(line, "\0\0\0\x13\x0a\0\x01r\0\0\0\0\0\0\x01\x02\x02\0\x01M\0\x01x"s);
}

TEST(NodeLink, HostileFramesAreRefusedWithAReason) {
    using link::Fault;
    EXPECT_EQ(link::decode("").error(), Fault::cut_short);
    EXPECT_EQ(link::decode("\0"s).error(), Fault::unknown_type);
    EXPECT_EQ(link::decode("\x0f"s).error(), Fault::unknown_type);
    EXPECT_EQ(link::decode("\xff"s).error(), Fault::unknown_type);
    EXPECT_EQ(link::decode("GET / HTTP/1.1\r\n").error(), Fault::unknown_type);
    EXPECT_EQ(link::decode("\x03\0\0\0\0\0\0\0\x07\xff\xff"s).error(), Fault::text_too_long);
    EXPECT_EQ(link::decode("\x09\0\0\0\0\0\0\0\x07\x04\0\0\0\0"s).error(), Fault::unknown_kind);
    EXPECT_EQ(link::decode("\x09\0\0\0\0\0\0\0\x07\0\0\0\0\0"s).error(), Fault::unknown_kind);
    EXPECT_EQ(link::decode("\x0e\0\x11"s).error(), Fault::text_too_long);
    EXPECT_EQ(link::decode(one_frame(link::Hello{.magic = 1, .node = "x"})).error(), Fault::not_a_node);
    EXPECT_EQ(link::decode(one_frame(link::Hello{.version = 1, .node = "x"})).error(), Fault::wrong_version);
}

TEST(NodeLink, ATextOverItsBoundIsCutBetweenCharacters) {
    std::string text(link::max_text - 1, 'a');
    text += "ж";
    const auto back = link::decode(one_frame(link::Speak{1, text}));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(std::get<link::Speak>(*back).text, std::string(link::max_text - 1, 'a'));
}
