// What etcd's gateway is asked and what it answers, byte by byte.

#include "05_chat/engine/etcd/gateway_json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

using namespace chat::etcd;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

TEST(EtcdJson, Base64ThereAndBack) {
    // RFC 4648's examples.
    EXPECT_EQ(json::to_base64(""), "");
    EXPECT_EQ(json::to_base64("f"), "Zg==");
    EXPECT_EQ(json::to_base64("fo"), "Zm8=");
    EXPECT_EQ(json::to_base64("foo"), "Zm9v");
    EXPECT_EQ(json::to_base64("foobar"), "Zm9vYmFy");
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    for (std::size_t size = 0; size <= all.size(); ++size) {
        EXPECT_EQ(json::from_base64(json::to_base64(all.substr(0, size))), all.substr(0, size));
    }
    for (const auto* const wrong : {"Z", "Zg", "Zg=", "Zg=a", "=g==", "Z===", "====", "Zm9v\n", "Zg==Zg==", "Zm-_"}) {
        EXPECT_EQ(json::from_base64(wrong), std::nullopt) << wrong;
    }
}

TEST(EtcdJson, Questions) {
    EXPECT_EQ(json::write(Transaction{{{Condition::About::created, "a", 7}, {Condition::About::version, "b", 0}},
                                      {Write{"a", "v", 5}, Write{"b", ""}, Remove{"c"}}}),
              R"({"compare":[)"
              R"({"result":"EQUAL","key":"YQ==","target":"CREATE","create_revision":"7"},)"
              R"({"result":"EQUAL","key":"Yg==","target":"VERSION","version":"0"}],"success":[)"
              R"({"request_put":{"key":"YQ==","value":"dg==","lease":"5"}},)"
              R"({"request_put":{"key":"Yg==","value":""}},)"
              R"({"request_delete_range":{"key":"Yw=="}}]})");
    EXPECT_EQ(json::write_range("a", "b", 16, 0), R"({"key":"YQ==","range_end":"Yg==","limit":"16"})");
    EXPECT_EQ(json::write_range("a", "b", 16, 9), R"({"key":"YQ==","range_end":"Yg==","limit":"16","revision":"9"})");
    EXPECT_EQ(json::write_grant(3s), R"({"TTL":"3"})");
    EXPECT_EQ(json::write_lease(9007199254740993), R"({"ID":"9007199254740993"})");
    EXPECT_EQ(json::write_compaction(5), R"({"revision":"5"})");
    EXPECT_EQ(json::write_watch("a", 3),
              R"({"create_request":{"key":"YQ==","range_end":"Yg==","start_revision":"3","fragment":true}})");
}

TEST(EtcdJson, WhereTheKeysWithAPrefixEnd) {
    EXPECT_EQ(json::end_of_prefix("five/nodes/"), "five/nodes0");
    EXPECT_EQ(json::end_of_prefix("a\xFF\xFF"), "b");
    EXPECT_EQ(json::end_of_prefix("\xFF"), std::string(1, '\0'));
    EXPECT_EQ(json::end_of_prefix(""), std::string(1, '\0'));
}

TEST(EtcdJson, Answers) {
    const std::string header = R"("header":{"cluster_id":"1","member_id":"2","revision":"41","raft_term":"2"})";
    const auto done = json::read_transaction("{" + header + R"(,"succeeded":true,"responses":[{"response_put":{}}]})");
    ASSERT_TRUE(done.has_value());
    EXPECT_TRUE(done->succeeded);
    EXPECT_EQ(done->revision, 41);
    EXPECT_FALSE(json::read_transaction("{" + header + "}")->succeeded);

    const auto page = json::read_range("{" + header +
                                       R"(,"more":true,"count":"2","kvs":[{"key":"YQ==",)"
                                       R"("create_revision":"2","mod_revision":"9","version":"3","value":"dg=="}]})");
    ASSERT_TRUE(page.has_value());
    EXPECT_TRUE(page->has_more);
    ASSERT_EQ(page->keys.size(), 1u);
    EXPECT_EQ(page->keys[0].key, "a");
    EXPECT_EQ(page->keys[0].value, "v");
    EXPECT_EQ(page->keys[0].created, 2);
    EXPECT_EQ(page->keys[0].modified, 9);
    EXPECT_EQ(page->keys[0].version, 3);
    EXPECT_THAT(json::read_range("{" + header + "}")->keys, IsEmpty());

    EXPECT_EQ(*json::read_grant("{" + header + R"(,"ID":"9007199254740993","TTL":"3"})"), 9007199254740993);
    EXPECT_TRUE(*json::read_keep_alive(R"({"result":{)" + header + R"(,"ID":"7","TTL":"3"}})"));
    EXPECT_FALSE(*json::read_keep_alive(R"({"result":{)" + header + R"(,"ID":"7"}})"));
}

TEST(EtcdJson, Watches) {
    const auto line = json::read_watch(
        R"({"result":{"header":{"revision":"5"},"fragment":true,"events":[)"
        R"({"kv":{"key":"YQ==","value":"dg==","mod_revision":"5"}},{"type":"DELETE","kv":{"key":"YQ==","mod_revision":"5"}}]}})");
    ASSERT_TRUE(line.has_value());
    EXPECT_TRUE(line->goes_on);
    EXPECT_FALSE(line->is_over.has_value());
    ASSERT_EQ(line->events.size(), 2u);
    EXPECT_EQ(line->events[0].kind, Event::Kind::written);
    EXPECT_EQ(line->events[0].key_value.value, "v");
    EXPECT_EQ(line->events[1].kind, Event::Kind::removed);
    EXPECT_EQ(line->events[1].key_value.modified, 5);

    const auto compacted = json::read_watch(R"({"result":{"header":{},"canceled":true,"compact_revision":"9"}})");
    ASSERT_TRUE(compacted->is_over.has_value());
    EXPECT_EQ(compacted->is_over->kind, Failure::Kind::compacted);
    const auto cancelled = json::read_watch(R"({"result":{"header":{},"canceled":true,"cancel_reason":"no\nmore"}})");
    ASSERT_TRUE(cancelled->is_over.has_value());
    EXPECT_EQ(cancelled->is_over->kind, Failure::Kind::no_answer);
    EXPECT_EQ(cancelled->is_over->words, "no\\nmore");
}

TEST(EtcdJson, RefusalsAndWhatNobodyKnows) {
    using Kind = Failure::Kind;
    const auto kind = [](int code, const std::string& words) {
        return json::read_refusal(R"({"error":")" + words + R"(","message":")" + words + R"(","code":)" +
                                  std::to_string(code) + "}")
            ->kind;
    };
    EXPECT_EQ(kind(8, "etcdserver: mvcc: database space exceeded"), Kind::refused);
    EXPECT_EQ(kind(8, "etcdserver: too many requests"), Kind::no_answer);
    EXPECT_EQ(kind(3, "etcdserver: request is too large"), Kind::refused);
    EXPECT_EQ(kind(16, "etcdserver: invalid auth token"), Kind::refused);
    EXPECT_EQ(kind(7, "etcdserver: permission denied"), Kind::refused);
    EXPECT_EQ(kind(5, "etcdserver: requested lease not found"), Kind::refused);
    EXPECT_EQ(kind(11, "etcdserver: mvcc: required revision has been compacted"), Kind::compacted);
    EXPECT_EQ(kind(11, "etcdserver: mvcc: required revision is a future revision"), Kind::refused);
    for (const int code : {1, 2, 4, 10, 13, 14}) EXPECT_EQ(kind(code, "etcdserver: no leader"), Kind::no_answer);
    EXPECT_EQ(json::read_refusal(R"({"error":"only this","code":14})")->words, "only this");
    EXPECT_LT(json::read_refusal(R"({"code":3,"message":")" + std::string(9999, 'x') + R"("})")->words.size(), 300u);
    EXPECT_FALSE(json::read_refusal("Not Found").has_value());
    EXPECT_FALSE(json::read_refusal(R"({"code":3})").has_value());
}

TEST(EtcdJson, WhatIsNotEtcdsIsAnError) {
    for (const auto* const text :
         {"", "null", "[]", "{}", "7", "{", R"({"header":7})", R"({"header":{"revision":"1x"}})",
          R"({"header":{"revision":true}})", R"({"result":7})", R"({"header":{},"kvs":{}})",
          R"({"header":{},"succeeded":"yes","more":1,"kvs":[7]})"}) {
        EXPECT_FALSE(json::read_range(text).has_value()) << text;
        EXPECT_FALSE(json::read_grant(text).has_value()) << text;
        EXPECT_FALSE(json::read_keep_alive(text).has_value()) << text;
        EXPECT_FALSE(json::read_watch(text).has_value()) << text;
    }
}

}  // namespace
