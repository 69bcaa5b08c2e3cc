#include "05_chat/engine/etcd/gateway.hpp"
#include "support/etcd.hpp"

#include <boost/asio.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace chat::etcd;
using namespace std::chrono_literals;
using support::Etcd;
using support::patience;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;

namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

#define SKIP_WITHOUT_ETCD() \
    if (!Etcd::is_there()) GTEST_SKIP() << "no etcd is installed (Debian: etcd-server)"

/// A loop, and a gateway whose questions are asked one after the other.
class Asker {
public:
    explicit Asker(const std::string& urls, const TlsFiles& files = {})
        : gateway_(std::move(*Gateway::make(loop_.get_executor(), *chat::parse_etcd_urls(urls), files))) {}
    ~Asker() {
        gateway_->stop();
        run_until([] { return false; }, 1s);
    }

    Gateway& gateway() { return *gateway_; }

    template <class T>
    T wait(net::awaitable<T> question, std::chrono::milliseconds within = patience()) {
        std::optional<T> answer;
        asio::co_spawn(loop_, std::move(question), [&](const std::exception_ptr& crash, T given) {
            if (crash) std::rethrow_exception(crash);
            answer.emplace(std::move(given));
        });
        if (!run_until([&] { return answer.has_value(); }, within)) throw support::Failure("no answer");
        return std::move(*answer);
    }
    /// False: it does not come within that time.
    bool run_until(const std::function<bool()>& is_over, std::chrono::milliseconds within = patience()) {
        const auto end = Clock::now() + within;
        loop_.restart();
        while (!is_over()) {
            if (loop_.run_one_until(end) == 0) return is_over();
        }
        return true;
    }

    bool create(const std::string& key, const std::string& value, Lease lease = 0) {
        const auto answer =
            wait(gateway_->transact({{{Condition::About::created, key, 0}}, {Write{key, value, lease}}}));
        EXPECT_TRUE(answer.has_value()) << answer.error().words;
        return answer && answer->succeeded;
    }
    Revision put(const std::string& key, const std::string& value) {
        const auto answer = wait(gateway_->transact({{}, {Write{key, value}}}));
        EXPECT_TRUE(answer.has_value()) << answer.error().words;
        return answer ? answer->revision : 0;
    }

    bool keeps(Lease lease) {
        const auto answer = wait(gateway_->keep_alive(lease));
        EXPECT_TRUE(answer.has_value()) << answer.error().words;
        return answer && *answer;
    }

    struct Watching {
        std::vector<std::vector<Event>> told;
        std::optional<Failure> over;
        std::string values() const {
            std::string all;
            for (const auto& events : told) {
                for (const Event& event : events) {
                    all += event.kind == Event::Kind::removed ? "-" + event.key_value.key : event.key_value.value;
                    all += ' ';
                }
            }
            return all;
        }
    };
    std::shared_ptr<Watching> watch(const std::string& prefix, Revision from) {
        auto watching = std::make_shared<Watching>();
        const auto hear = [watching](std::vector<Event> events) { watching->told.push_back(std::move(events)); };
        asio::co_spawn(loop_, gateway_->watch(prefix, from, hear),
                       [watching](const std::exception_ptr& crash, Failure failure) {
                           if (crash) std::rethrow_exception(crash);
                           watching->over = std::move(failure);
                       });
        return watching;
    }

private:
    asio::io_context loop_{1};
    std::unique_ptr<Gateway> gateway_;
};

std::string failure_of(const auto& answer) {
    return answer ? "" : answer.error().words;
}

TEST(EtcdGateway, transactions_change_all_or_nothing) {
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

TEST(EtcdGateway, a_range_of_many_keys_is_of_one_moment) {
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

TEST(EtcdGateway, a_lease_takes_its_keys_with_it) {
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

TEST(EtcdGateway, what_is_of_one_revision_is_told_together_however_large) {
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
    ASSERT_TRUE(asker.run_until([&] { return watching->told.size() == 4; }));
    const auto late = asker.watch("five/", 2);  // all of it at once, in fragments
    const auto count = [&] {
        std::size_t events = 0;
        for (const auto& told : late->told) events += told.size();
        return events;
    };
    ASSERT_TRUE(asker.run_until([&] { return count() == 12; }));
    for (const auto& told : late->told) {
        EXPECT_EQ(told.size() % 3, 0u);
        for (std::size_t i = 0; i < told.size(); ++i) {
            EXPECT_EQ(told[i].key_value.modified, told[i - i % 3].key_value.modified);
        }
    }
}

TEST(EtcdGateway, what_is_compacted_away_is_said_to_be) {
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

TEST(EtcdGateway, what_is_too_large_is_refused_in_etcds_words) {
    SKIP_WITHOUT_ETCD();
    Etcd etcd;
    Asker asker(etcd.urls());
    const auto answer = asker.wait(asker.gateway().transact({{}, {Write{"five/a", std::string(1'800'000, 'x')}}}));
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().kind, Failure::Kind::refused);
    EXPECT_EQ(answer.error().words, "etcdserver: request is too large");
}

TEST(EtcdGateway, a_full_etcd_is_a_refusal) {
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

TEST(EtcdGateway, etcd_may_go_and_come_back) {
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

TEST(EtcdGateway, a_member_that_hangs_is_left_in_time_for_the_lease) {
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
    EXPECT_TRUE(asker.keeps(*lease));
    EXPECT_THAT(Clock::now() - began, Lt(1500ms * support::time_factor()));
    // The watch of a member that hangs would be silent for ever.
    ASSERT_TRUE(asker.run_until([&] { return watching->over.has_value(); }));
    EXPECT_EQ(watching->over->kind, Failure::Kind::no_answer);
    const auto again = asker.watch("five/", 1);
    asker.put("five/a", "2");
    ASSERT_TRUE(asker.run_until([&] { return again->values() == "1 2 "; }));
    etcd.resume(first);
}

TEST(EtcdGateway, without_a_majority_there_is_no_answer) {
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

TEST(EtcdGateway, a_watch_that_is_distrusted_ends_and_stop_ends_everything) {
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
