#include "net/buffer.hpp"

#include "unit/allocations.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

using net::Buffer;

TEST(Buffer, GivesBackWhatWasAddedInOrder) {
    // Beside a string that does the same, with everything that may happen to it in between.
    std::mt19937 random(1);
    for (int run = 0; run < 200; ++run) {
        Buffer buffer, other;
        std::string expected;
        char next = 0;
        for (int step = 0; step < 300; ++step) {
            const std::size_t size = random() % (step % 50 == 0 ? 200'000 : 300);
            std::string bytes(size, '\0');
            for (auto& byte : bytes) byte = ++next;
            switch (random() % 5) {
                case 0: {
                    const auto space = buffer.space(size + 10);
                    ASSERT_EQ(space.size(), size + 10);
                    bytes.copy(space.data(), size);
                    buffer.filled(size);
                    expected += bytes;
                    break;
                }
                case 1:
                    buffer.append(bytes);
                    expected += bytes;
                    break;
                case 2: buffer.give_back(); break;
                case 3:
                    other.append(bytes);
                    other.consume(bytes.size());
                    other.give_back();
                    break;
                default: {
                    const auto taken = std::min(size, expected.size());
                    buffer.consume(taken);
                    expected.erase(0, taken);
                }
            }
            ASSERT_EQ(buffer.bytes(), expected);
            ASSERT_EQ(buffer.empty(), expected.empty());
        }
    }
}

TEST(Buffer, WhatIsConsumedStaysWhereItIs) {
    Buffer buffer, other;
    buffer.append("one two");
    const auto one = buffer.bytes().substr(0, 3);
    buffer.consume(3);
    other.append("something else");
    other.consume(14);
    other.give_back();
    EXPECT_EQ(one, "one");
    EXPECT_EQ(buffer.bytes(), " two");
}

TEST(Buffer, BorrowsTheMemoryThatAnotherHasGivenBack) {
    Buffer first, second;
    const auto use = [](Buffer& buffer) {
        buffer.append(std::string_view("hello"));
        buffer.consume(5);
        buffer.give_back();
    };
    use(first);
    const Allocations before;
    for (int i = 0; i < 100; ++i) use(first), use(second);
    EXPECT_EQ(Allocations().count, before.count);
}

TEST(Buffer, SettledHoldsAsMuchMemoryAsBytesAndNotMore) {
    for (const std::size_t left : {std::size_t{0}, std::size_t{1}, std::size_t{1000}, net::max_kept_size / 2}) {
        Buffer buffer, other;
        buffer.append(std::string(net::max_kept_size, 'x'));
        buffer.consume(net::max_kept_size - left);
        const Allocations before;
        buffer.give_back();
        EXPECT_EQ(Allocations().bytes - before.bytes, left);
        other.space(net::max_kept_size);
        EXPECT_EQ(Allocations().bytes - before.bytes, left) << "the other one got the block";
        EXPECT_EQ(buffer.bytes(), std::string(left, 'x'));
    }
}

TEST(Buffer, OfManyBlocksAThreadKeepsAFewAndOfLargeOnesNone) {
    constexpr std::size_t size = 1024;
    Buffer many[2 * net::max_kept_blocks];
    for (auto& buffer : many) buffer.space(size);
    for (auto& buffer : many) buffer.give_back();
    const Allocations before;
    for (auto& buffer : many) buffer.space(size);
    EXPECT_EQ(Allocations().count - before.count, net::max_kept_blocks);

    Buffer large;
    for (const unsigned expected : {1U, 2U}) {
        const Allocations unused;
        large.space(net::max_kept_size + 1);
        EXPECT_EQ(Allocations().count - unused.count, 1U) << expected;
        large.give_back();
    }
}

TEST(Buffer, APacketThatComesInManyPartsIsMovedSeldom) {
    constexpr std::size_t size = 32 << 20, part = 16 * 1024;
    Buffer buffer;
    const std::string bytes(part, 'x');
    const Allocations before;
    for (std::size_t arrived = 0; arrived < size; arrived += part) {
        buffer.append(bytes);
        buffer.give_back();
    }
    EXPECT_EQ(buffer.bytes().size(), size);
    EXPECT_LE(Allocations().bytes - before.bytes, 3 * size + 32 * net::max_kept_size);
}
