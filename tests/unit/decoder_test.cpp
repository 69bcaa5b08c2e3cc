#include "net/packet.hpp"

#include "unit/allocations.hpp"
#include "unit/bytes.hpp"
#include "unit/reference.hpp"

#include <gmock/gmock.h>

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

TEST(DecoderRaw, GivesWhatComes) {
    const auto decoded = decode(Packet::raw, 1, {"a\xff\0"s, "\r\n"});
    EXPECT_THAT(decoded.packets, ElementsAre("a\xff\0"s, "\r\n"));
    EXPECT_EQ(decoded.end, Error::closed);

    const std::string stream = "\xff\xfd\x06 no telnet here\r\0\n"s;
    for (const auto& pieces : bytes::cuts(stream))
        EXPECT_EQ(joined(decode(Packet::raw, ample, pieces).packets), stream);
    EXPECT_THAT(decode(Packet::raw, ample, {}).packets, IsEmpty());
}

TEST(DecoderLine, KeepsEachLinesOwnEnding) {
    const auto decoded = decode_cut_anywhere(Packet::line, ample, "hello\r\n\n\r\n42\nCR\rin it\r\0x\r\n"s);
    EXPECT_THAT(decoded.packets, ElementsAre("hello\r\n", "\n", "\r\n", "42\n", "CR\rin it\r\n", "x\r\n"));
    EXPECT_EQ(decoded.end, Error::closed);
}

TEST(DecoderLine, AnUnfinishedLastLineIsAPacket) {
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "one\ntwo").packets, ElementsAre("one\n", "two"));
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "one\r").packets, ElementsAre("one\r"));
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "one\n\xff\xfd").packets, ElementsAre("one\n"));
    EXPECT_EQ(decode_cut_anywhere(Packet::line, ample, "one").end, Error::closed) << "and no error";
    EXPECT_THAT(decode_cut_anywhere(Packet::line, ample, "").packets, IsEmpty());
}

TEST(DecoderLine, AnswersOfTelnetKeepTheirPlaceAmongTheLines) {
    const auto decoded =
        decode_cut_anywhere(Packet::line, ample, "\xff\xfd\x06one\n\xff\xfb\x01two\nthree\n\xff\xfd\x18");
    EXPECT_THAT(decoded.packets, ElementsAre("one\n", "two\n", "three\n"));
    const std::string first = "\xff\xfc\x06", second = first + "\xff\xfe\x01";
    EXPECT_THAT(decoded.answers, ElementsAre(first, second, second, second + "\xff\xfc\x18"));
}

TEST(DecoderLine, TelnetInTheMiddleOfALineLeavesNoHole) {
    const auto decoded = decode_cut_anywhere(Packet::line, ample,
                                             "he\xff\xf1llo\xff\xff wo\xff\xfa\x18\n\xff\xf0rld\r\xff\xf1\0next\n"s);
    EXPECT_THAT(decoded.packets, ElementsAre("hello\xff world\r\n", "next\n"));
}

TEST(DecoderLine, TheLimitCountsWhatALineHolds) {
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

TEST(DecoderLine, TooLongIsSaidAsSoonAsItIsKnownAndForGood) {
    net::Decoder decoder(Packet::line, 5);
    bytes::Decoded decoded;
    bytes::take_all(decoder, decoded);
    bytes::feed(decoder, "12345", decoded);
    EXPECT_EQ(decoded.end, Error::incomplete);
    bytes::feed(decoder, "6", decoded);
    EXPECT_EQ(decoded.end, Error::too_long) << "no line end is needed to know";
    decoder.end();
    EXPECT_EQ(decoder.next().error(), Error::too_long);
}

TEST(DecoderFrames, RoundTripThroughAnyCut) {
    for (const auto [mode, size] : framed) {
        const std::string stream = header(5, size) + "hello" + header(0, size) + header(3, size) + "\xff\0\n"s;
        const auto decoded = decode_cut_anywhere(mode, ample, stream);
        EXPECT_THAT(decoded.packets, ElementsAre("hello", "", "\xff\0\n"s));
        EXPECT_EQ(decoded.end, Error::closed);
        EXPECT_EQ(joined(decoded.answers), "") << "frames know no telnet";
    }
}

TEST(DecoderFrames, TheLimitIsForWhatAFrameHolds) {
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

TEST(DecoderFrames, AnEndInsideAFrameIsAnError) {
    for (const auto [mode, size] : framed) {
        EXPECT_EQ(decode_cut_anywhere(mode, ample, header(5, size) + "hell").end, Error::cut_short);
        EXPECT_EQ(decode_cut_anywhere(mode, ample, header(1, size)).end, Error::cut_short);
        const auto in_header = decode_cut_anywhere(mode, ample, header(0, size) + header(0, size).substr(1));
        EXPECT_EQ(in_header.end, size == 1 ? Error::closed : Error::cut_short);
        EXPECT_EQ(in_header.packets.size(), 1U);
    }
}

TEST(DecoderFrames, AHeaderThatLiesTakesNoMemory) {
    const Allocations before;
    net::Decoder decoder(Packet::four, mebi);
    bytes::Decoded decoded;
    bytes::take_all(decoder, decoded);
    bytes::feed(decoder, header(0xFFFFFFFF, 4), decoded);
    EXPECT_EQ(decoded.end, Error::too_long);
    EXPECT_LE(Allocations().bytes - before.bytes, 2 * net::read_size);

    // One within the limit is believed only as far as its bytes come.
    net::Decoder hopeful(Packet::four, 512 * mebi);
    decoded = {};
    bytes::take_all(hopeful, decoded);
    bytes::feed(hopeful, header(512 * mebi, 4) + "abc", decoded);
    EXPECT_EQ(decoded.end, Error::incomplete);
    EXPECT_LE(hopeful.space().size(), 2 * net::read_size);
    EXPECT_LE(Allocations().bytes - before.bytes, 6 * net::read_size);
}

TEST(Decoder, MakesOfRandomBytesInRandomPiecesWhatTheyMean) {
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
            ASSERT_EQ(decoded.answers.back(), expected.answers) << seed;
        }
    }
}

// ---- memory: what anybody may rely on, whatever the decoder does with its buffer ------------------------------------

TEST(DecoderMemory, IsAReadAndTheLongestPacketAtTheMost) {
    constexpr std::size_t max_packet = 3 * mebi;
    for (const auto& stream :
         {std::string(max_packet, 'x') + "\r\n", header(max_packet, 4) + std::string(max_packet, 'x')}) {
        const Packet mode = stream.ends_with('\n') ? Packet::line : Packet::four;
        net::Decoder decoder(mode, max_packet);
        bytes::Decoded decoded;
        bytes::take_all(decoder, decoded);
        std::size_t reads = 0, done = 0;
        while (done < stream.size()) {
            const auto space = decoder.space();
            ASSERT_LE(done + space.size(), max_packet + 8 + net::read_size);
            const auto size = std::min(space.size(), stream.size() - done);
            std::memcpy(space.data(), stream.data() + done, size);
            decoder.filled(size);
            done += size;
            ++reads;
            bytes::take_all(decoder, decoded);
        }
        ASSERT_EQ(decoded.packets.size(), 1U);
        EXPECT_EQ(decoded.packets.front().size(), mode == Packet::line ? stream.size() : max_packet);
        // Reads must not become ever smaller while a long packet comes.
        EXPECT_LE(reads, 3 * stream.size() / net::read_size + 16);
    }
}

TEST(DecoderMemory, GrowsSoThatMuchComesInFewReads) {
    net::Decoder decoder(Packet::raw, ample);
    bytes::Decoded decoded;
    bytes::take_all(decoder, decoded);
    bytes::feed(decoder, std::string(8 * net::read_size, 'x'), decoded);
    EXPECT_GE(decoder.space().size(), net::read_size / 2);
    EXPECT_LE(decoder.space().size(), 2 * net::read_size);
}

TEST(DecoderMemory, ALongPacketIsNotPaidForForEver) {
    const std::string lines = "small\n";
    net::Decoder decoder(Packet::line, 8 * mebi);
    bytes::Decoded decoded;
    bytes::take_all(decoder, decoded);
    bytes::feed(decoder, std::string(8 * mebi, 'x') + "\n", decoded);
    ASSERT_EQ(decoded.packets.size(), 1U);
    for (int i = 0; i < 1000; ++i) bytes::feed(decoder, lines, decoded);
    EXPECT_EQ(decoded.packets.size(), 1001U);
    EXPECT_LE(decoder.space().size(), 2 * net::read_size);
}

TEST(DecoderMemory, SmallPacketsNeedNoAllocation) {
    for (const auto& [mode, packet] : {std::pair{Packet::line, "hello\r\n"s}, {Packet::two, header(5, 2) + "hello"}}) {
        net::Decoder decoder(mode, ample);
        std::size_t packets = 0;
        const auto come = [&] {
            while (decoder.next()) ++packets;
            const auto space = decoder.space();
            std::memcpy(space.data(), packet.data(), packet.size());
            decoder.filled(packet.size());
        };
        for (int i = 0; i < 1000; ++i) come();
        const Allocations before;
        for (int i = 0; i < 1000; ++i) come();
        EXPECT_EQ(Allocations().count, before.count);
        EXPECT_EQ(packets, 1999U);
    }
}

TEST(DecoderMemory, ManyPacketsOfOneReadAreViewsOfIt) {
    std::string stream;
    while (stream.size() < 300) stream += "line " + std::to_string(stream.size()) + "\n";
    net::Decoder decoder(Packet::line, ample);
    ASSERT_EQ(decoder.next().error(), Error::incomplete);
    const auto space = decoder.space();
    ASSERT_GE(space.size(), stream.size());
    std::memcpy(space.data(), stream.data(), stream.size());
    decoder.filled(stream.size());
    const Allocations before;
    std::vector<std::string_view> views;
    views.reserve(100);
    while (const auto packet = decoder.next()) views.push_back(*packet);
    EXPECT_EQ(Allocations().count - before.count, 1U) << "the vector's own";
    std::string all;
    for (const auto view : views) all += view;
    EXPECT_EQ(all, stream) << "all of them are valid until space() is called";
}

TEST(DecoderLent, WhatIsUnfinishedSurvivesTheNextUser) {
    std::string lent(net::lent_size, '\0');
    const auto read = [&](net::Decoder& decoder, std::string_view bytes) {
        bytes.copy(decoder.space_in(lent).data(), bytes.size());
        decoder.filled(bytes.size());
    };
    net::Decoder one(Packet::line, 100), two(Packet::line, 100);
    read(one, "one\ntwo\nunfin");
    EXPECT_EQ(*one.next(), "one\n");
    one.keep();  // in the middle of a read
    read(two, "something else\n");
    EXPECT_EQ(*two.next(), "something else\n");
    two.keep();
    EXPECT_EQ(*one.next(), "two\n");
    EXPECT_EQ(one.next().error(), net::Error::incomplete);
    read(one, "ished\n");
    EXPECT_EQ(*one.next(), "unfinished\n");
}

TEST(DecoderLent, WholePacketsNeedNoMemoryOfItsOwn) {
    std::string lent(net::lent_size, '\0');
    net::Decoder decoder(Packet::two, 70'000);
    const std::string frame = header(60'000, 2) + std::string(60'000, 'x');
    const Allocations before;
    for (int i = 0; i < 10; ++i) {
        frame.copy(decoder.space_in(lent).data(), frame.size());
        decoder.filled(frame.size());
        EXPECT_EQ(decoder.next()->size(), 60'000U);
        decoder.keep();
    }
    EXPECT_EQ(Allocations().count, before.count);
}
