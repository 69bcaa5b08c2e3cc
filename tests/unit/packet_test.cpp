#include "net/packet.hpp"

#include "unit/bytes.hpp"
#include "unit/reference.hpp"

#include <gmock/gmock.h>

#include <random>
#include <stdexcept>

using namespace std::string_literals;
using bytes::decode;
using bytes::decode_cut_anywhere;
using bytes::header;
using net::Error;
using net::Packet;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

constexpr std::size_t ample = 65536;
constexpr std::size_t mebi = 1 << 20;

std::string joined(const std::vector<std::string>& packets) {
    std::string all;
    for (const auto& packet : packets) all += packet;
    return all;
}

struct Framed {
    Packet mode;
    std::size_t header;
};
constexpr Framed framed[]{{Packet::one, 1}, {Packet::two, 2}, {Packet::four, 4}};

}  // namespace

TEST(Packet, ModesAreNamedAsOptionsNameThem) {
    EXPECT_EQ(net::to_string(Packet::raw), "raw");
    EXPECT_EQ(net::to_string(Packet::line), "line");
    for (const auto [mode, size] : framed) {
        EXPECT_EQ(net::to_string(mode), std::to_string(size));
        EXPECT_EQ(net::header_size(mode), size);
    }
    EXPECT_EQ(net::header_size(Packet::raw), 0U);
    EXPECT_EQ(net::header_size(Packet::line), 0U);
}

TEST(FramerRaw, GivesWhatComes) {
    const auto decoded = decode(Packet::raw, 1, {"a\xff\0"s, "\r\n"});
    EXPECT_THAT(decoded.packets, ElementsAre("a\xff\0"s, "\r\n"));
    EXPECT_EQ(decoded.end, Error::closed);

    const std::string stream = "\xff\xfd\x06 no telnet here\r\0\n"s;
    for (const auto& pieces : bytes::cuts(stream))
        EXPECT_EQ(joined(decode(Packet::raw, ample, pieces).packets), stream);
    EXPECT_THAT(decode(Packet::raw, ample, {}).packets, IsEmpty());
}

TEST(FramerLine, KeepsEachLinesOwnEnding) {
    const auto decoded = decode_cut_anywhere(Packet::line, ample, "hello\r\n\n\r\n42\nCR\rin it\r\0x\r\n"s);
    EXPECT_THAT(decoded.packets, ElementsAre("hello\r\n", "\n", "\r\n", "42\n", "CR\rin it\r\n", "x\r\n"));
    EXPECT_EQ(decoded.end, Error::closed);
}

TEST(FramerLine, AnUnfinishedLastLineIsAPacket) {
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "one\ntwo").packets, ElementsAre("one\n", "two"));
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "one\r").packets, ElementsAre("one\r"));
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "one\n\xff\xfd").packets, ElementsAre("one\n"));
    EXPECT_EQ(decode_cut_anywhere(Packet::line, ample, "one").end, Error::closed) << "and no error";
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "").packets, IsEmpty());
}

TEST(FramerLine, TelnetIsAnsweredWhereverItStands) {
    const auto decoded =
        decode_cut_anywhere(Packet::line, ample, "\xff\xfd\x06one\n\xff\xfb\x01two\nthree\n\xff\xfd\x18");
    EXPECT_THAT(decoded.packets, ElementsAre("one\n", "two\n", "three\n"));
    EXPECT_EQ(decoded.answers, "\xff\xfc\x06\xff\xfe\x01\xff\xfc\x18");
}

TEST(FramerLine, TelnetInTheMiddleOfALineLeavesNoHole) {
    const auto decoded = decode_cut_anywhere(Packet::line, ample,
                                             "he\xff\xf1llo\xff\xff wo\xff\xfa\x18\n\xff\xf0rld\r\xff\xf1\0next\n"s);
    EXPECT_THAT(decoded.packets, ElementsAre("hello\xff world\r\n", "next\n"));
}

TEST(FramerLine, TheLimitCountsWhatALineHolds) {
    // Exactly at the limit, with every ending; the ending does not count.
    EXPECT_THAT(decode_cut_anywhere(Packet::line, 5,
                                    "12345\n12345\r\n12345\r\0"
                                    "12345"s)
                    .packets,
                ElementsAre("12345\n", "12345\r\n", "12345\r\n", "12345"));
    EXPECT_THAT(decode_cut_anywhere(Packet::line, 5, "12345\r").packets, ElementsAre("12345\r"));
    // One over.
    for (const std::string over : {"123456\n", "123456\r\n", "123456", "1234\r6\n", "12345\r6", "12345\r\r\n"}) {
        const auto decoded = decode_cut_anywhere(Packet::line, 5, "ok\n" + over + "never seen\n");
        EXPECT_THAT(decoded.packets, ElementsAre("ok\n")) << over;
        EXPECT_EQ(decoded.end, Error::too_long) << over;
    }
    // Telnet's commands are not part of the line.
    EXPECT_THAT(decode_cut_anywhere(Packet::line, 5,
                                    "12\xff\xfd\x06\xff\xf1\xff\xff"
                                    "45\n")
                    .packets,
                ElementsAre("12\xff"
                            "45\n"));
}

TEST(FramerLine, TooLongIsSaidAsSoonAsItIsKnownAndForGood) {
    bytes::Decoder decoder(Packet::line, 5);
    decoder.feed("12345");
    EXPECT_EQ(decoder.decoded().end, Error::incomplete);
    decoder.feed("6");
    EXPECT_EQ(decoder.decoded().end, Error::too_long) << "no line end is needed to know";

    bytes::Decoder another(Packet::line, 5);
    another.feed("ok\n1234567\nnever seen\n");
    another.end();
    EXPECT_EQ(another.decoded().end, Error::too_long);
    EXPECT_THAT(another.decoded().packets, ElementsAre("ok\n"));
}

TEST(FramerLine, MayHaveNoLimit) {
    const auto decoded = decode_cut_anywhere(Packet::line, SIZE_MAX, "one\ntwo");
    EXPECT_THAT(decoded.packets, ElementsAre("one\n", "two"));

    net::Framer framer(Packet::line, SIZE_MAX);
    net::Buffer in;
    in.append("one\ntwo");
    std::vector<std::string_view> packets;
    EXPECT_EQ(framer.next_all(in, true, 10, packets), Error::closed);
    EXPECT_THAT(packets, ElementsAre("one\n", "two"));
}

TEST(FramerLine, SearchesNoByteTwice) {
    // Quadratic, this would take minutes.
    constexpr std::size_t size = 4 * mebi;
    net::Framer framer(Packet::line, size);
    net::Buffer in;
    for (std::size_t arrived = 0; arrived < size; arrived += 16) {
        in.append(std::string_view("xxxxxxxxxxxxxxxx"));
        ASSERT_EQ(framer.next(in, false).error(), Error::incomplete);
    }
    in.append("\nnext\n");
    EXPECT_EQ(framer.next(in, false)->size(), size + 1);
    EXPECT_EQ(*framer.next(in, false), "next\n");
}

TEST(FramerFrames, RoundTripThroughAnyCut) {
    for (const auto [mode, size] : framed) {
        const std::string stream = header(5, size) + "hello" + header(0, size) + header(3, size) + "\xff\0\n"s;
        const auto decoded = decode_cut_anywhere(mode, ample, stream);
        EXPECT_THAT(decoded.packets, ElementsAre("hello", "", "\xff\0\n"s));
        EXPECT_EQ(decoded.end, Error::closed);
        EXPECT_EQ(decoded.answers, "") << "frames know no telnet";
    }
}

TEST(FramerFrames, TheLimitIsForWhatAFrameHolds) {
    for (const auto [mode, size] : framed) {
        EXPECT_THAT(decode_cut_anywhere(mode, 5, header(5, size) + "hello").packets, ElementsAre("hello"));
        const auto over = decode_cut_anywhere(mode, 5, header(2, size) + "ok" + header(6, size) + "123456");
        EXPECT_THAT(over.packets, ElementsAre("ok"));
        EXPECT_EQ(over.end, Error::too_long);
    }
    // As long as a header can say.
    EXPECT_EQ(decode(Packet::one, ample, {header(255, 1), std::string(255, 'x')}).packets.at(0).size(), 255U);
    EXPECT_EQ(decode(Packet::two, ample, {header(65535, 2), std::string(65535, 'x')}).packets.at(0).size(), 65535U);
}

TEST(FramerFrames, AnEndInsideAFrameIsAnError) {
    for (const auto [mode, size] : framed) {
        EXPECT_EQ(decode_cut_anywhere(mode, ample, header(5, size) + "hell").end, Error::cut_short);
        EXPECT_EQ(decode_cut_anywhere(mode, ample, header(1, size)).end, Error::cut_short);
        const auto in_header = decode_cut_anywhere(mode, ample, header(0, size) + header(0, size).substr(1));
        EXPECT_EQ(in_header.end, size == 1 ? Error::closed : Error::cut_short);
        EXPECT_EQ(in_header.packets.size(), 1U);
    }
}

TEST(FramerFrames, AHeaderThatLiesIsNotWaitedFor) {
    for (const auto [mode, size] : framed) {
        bytes::Decoder decoder(mode, 5);
        decoder.feed(header(6, size));
        EXPECT_EQ(decoder.decoded().end, Error::too_long);
    }
}

TEST(Framer, MakesOfRandomBytesInRandomPiecesWhatTheyMean) {
    for (unsigned seed = 0; seed < 20000; ++seed) {
        std::mt19937 random(seed);
        const auto mode = static_cast<Packet>(random() % net::packet_names.size());
        const std::size_t max_packet = std::array<std::size_t, 4>{1, 3, 20, 65536}[random() % 4];
        const auto stream = reference::random_stream(random);
        const auto expected = reference::meaning(mode, max_packet, stream);
        const auto decoded = decode(mode, max_packet, reference::random_pieces(stream, random));
        ASSERT_EQ(decoded.end, expected.end) << seed;
        if (mode == Packet::raw) {
            ASSERT_EQ(joined(decoded.packets), joined(expected.packets)) << seed;
            continue;
        }
        ASSERT_EQ(decoded.packets, expected.packets) << seed;
        // What is still to come is not answered where the stream cannot be followed any further.
        if (expected.end == Error::closed) {
            ASSERT_EQ(decoded.answers, expected.answers) << seed;
        }
    }
}

// ---- the way out ----------------------------------------------------------------------------------------------------

namespace {

std::string put(Packet mode, std::initializer_list<std::string_view> pieces) {
    net::Buffer out;
    net::Framer framer(mode, ample);
    framer.put(pieces, out);
    framer.escape(out);
    return std::string(out.bytes());
}

}  // namespace

TEST(FramerPut, AddsWhatThePacketModeAsksFor) {
    EXPECT_EQ(put(Packet::raw, {"ab", "", "c\xff"}), "abc\xff");
    EXPECT_EQ(put(Packet::line, {"ECHO ", "hello\r\n"}), "ECHO hello\r\n");
    EXPECT_EQ(put(Packet::one, {"ab", "c"}), "\x03"s + "abc");
    EXPECT_EQ(put(Packet::two, {"ab", "c\xff"}), "\0\x04"s + "abc\xff");
    EXPECT_EQ(put(Packet::four, {}), "\0\0\0\0"s);
    EXPECT_EQ(put(Packet::two, {std::string(0x1234, 'x')}), "\x12\x34" + std::string(0x1234, 'x'));
}

TEST(FramerPut, DoublesEvery255OfALineAndOfNothingElse) {
    EXPECT_EQ(put(Packet::line, {"\xff", "a\xff\xff"}),
              "\xff\xff"
              "a\xff\xff\xff\xff");
    const std::string all(10'000, '\xff');
    EXPECT_EQ(put(Packet::line, {all}), all + all);
    EXPECT_EQ(put(Packet::raw, {all}), all);
    EXPECT_EQ(put(Packet::four, {"\xff"}), header(1, 4) + "\xff");

    net::Buffer out;
    net::Framer lines(Packet::line, ample);
    lines.put({"\xff", "one\n"}, out);
    lines.escape(out);
    out.append("\xff\xfc\x06");  // telnet's own answers are no data
    lines.put({"two\xff\n"}, out);
    lines.escape(out);
    lines.escape(out);
    EXPECT_EQ(out.bytes(),
              "\xff\xff"
              "one\n"
              "\xff\xfc\x06"
              "two\xff\xff\n");
}

TEST(FramerPut, AFrameThatItsHeaderCannotSayIsRefusedWhole) {
    net::Buffer out;
    net::Framer ones(Packet::one, ample);
    ones.put({std::string(255, 'x')}, out);
    EXPECT_THROW(ones.put({std::string(128, 'x'), std::string(128, 'x')}, out), std::length_error);
    EXPECT_EQ(out.bytes(), "\xff" + std::string(255, 'x')) << "nothing of it was appended";
    EXPECT_THROW(put(Packet::two, {std::string(65536, 'x')}), std::length_error);
}
