// The pure parts of the etcd engine, each alone: what the log means, what is on its way, and what stands in etcd.

#include "05_chat/engine/etcd/codec.hpp"
#include "05_chat/engine/etcd/keys.hpp"
#include "05_chat/engine/etcd/log.hpp"
#include "05_chat/engine/etcd/process.hpp"
#include "05_chat/engine/etcd/proposals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using namespace chat;
using namespace chat::etcd;
using testing::ElementsAre;

const House house{house_version, {.max_line = 20, .history = 3, .max_people = 3, .max_rooms = 4}, "lobby"};

std::string text(const Submission& submission) {
    std::string batch = "[";
    append_request(submission, batch);
    return batch.substr(1);
}

std::string picture(const Log& log, const Rooms& rooms) {
    return encode_snapshot(log, rooms);
}

}  // namespace

// ---- the log --------------------------------------------------------------------------------------------------------

TEST(EtcdLog, ABatchThatIsNotTheNextOneIsNoticed) {
    Log log;
    log.hello(10, "a");
    EXPECT_FALSE(log.batch(11, "a", 10, 3));
    EXPECT_FALSE(log.batch(12, "a", 9, 2));
    EXPECT_FALSE(log.batch(13, "b", 10, 2));
    EXPECT_TRUE(log.batch(14, "a", 10, 2));
    EXPECT_FALSE(log.batch(15, "a", 10, 2));
    EXPECT_EQ(log.revision(), 15);
}

TEST(EtcdLog, TheEldestNodeIsTheOneWhoseHelloCameFirst) {
    Log log;
    EXPECT_EQ(log.eldest(), "");
    log.hello(10, "b");
    log.hello(11, "a");
    EXPECT_EQ(log.eldest(), "b");
    log.down(12, "b", Rooms(house.limits, house.lobby));
    EXPECT_EQ(log.eldest(), "a");
}

TEST(EtcdLog, APlaceIsUsedOnceAndComesAfterThoseBefore) {
    Log log;
    log.hello(1, "a");
    const Sequence first = log.next_place(), second = log.next_place();
    EXPECT_LT(first, second);
    log.batch(2, "a", 1, 2);
    EXPECT_LT(second, log.next_place());
}

TEST(EtcdLog, WhenANodeEndsThoseLeaveWhoJoinedThroughItInTheOrderOfRoomsAndIds) {
    Log log;
    Rooms rooms(house.limits, house.lobby);
    const auto join = [&](const std::string& node, PersonId person, const std::string& room) {
        const auto outcome = rooms.apply(log.next_place(), {room, Join{person, "p" + std::to_string(person)}});
        ASSERT_TRUE(outcome);
        log.applied(node, outcome);
    };
    log.hello(1, "a");
    log.hello(2, "b");
    join("a", 7, "Zoo");
    join("a", 9, "attic");
    join("b", 8, "attic");
    join("a", 5, "attic");
    join("a", 7, "lobby");
    log.applied("a", rooms.apply(log.next_place(), {"attic", Leave{9, {}}}));
    std::vector<std::string> leaves;
    for (const Submission& leave : log.down(3, "a", rooms)) {
        leaves.push_back(leave.room + " " + std::to_string(std::get<Leave>(leave.request).person));
        log.applied("a", rooms.apply(log.next_place(), leave));
    }
    EXPECT_THAT(leaves, ElementsAre("attic 5", "lobby 7", "Zoo 7"));
    EXPECT_EQ(log.homes().size(), 1U);
    EXPECT_TRUE(log.down(4, "a", rooms).empty());
}

// ---- what is on its way ---------------------------------------------------------------------------------------------

namespace {

/// Those who wait, and what they have been told.
struct Waiting {
    Proposals proposals;
    std::vector<std::string> told;

    void say(const std::string& what) {
        proposals.add({"lobby", Say{1, what}}, [this, what](const std::exception_ptr&, const Outcome& outcome) {
            told.push_back(what + (outcome ? "" : ": " + std::string(reason(outcome.error()))));
        });
    }
    void come_back(const std::string& name) {
        proposals.add_first({{"lobby", Join{2, name}}}, [this](const Submission& join, const Outcome&) {
            told.push_back(std::get<Join>(join.request).name + " is back");
        });
    }
    void land() { proposals.land()(nullptr, Line{1, Line::Kind::said, 1, "Ben", "x"}); }
    std::vector<std::string> flying() const {
        std::vector<std::string> texts;
        const auto batch = decode_node(proposals.batch());
        for (const Submission& each : batch->requests) {
            const auto* say = std::get_if<Say>(&each.request);
            texts.push_back(say == nullptr ? "join" : say->text);
        }
        return texts;
    }
};

}  // namespace

TEST(EtcdProposals, WhatWaitsFliesTogetherAndInItsOrder) {
    Waiting waiting;
    waiting.say("one");
    waiting.say("two");
    waiting.proposals.fly(begin_batch({}));
    waiting.say("three");
    EXPECT_THAT(waiting.flying(), ElementsAre("one", "two"));
    waiting.land();
    EXPECT_TRUE(waiting.proposals.is_flying());
    waiting.land();
    EXPECT_FALSE(waiting.proposals.is_flying());
    waiting.proposals.fly(begin_batch({}));
    EXPECT_THAT(waiting.flying(), ElementsAre("three"));
    waiting.land();
    EXPECT_THAT(waiting.told, ElementsAre("one", "two", "three"));
    EXPECT_TRUE(waiting.proposals.is_empty());
}

TEST(EtcdProposals, ABatchHasABound) {
    Waiting waiting;
    for (std::size_t i = 0; i <= Proposals::max_requests; ++i) waiting.say("x");
    waiting.proposals.fly(begin_batch({}));
    EXPECT_EQ(waiting.flying().size(), Proposals::max_requests);

    Waiting large;
    for (int i = 0; i < 20; ++i) large.say(std::string(Proposals::max_bytes / 4, 'x'));
    large.proposals.fly(begin_batch({}));
    EXPECT_EQ(large.flying().size(), 4U);
}

TEST(EtcdProposals, WhatDoesNotComeBackWaitsAgainBehindThoseWhoComeBack) {
    Waiting waiting;
    waiting.say("one");
    waiting.proposals.fly(begin_batch({}));
    waiting.say("two");
    waiting.proposals.ground();
    waiting.come_back("Ben");
    EXPECT_FALSE(waiting.proposals.has_come_back());
    waiting.proposals.fly(begin_batch({}));
    EXPECT_THAT(waiting.flying(), ElementsAre("join", "one", "two"));
    waiting.land();
    EXPECT_TRUE(waiting.proposals.has_come_back());
    waiting.land();
    waiting.land();
    EXPECT_THAT(waiting.told, ElementsAre("Ben is back", "one", "two"));
}

TEST(EtcdProposals, WhoeverWasToComeBackIsAskedForAnew) {
    Waiting waiting;
    waiting.say("one");
    waiting.come_back("Ben");
    waiting.proposals.fly(begin_batch({}));
    waiting.proposals.ground();
    waiting.proposals.fly(begin_batch({}));
    EXPECT_THAT(waiting.flying(), ElementsAre("one"));
}

TEST(EtcdProposals, WhatIsLostIsRefusedAndNotSentAgain) {
    Waiting waiting;
    waiting.say("one");
    waiting.proposals.fly(begin_batch({}));
    waiting.say("two");
    waiting.proposals.lose(Refusal::unknown);
    EXPECT_THAT(waiting.told, ElementsAre("one: nobody knows whether it has happened"));
    waiting.proposals.fly(begin_batch({}));
    EXPECT_THAT(waiting.flying(), ElementsAre("two"));
    waiting.say("three");
    waiting.proposals.refuse_all(Refusal::not_here);
    EXPECT_EQ(waiting.told.size(), 3U);
    EXPECT_TRUE(waiting.proposals.is_empty());
}

// ---- what stands in etcd --------------------------------------------------------------------------------------------

TEST(EtcdCodec, WhatIsWrittenCanBeReadByPeopleAndByUs) {
    const Hello hello{"boot/pid:[4026531836]/77", 7587862094850113285};
    EXPECT_EQ(encode(hello), R"({"process":"boot/pid:[4026531836]/77","lease":"7587862094850113285"})");
    std::string batch = begin_batch(hello);
    append_request({"lobby", Join{0xFFFF'FFFF'FFFFU, "Ben"}}, batch);
    append_request({"lobby", Say{2, "\"Grüße\"\t\x01"}}, batch);
    append_request({"attic", Leave{3, ""}}, batch);
    end_batch(batch);
    const auto read = decode_node(batch);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->hello.process, hello.process);
    EXPECT_EQ(read->hello.lease, hello.lease);
    ASSERT_EQ(read->requests.size(), 3U);
    EXPECT_EQ(text(read->requests[0]), R"({"join":{"person":281474976710655,"name":"Ben"},"room":"lobby"})");
    EXPECT_EQ(std::get<Say>(read->requests[1].request).text, "\"Grüße\"\t\x01");
    EXPECT_EQ(text(read->requests[2]), R"({"leave":{"person":3,"why":""},"room":"attic"})");
}

TEST(EtcdCodec, WhatCannotBeReadIsNothing) {
    for (const std::string wrong :
         {"", "x", "[]", "7", "{}", R"({"process":1,"lease":"1"})", R"({"process":"","lease":"many"})",
          R"({"process":"","lease":"1","requests":[{"room":"a"}]})",
          R"({"process":"","lease":"1","requests":[{"room":"a","say":{"person":-1,"text":""}}]})"}) {
        EXPECT_FALSE(decode_node(wrong)) << wrong;
        EXPECT_FALSE(decode_house(wrong)) << wrong;
        EXPECT_FALSE(decode_head(wrong)) << wrong;
        EXPECT_FALSE(decode_snapshot(wrong, house)) << wrong;
    }
}

TEST(EtcdCodec, AHouseOfAnotherVersionIsRecognised) {
    EXPECT_EQ(decode_house(encode(house))->limits.max_people, 3U);
    const auto other = decode_house(R"({"version":99,"something":"else"})");
    ASSERT_TRUE(other);
    EXPECT_EQ(other->version, 99);
}

TEST(EtcdKeys, TheSnapshotsOfEarlierRevisionsComeBeforeThoseOfLaterOnesAndAllBeforeTheHead) {
    const Keys keys("five");
    EXPECT_LT(keys.first_snapshot_part(), keys.snapshot_part(9, 0));
    EXPECT_LT(keys.snapshot_part(9, 999), keys.snapshot_parts(10));
    EXPECT_LT(keys.snapshot_part(10, 9), keys.snapshot_part(10, 10));
    EXPECT_LT(keys.snapshot_part(std::numeric_limits<Revision>::max(), 0), keys.snapshot_head());
    EXPECT_TRUE(keys.is_of_node(keys.node("a")));
    EXPECT_FALSE(keys.is_of_node(keys.wish()));
    EXPECT_EQ(keys.name_of(keys.node("a")), "a");
}

/// A snapshot of the beginning, and the rest of the log: that is the whole log.
TEST(EtcdSnapshots, WhoeverBeginsWithOneHasTheSameRoomsAsWhoeverHasHeardEverything) {
    std::mt19937_64 random(1);
    const auto roll = [&](std::uint64_t sides) { return random() % sides; };
    for (int round = 0; round < 200; ++round) {
        Log log;
        Rooms rooms(house.limits, house.lobby);
        std::optional<Snapshot> late;  // began with a snapshot
        const int begins = static_cast<int>(roll(60));
        std::vector<std::string> nodes{"a", "b", "c"};
        for (int i = 0; i < 60; ++i) {
            if (i == begins) late = decode_snapshot(encode_snapshot(log, rooms), house);
            const std::string node = nodes[roll(nodes.size())];
            const Revision at = log.revision() + 1 + static_cast<Revision>(roll(3));
            const auto apply = [&](Log& its_log, Rooms& its_rooms, const Submission& submission) {
                const auto outcome = its_rooms.apply(its_log.next_place(), submission);
                its_log.applied(node, outcome);
                return outcome ? words(*outcome) : std::string(reason(outcome.error()));
            };
            const Log::Node* known = log.find(node);
            if (known == nullptr) {
                log.hello(at, node);
                if (late) late->log.hello(at, node);
            } else if (roll(10) == 0) {
                const auto leaves = log.down(at, node, rooms);
                std::vector<Submission> same;
                if (late) same = late->log.down(at, node, late->rooms);
                if (late) {
                    ASSERT_EQ(leaves.size(), same.size());
                }
                for (const Submission& leave : leaves) apply(log, rooms, leave);
                for (const Submission& leave : same) apply(late->log, late->rooms, leave);
            } else {
                const Log::Node is = *known;
                ASSERT_TRUE(log.batch(at, node, is.epoch, is.version + 1));
                if (late) {
                    ASSERT_TRUE(late->log.batch(at, node, is.epoch, is.version + 1));
                }
                for (auto requests = roll(4); requests > 0; --requests) {
                    const PersonId person = 1 + roll(9);
                    Submission submission{"Room" + std::to_string(roll(5)), Say{person, "text " + std::to_string(i)}};
                    const auto what = roll(4);
                    if (what < 2) submission.request = Join{person, "Name" + std::to_string(roll(6))};
                    if (what == 2) submission.request = Leave{person, "done"};
                    const std::string outcome = apply(log, rooms, submission);
                    if (late) {
                        ASSERT_EQ(apply(late->log, late->rooms, submission), outcome);
                    }
                }
            }
        }
        if (!late) late = decode_snapshot(encode_snapshot(log, rooms), house);
        ASSERT_TRUE(late);
        ASSERT_EQ(picture(late->log, late->rooms), picture(log, rooms));
    }
}

// ---- which program --------------------------------------------------------------------------------------------------

TEST(EtcdProcess, OneThatHasEndedOnThisComputerIsKnownToHaveEnded) {
    const std::string ours = this_process();
    if (ours.empty()) GTEST_SKIP() << "this system does not tell";
    EXPECT_FALSE(has_ended(ours));
    EXPECT_FALSE(has_ended(""));
    EXPECT_FALSE(has_ended("another computer/pid:[1]/1"));
    const pid_t child = ::fork();
    if (child == 0) ::_exit(0);
    const std::string its = ours.substr(0, ours.rfind('/') + 1) + std::to_string(child);
    EXPECT_FALSE(has_ended(its));  // as long as nobody has heard of its end, its number is not given again
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(has_ended(its));
}
