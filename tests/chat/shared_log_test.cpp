#include "05_chat/fanout/outbox.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <random>

using namespace chat;
using boost::asio::const_buffer;

namespace {

std::size_t allocations = 0;

// Writes at most `most` bytes to somebody: what a socket that has room for so many would have taken.
std::string write(Outbox& outbox, std::size_t most = SIZE_MAX) {
    std::array<const_buffer, 64> pieces;
    std::string written;
    const std::size_t count = outbox.gather(pieces);
    for (std::size_t i = 0; i < count; ++i) {
        written.append(static_cast<const char*>(pieces[i].data()), pieces[i].size());
    }
    written.resize(std::min(written.size(), most));
    outbox.consume(written.size());
    return written;
}

}  // namespace

// Not inlined: g++ would take a free() inside a delete for a mistake.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

TEST(SharedLog, AMemberGetsWhatWasSaidSinceHeCame) {
    SharedLog log(1 << 20);
    log.append("before\n");
    Outbox michael(1);
    michael.enter(log);
    EXPECT_TRUE(michael.empty());
    log.append("one\n");
    log.append("two\n");
    EXPECT_EQ(michael.size(), 8u);
    EXPECT_EQ(write(michael, 5), "one\nt");
    EXPECT_EQ(write(michael), "wo\n");
    EXPECT_TRUE(michael.empty());
}

TEST(SharedLog, ManyLinesAreOneGatheredWrite) {
    SharedLog log(1 << 20);
    Outbox outbox(1);
    outbox.enter(log);
    for (int i = 0; i < 100; ++i) log.append("a line of some length\n");
    std::array<const_buffer, 64> pieces;
    EXPECT_EQ(outbox.gather(pieces), 1u);
}

TEST(SharedLog, WhatIsForOneAloneKeepsItsPlaceAmongTheLines) {
    SharedLog log(1 << 20);
    Outbox outbox(1);
    outbox.add("question|");
    outbox.enter(log);
    outbox.add("history|");
    log.append("one|");
    outbox.add("answer|");
    outbox.add("answer 2|");
    log.append("two|");
    const std::string all = "question|history|one|answer|answer 2|two|";
    EXPECT_EQ(outbox.size(), all.size());
    EXPECT_EQ(write(outbox), all);
    EXPECT_EQ(outbox.size(), 0u);
    outbox.add("own|");
    log.append("three|");
    EXPECT_EQ(outbox.own_size(), 4u);
    outbox.clear();
    EXPECT_TRUE(outbox.empty());
}

TEST(SharedLog, AnotherRoomComesAfterTheRestOfTheFirst) {
    SharedLog first(1 << 20), second(1 << 20);
    second.append("old|");
    Outbox outbox(1);
    outbox.enter(first);
    first.append("first|");
    outbox.add("own|");
    EXPECT_EQ(write(outbox, 2), "fi");
    outbox.enter(second);
    first.append("too late|");
    second.append("second|");
    EXPECT_EQ(write(outbox, 9), "rst|own|s");
    outbox.leave();
    second.append("gone|");
    EXPECT_EQ(write(outbox), "econd|");
}

// Random interleavings of everything, against a plain string for each member.
TEST(SharedLog, EqualsAQueueForEachMember) {
    std::mt19937 random(1);
    const auto roll = [&](unsigned sides) { return static_cast<std::size_t>(random() % sides); };
    for (int round = 0; round < 20; ++round) {
        std::array<SharedLog, 2> logs{SharedLog(8 << 20), SharedLog(8 << 20)};
        std::vector<std::unique_ptr<Outbox>> members;
        std::vector<std::string> expected(8);
        std::vector<std::size_t> where(8, 2);
        for (std::size_t i = 0; i < 8; ++i) members.push_back(std::make_unique<Outbox>(i));
        for (int step = 0; step < 3000; ++step) {
            const std::size_t who = roll(8);
            switch (roll(6)) {
                case 0:
                case 1: {
                    const std::size_t log = roll(2);
                    const std::string line(roll(3) == 0 ? roll(20000) : roll(80), static_cast<char>('a' + roll(26)));
                    logs[log].append(line);
                    for (std::size_t i = 0; i < 8; ++i) {
                        if (where[i] == log) expected[i] += line;
                    }
                    break;
                }
                case 2: {
                    const std::string own(roll(50), static_cast<char>('A' + roll(26)));
                    members[who]->add(own);
                    expected[who] += own;
                    break;
                }
                case 3:
                    if (roll(10) == 0) {
                        where[who] = roll(3);
                        if (where[who] == 2) {
                            members[who]->leave();
                        } else {
                            members[who]->enter(logs[where[who]]);
                        }
                    }
                    break;
                default: {
                    ASSERT_EQ(members[who]->size(), expected[who].size());
                    const std::string written = write(*members[who], roll(30000));
                    ASSERT_EQ(written, expected[who].substr(0, written.size()));
                    expected[who].erase(0, written.size());
                }
            }
        }
        for (std::size_t i = 0; i < 8; ++i) {
            while (!members[i]->empty()) {
                const std::string written = write(*members[i]);
                ASSERT_EQ(written, expected[i].substr(0, written.size()));
                expected[i].erase(0, written.size());
            }
            EXPECT_EQ(expected[i], "");
        }
    }
}

TEST(SharedLog, ForgetsWhatAllHavePassed) {
    SharedLog log(1 << 20);
    Outbox fast(1), slow(2);
    fast.enter(log);
    slow.enter(log);
    const std::string line(1000, 'x');
    for (int i = 0; i < 500; ++i) {
        log.append(line);
        write(fast);
    }
    EXPECT_EQ(log.begin(), 0u);
    write(slow);
    for (int i = 0; i < 20; ++i) {
        log.append(line);
        write(fast);
        write(slow);
    }
    EXPECT_GE(log.begin() + 2 * SharedLog::chunk_size, log.end());
}

TEST(SharedLog, WhoNeverReadsIsOverrunAndMemoryStaysBounded) {
    constexpr std::size_t bound = 1 << 20;
    SharedLog log(bound);
    Outbox fast(1), dead(7);
    fast.enter(log);
    dead.enter(log);
    const std::string line(1000, 'x');
    bool told = false;
    for (int i = 0; i < 100'000; ++i) {
        log.append(line);
        ASSERT_EQ(write(fast), line);
        ASSERT_LE(log.end() - log.begin(), bound + 2 * SharedLog::chunk_size);
        const auto overrun = log.take_overrun();
        ASSERT_EQ(told && !overrun.empty(), false);
        if (!overrun.empty()) {
            EXPECT_EQ(overrun, std::vector<std::uint64_t>{7});
            EXPECT_GE(log.end(), bound);
            told = true;
        }
        ASSERT_EQ(dead.is_overrun(), told);
    }
    EXPECT_TRUE(told);
    dead.leave();  // must not touch what is gone
    EXPECT_TRUE(dead.empty());
}

TEST(SharedLog, AThousandMembersCostNoAllocationForEachLine) {
    SharedLog log(1 << 20);
    std::vector<std::unique_ptr<Outbox>> members;
    for (int i = 0; i < 1000; ++i) {
        members.push_back(std::make_unique<Outbox>(i));
        members.back()->enter(log);
    }
    const std::string line = "Michael says: Hello, everybody in this room!\r\n";
    std::array<const_buffer, 64> pieces;
    const std::size_t before = allocations;
    std::size_t written = 0;
    for (int turn = 0; turn < 1000; ++turn) {
        for (int i = 0; i < 4; ++i) log.append(line);
        for (auto& member : members) {
            for (std::size_t i = 0, count = member->gather(pieces); i < count; ++i) {
                const std::size_t bytes = pieces[i].size();
                written += bytes;
                member->consume(bytes);
            }
        }
    }
    EXPECT_EQ(written, line.size() * 4 * 1000 * 1000);
    // One for a chunk, and now and then one for the deque that holds them.
    EXPECT_LE(allocations - before, 2 * (line.size() * 4000 / SharedLog::chunk_size + 1));
}
