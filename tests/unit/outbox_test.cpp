#include "net/packet.hpp"

#include "unit/allocations.hpp"
#include "unit/bytes.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

using namespace std::string_literals;
using bytes::header;
using net::Outbox;
using net::Packet;

namespace {

constexpr std::size_t everything = SIZE_MAX;

/// Writes all there is, at most `limit` bytes at a time, as a system would.
std::string write_all(Outbox& outbox, std::size_t limit = everything) {
    std::string written;
    while (!outbox.empty()) {
        Outbox::Buffers buffers;
        const std::size_t used = outbox.gather(buffers);
        EXPECT_GT(used, 0U);
        EXPECT_LE(used, Outbox::max_buffers);
        std::size_t room = limit;
        std::size_t size = 0;
        for (std::size_t i = 0; i < used && room > 0; ++i) {
            EXPECT_GT(buffers[i].size(), 0U) << "an empty buffer wastes one of " << Outbox::max_buffers;
            const auto part = std::min(room, buffers[i].size());
            written.append(static_cast<const char*>(buffers[i].data()), part);
            room -= part;
            size += part;
        }
        if (size == 0) break;
        outbox.written(size);
    }
    return written;
}

std::string written_by(Packet mode, std::initializer_list<std::string_view> pieces) {
    Outbox outbox(mode);
    outbox.put(pieces);
    return write_all(outbox);
}

}  // namespace

TEST(Outbox, AddsWhatThePacketModeAsksFor) {
    EXPECT_EQ(written_by(Packet::raw, {"ab", "", "c\xff"}), "abc\xff");
    EXPECT_EQ(written_by(Packet::line, {"ECHO ", "hello\r\n"}), "ECHO hello\r\n");
    EXPECT_EQ(written_by(Packet::one, {"ab", "c"}), "\x03"s + "abc");
    EXPECT_EQ(written_by(Packet::two, {"ab", "c\xff"}), "\0\x04"s + "abc\xff");
    EXPECT_EQ(written_by(Packet::four, {}), "\0\0\0\0"s);
    EXPECT_EQ(written_by(Packet::two, {std::string(0x1234, 'x')}), "\x12\x34" + std::string(0x1234, 'x'));
}

TEST(Outbox, DoublesEvery255OfALineAndOfNothingElse) {
    EXPECT_EQ(written_by(Packet::line, {"\xff", "a\xff\xff"}),
              "\xff\xff"
              "a\xff\xff\xff\xff");
    const std::string all(2 * Outbox::reference_from, '\xff');
    EXPECT_EQ(written_by(Packet::line, {all}), all + all);
    EXPECT_EQ(written_by(Packet::raw, {all}), all);
    EXPECT_EQ(written_by(Packet::four, {"\xff"}), header(1, 4) + "\xff");
    Outbox outbox(Packet::line);
    outbox.put_bytes("\xff\xfc\x06");
    EXPECT_EQ(write_all(outbox), "\xff\xfc\x06") << "telnet's own answers are no data";
}

TEST(Outbox, AFrameThatItsHeaderCannotSayIsRefusedWhole) {
    Outbox outbox(Packet::one);
    outbox.put({std::string(255, 'x')});
    EXPECT_THROW(outbox.put({std::string(128, 'x'), std::string(128, 'x')}), std::length_error);
    EXPECT_EQ(write_all(outbox), "\xff" + std::string(255, 'x')) << "nothing of it was appended";
    Outbox two(Packet::two);
    EXPECT_THROW(two.put({std::string(65536, 'x')}), std::length_error);
    EXPECT_TRUE(two.empty());
}

TEST(Outbox, LongPiecesAreNotCopied) {
    const std::string just_short(Outbox::reference_from - 1, 's');
    const std::string just_long(Outbox::reference_from, 'l');
    Outbox outbox(Packet::raw);
    outbox.put({just_short, just_long});
    Outbox::Buffers buffers;
    ASSERT_EQ(outbox.gather(buffers), 2U);
    EXPECT_NE(buffers[0].data(), just_short.data());
    EXPECT_EQ(buffers[1].data(), just_long.data());
}

TEST(Outbox, EveryPartialWriteGoesOnWhereItStopped) {
    const std::string big(Outbox::reference_from, 'B'), bigger(Outbox::reference_from + 7, 'C');
    const auto fill = [&](Outbox& outbox) {
        outbox.put({"ECHO ", big, "\r\n"});
        outbox.put({big});
        outbox.put({bigger, "\xff", "end"});
    };
    Outbox at_once(Packet::line);
    fill(at_once);
    const std::string whole = write_all(at_once);
    ASSERT_EQ(whole, "ECHO " + big + "\r\n" + big + bigger + "\xff\xff" + "end");

    // Every place for the first cut, then the rest at once; and every size of step that is small, or near an edge.
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
        Outbox outbox(Packet::line);
        fill(outbox);
        outbox.written(cut);
        ASSERT_EQ(write_all(outbox), whole.substr(cut)) << "cut after " << cut;
    }
    for (const std::size_t step : {1UL, 2UL, 3UL, 4095UL, 4096UL, 4097UL, 8191UL}) {
        Outbox outbox(Packet::line);
        fill(outbox);
        ASSERT_EQ(write_all(outbox, step), whole) << "steps of " << step;
    }
}

TEST(Outbox, WhatIsPutDuringAPartialWriteComesAfterIt) {
    const std::string big(Outbox::reference_from, 'B');
    Outbox outbox(Packet::raw);
    outbox.put({"one", big});
    outbox.written(5);
    outbox.put({"two", big});
    EXPECT_EQ(write_all(outbox, 1000), (big + "two" + big).substr(2));
}

TEST(Outbox, MoreThanOneWriteTakesIsGatheredInTurns) {
    const std::string big(Outbox::reference_from, 'B');
    for (const std::size_t count : {31U, 32U, 33U, 63U, 64U, 65U, 200U}) {
        Outbox with_small(Packet::two), alone(Packet::raw);
        std::string expected, expected_alone;
        for (std::size_t i = 0; i < count; ++i) {
            with_small.put({big});
            expected += header(big.size(), 2) + big;
            alone.put({big});
            expected_alone += big;
        }
        EXPECT_EQ(write_all(with_small), expected) << count;
        EXPECT_EQ(write_all(alone), expected_alone) << count;
    }
}

TEST(Outbox, ManySmallPacketsAreOneBuffer) {
    Outbox outbox(Packet::line);
    for (int i = 0; i < 10000; ++i) outbox.put({"ECHO ", "x\n"});
    Outbox::Buffers buffers;
    EXPECT_EQ(outbox.gather(buffers), 1U);
    EXPECT_EQ(buffers[0].size(), 70000U);
}

TEST(Outbox, IsEmptyWhenAllWasWrittenAndUsableAgain) {
    Outbox outbox(Packet::line);
    EXPECT_TRUE(outbox.empty());
    outbox.put({"one\n"});
    outbox.written(3);
    EXPECT_FALSE(outbox.empty());
    outbox.written(1);
    EXPECT_TRUE(outbox.empty());
    Outbox::Buffers buffers;
    EXPECT_EQ(outbox.gather(buffers), 0U);
    outbox.put({"two\n"});
    EXPECT_EQ(write_all(outbox), "two\n");
}

TEST(Outbox, RepliesNeedNoAllocation) {
    Outbox outbox(Packet::line);
    const std::string reply(1000, 'x');
    const auto answer = [&] {
        for (int i = 0; i < 10; ++i) outbox.put({"ECHO ", reply, "\n"});
        outbox.written(10 * (reply.size() + 6));
    };
    for (int i = 0; i < 10; ++i) answer();
    const Allocations before;
    for (int i = 0; i < 100; ++i) answer();
    EXPECT_EQ(Allocations().count, before.count);
}

TEST(Outbox, OneThatIsEmptyOwnsNothing) {
    Outbox first(Packet::line), second(Packet::line);
    const auto answer = [](Outbox& outbox) {
        outbox.put({"ECHO ", "hello\n"});
        outbox.written(11);
    };
    answer(first);
    const Allocations before;
    answer(second);
    EXPECT_EQ(Allocations().count, before.count) << "what the first has used serves the second";
}

TEST(Outbox, WhatWasNoDataIsNotDoubledBesideWhatIs) {
    Outbox outbox(Packet::line);
    outbox.put({"\xff", "one\n"});
    outbox.put_bytes("\xff\xfc\x06");
    outbox.put({"two\xff\n"});
    outbox.put_bytes("\xff\xfc\x18");
    EXPECT_EQ(write_all(outbox),
              "\xff\xff"
              "one\n"
              "\xff\xfc\x06"
              "two\xff\xff\n"
              "\xff\xfc\x18");
}

TEST(Outbox, TheSpareMemoryOfAThreadCarriesNothingOver) {
    const std::string secret(3000, 's');
    Outbox first(Packet::raw), second(Packet::raw);
    first.put({secret, secret});
    first.written(3000);
    second.put({"hello"});
    EXPECT_EQ(write_all(first), secret);
    first.put({"again"});
    EXPECT_EQ(write_all(second), "hello");
    EXPECT_EQ(write_all(first), "again");
}

TEST(Outbox, WhatIsKeptNeedsItsPiecesNoLonger) {
    std::string big(Outbox::reference_from, 'B'), bigger(2 * Outbox::reference_from, 'C');
    Outbox outbox(Packet::line);
    outbox.put({"ECHO ", big, "\xff\n"});
    outbox.put({bigger});
    outbox.written(10);
    outbox.keep();
    outbox.put({"more\n"});
    const std::string expected = big.substr(5) + "\xff\xff\n" + bigger + "more\n";
    big.assign(big.size(), '?'), bigger.assign(bigger.size(), '?');
    EXPECT_EQ(write_all(outbox), expected);
}
