// The gateway against a real etcd.

#include "chat/etcd_asker.hpp"

using namespace chat::etcd;
using namespace etcd_tests;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;

namespace {

TEST(EtcdGateway, TransactionsChangeAllOrNothing) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    EXPECT_TRUE(asker.create("five/a", "one"));
    EXPECT_FALSE(asker.create("five/a", "two"));

    const auto keys = asker.wait(asker.gateway().range("five/"));
    ASSERT_TRUE(keys.has_value()) << failure_of(keys);
    ASSERT_EQ(keys->keys.size(), 1u);
    const KeyValue& key = keys->keys[0];
    EXPECT_EQ(key.key, "five/a");
    EXPECT_EQ(key.value, "one");
    EXPECT_EQ(key.version, 1);
    EXPECT_EQ(key.created, keys->revision);
    EXPECT_EQ(key.modified, key.created);

    const Transaction next{
        {{Condition::About::created, "five/a", key.created}, {Condition::About::version, "five/a", 1}},
        {Write{"five/a", "three"}, Write{"five/b", std::string("\0\xFF", 2)}, Remove{"five/none"}}};
    const auto first = asker.wait(asker.gateway().transact(next));
    ASSERT_TRUE(first.has_value()) << failure_of(first);
    EXPECT_TRUE(first->succeeded);
    EXPECT_EQ(first->revision, key.modified + 1);
    const auto second = asker.wait(asker.gateway().transact(next));
    ASSERT_TRUE(second.has_value()) << failure_of(second);
    EXPECT_FALSE(second->succeeded);
    const auto both = asker.wait(asker.gateway().range("five/"));
    ASSERT_EQ(both->keys.size(), 2u);
    EXPECT_EQ(both->keys[0].version, 2);
    EXPECT_EQ(both->keys[1].value, std::string("\0\xFF", 2));
}

TEST(EtcdGateway, ARangeOfManyKeysIsOfOneMoment) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    const std::size_t count = 3 * Gateway::page + 1;
    for (std::size_t i = 0; i < count; ++i) asker.put("five/" + std::to_string(1000 + i), std::to_string(i));
    asker.put("fivf", "not below it");
    const auto keys = asker.wait(asker.gateway().range("five/"));
    ASSERT_TRUE(keys.has_value()) << failure_of(keys);
    ASSERT_EQ(keys->keys.size(), count);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(keys->keys[i].value, std::to_string(i));
    EXPECT_EQ(keys->revision, static_cast<Revision>(count) + 2);
}

TEST(EtcdGateway, ALeaseTakesItsKeysWithIt) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    const auto lease = asker.wait(asker.gateway().grant(2s));
    ASSERT_TRUE(lease.has_value()) << failure_of(lease);
    EXPECT_TRUE(asker.create("five/nodes/A", "hello", *lease));
    EXPECT_TRUE(asker.keeps(*lease));
    const auto watching = asker.watch("five/nodes/", 2);
    ASSERT_TRUE(asker.run_until([&] { return watching->told.size() == 2; }));  // nobody keeps it
    EXPECT_EQ(watching->values(), "hello -five/nodes/A ");
    EXPECT_EQ(watching->told[1][0].key_value.modified, 3);
    EXPECT_FALSE(asker.keeps(*lease));
    const auto late = asker.wait(asker.gateway().transact({{}, {Write{"five/nodes/A", "late", *lease}}}));
    ASSERT_FALSE(late.has_value());
    EXPECT_EQ(late.error().kind, Failure::Kind::refused);
    EXPECT_THAT(late.error().words, HasSubstr("requested lease not found"));

    const auto other = asker.wait(asker.gateway().grant(60s));
    EXPECT_TRUE(asker.create("five/nodes/B", "hello", *other));
    EXPECT_TRUE(asker.wait(asker.gateway().revoke(*other)).has_value());
    EXPECT_TRUE(asker.wait(asker.gateway().revoke(*other)).has_value()) << "it is over, whoever ended it";
    ASSERT_TRUE(asker.run_until([&] { return watching->told.size() == 4; }));
    EXPECT_THAT(watching->values(), HasSubstr("-five/nodes/B"));
}

TEST(EtcdGateway, WhatIsOfOneRevisionIsToldTogetherHoweverLarge) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    const auto watching = asker.watch("five/", 1);
    const std::string large(400 * 1024, 'x');
    for (int i = 0; i < 4; ++i) {
        const auto answer = asker.wait(
            asker.gateway().transact({{}, {Write{"five/a", large}, Write{"five/b", large}, Write{"five/c", large}}}));
        ASSERT_TRUE(answer.has_value()) << failure_of(answer);
    }
    const auto late = asker.watch("five/", 2);  // all of it at once, in fragments
    for (const auto& watcher : {watching, late}) {
        // How many revisions are told at a time is etcd's: one that is behind gets several.
        const auto count = [&] {
            std::size_t events = 0;
            for (const auto& told : watcher->told) events += told.size();
            return events;
        };
        ASSERT_TRUE(asker.run_until([&] { return count() == 12; }));
        for (const auto& told : watcher->told) {
            EXPECT_EQ(told.size() % 3, 0u);
            for (std::size_t i = 0; i < told.size(); ++i) {
                EXPECT_EQ(told[i].key_value.modified, told[i - i % 3].key_value.modified);
            }
        }
    }
}

TEST(EtcdGateway, WhatIsCompactedAwayIsSaidToBe) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    for (int i = 0; i < 3; ++i) asker.put("five/a", std::to_string(i));
    EXPECT_TRUE(asker.wait(asker.gateway().compact(3)).has_value());
    EXPECT_TRUE(asker.wait(asker.gateway().compact(3)).has_value()) << "the second time it is done already";
    const auto too_early = asker.watch("five/", 2);
    ASSERT_TRUE(asker.run_until([&] { return too_early->over.has_value(); }));
    EXPECT_EQ(too_early->over->kind, Failure::Kind::compacted);
    EXPECT_THAT(too_early->told, IsEmpty());
    const auto watching = asker.watch("five/", 3);
    ASSERT_TRUE(asker.run_until([&] { return watching->values() == "1 2 "; }));
    const auto future = asker.wait(asker.gateway().compact(100));
    ASSERT_FALSE(future.has_value());
    EXPECT_EQ(future.error().kind, Failure::Kind::refused);
}

TEST(EtcdGateway, WhatIsTooLargeIsRefusedInEtcdsWords) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    const auto answer = asker.wait(asker.gateway().transact({{}, {Write{"five/a", std::string(1'800'000, 'x')}}}));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, Failure::Kind::refused);
    EXPECT_EQ(answer.error().words, "etcdserver: request is too large");
}

TEST(EtcdGateway, AFullEtcdIsARefusal) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd({.flags = {"--quota-backend-bytes", "100000"}});
    Asker asker(etcd.urls());
    Asked<TransactionAnswer> answer = TransactionAnswer{};
    for (int i = 0; i < 100 && answer; ++i) {
        answer = asker.wait(asker.gateway().transact({{}, {Write{"five/a", std::string(50'000, 'x')}}}));
    }
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, Failure::Kind::refused);
    EXPECT_THAT(answer.error().words, HasSubstr("database space exceeded"));
}

TEST(EtcdGateway, EtcdMayGoAndComeBack) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    asker.put("five/a", "1");
    const auto watching = asker.watch("five/", 1);
    ASSERT_TRUE(asker.run_until([&] { return watching->told.size() == 1; }));
    etcd.kill();
    ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }));
    EXPECT_EQ(watching->over->kind, Failure::Kind::no_answer);
    const auto answer = asker.wait(asker.gateway().range("five/"), Gateway::patience + 500ms);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, Failure::Kind::no_answer);
    EXPECT_EQ(answer.error().words, "connection refused");
    etcd.start();
    etcd.wait_until_healthy();
    const auto again = asker.watch("five/", 2);
    EXPECT_TRUE(asker.wait(asker.gateway().range("five/")).has_value());
    ASSERT_TRUE(asker.run_until([&] { return again->values() == "1 "; }));
}

TEST(EtcdGateway, AMemberThatHangsIsLeftInTimeForTheLease) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd({.members = 3});
    // Not the leader: without it no member answers for a while.
    const std::size_t first = (etcd.leader() + 1) % etcd.members();
    Asker asker(etcd.url(first) + "," + etcd.urls());
    const auto lease = asker.wait(asker.gateway().grant(60s));
    ASSERT_TRUE(lease.has_value()) << failure_of(lease);
    const auto watching = asker.watch("five/", 1);
    asker.put("five/a", "1");
    ASSERT_TRUE(asker.run_until([&] { return watching->told.size() == 1; }));
    etcd.pause(first);
    const auto began = Clock::now();
    EXPECT_EQ(failure_of(asker.wait(asker.gateway().keep_alive(*lease))), etcd.url(first) + ": it does not answer");
    // The next one that is asked answers; on a busy machine perhaps the one after it.
    const auto in_time = began + 3s * support::time_factor();
    auto kept = asker.wait(asker.gateway().keep_alive(*lease));
    while (!kept && Clock::now() < in_time) kept = asker.wait(asker.gateway().keep_alive(*lease));
    ASSERT_TRUE(kept.has_value()) << failure_of(kept);
    EXPECT_TRUE(*kept);
    // The watch of a member that hangs would be silent for ever.
    ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }));
    EXPECT_EQ(watching->over->kind, Failure::Kind::no_answer);
    const auto again = asker.watch("five/", 1);
    asker.put("five/a", "2");
    ASSERT_TRUE(asker.run_until([&] { return again->values() == "1 2 "; }));
    etcd.resume(first);
}

TEST(EtcdGateway, WithoutAMajorityThereIsNoAnswer) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd({.members = 3});
    Asker asker(etcd.url(0));
    const auto watching = asker.watch("five/", 1);
    asker.put("five/a", "1");
    etcd.pause(1);
    etcd.pause(2);
    const auto began = Clock::now();
    const auto answer = asker.wait(asker.gateway().transact({{}, {Write{"five/a", "2"}}}));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, Failure::Kind::no_answer);
    EXPECT_THAT(Clock::now() - began, Lt(Gateway::patience + 500ms));
    ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }));
    etcd.resume(1);
    etcd.resume(2);
    etcd.wait_until_healthy(0);
    EXPECT_TRUE(asker.wait(asker.gateway().range("five/")).has_value());
}

TEST(EtcdGateway, AWatchThatIsDistrustedEndsAndStopEndsEverything) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    const auto watching = asker.watch("five/", 1);
    asker.put("five/a", "1");
    ASSERT_TRUE(asker.run_until([&] { return watching->told.size() == 1; }));
    asker.gateway().distrust_watch();
    ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }, 500ms));
    EXPECT_EQ(watching->over->kind, Failure::Kind::no_answer);
    const auto second = asker.watch("five/", 1);
    ASSERT_TRUE(asker.run_until([&] { return second->told.size() == 1; }));
    etcd.pause();
    asker.gateway().stop();
    ASSERT_TRUE(asker.run_until([&] { return second->over.has_value(); }, 500ms));
    EXPECT_EQ(second->over->kind, Failure::Kind::stopped);
    const auto answer = asker.wait(asker.gateway().range("five/"), 500ms);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, Failure::Kind::stopped);
    etcd.resume();
}

}  // namespace
