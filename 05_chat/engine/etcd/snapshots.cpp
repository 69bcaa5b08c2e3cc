#include "05_chat/engine/etcd/snapshots.hpp"

#include <algorithm>
#include <utility>

namespace chat::etcd {

net::awaitable<Asked<std::optional<KeyValue>>> read_key(Store& store, const std::string& key) {
    auto answer = co_await store.range(key);
    if (!answer) co_return answer.error();
    // Keys that only begin so come after it.
    if (answer->keys.empty() || answer->keys.front().key != key) co_return std::optional<KeyValue>();
    co_return std::optional(std::move(answer->keys.front()));
}

namespace {

/// Where it is, how often that was written, and when; 0 times where there is none.
struct Found {
    SnapshotHead head;
    std::int64_t version = 0;
    Revision modified = 0;
};

net::awaitable<Asked<Found>> find_head(Store& store, const Keys& keys) {
    const auto key = co_await read_key(store, keys.snapshot_head());
    if (!key) co_return key.error();
    if (!*key) co_return Found{};
    co_return Found{decode_head((*key)->value).value_or(SnapshotHead{}), (*key)->version, (*key)->modified};
}

/// All of it; empty where a part is gone: somebody has written a newer one meanwhile.
net::awaitable<Asked<std::string>> read_parts(Store& store, const Keys& keys, SnapshotHead head) {
    std::string all;
    for (std::size_t part = 0; part < head.parts; ++part) {
        const auto key = co_await read_key(store, keys.snapshot_part(head.revision, part));
        if (!key) co_return key.error();
        if (!*key) co_return std::string();
        all += (*key)->value;
    }
    co_return all;
}

}  // namespace

net::awaitable<Asked<std::optional<Snapshot>>> read_snapshot(Store& store, const Keys& keys, const House& house) {
    constexpr int most_tries = 5;  // while somebody writes newer ones
    for (int i = 0; i < most_tries; ++i) {
        const auto found = co_await find_head(store, keys);
        if (!found) co_return found.error();
        if (found->head.parts == 0) break;
        const auto all = co_await read_parts(store, keys, found->head);
        if (!all) co_return all.error();
        if (!all->empty()) co_return decode_snapshot(*all, house);
    }
    co_return std::optional<Snapshot>();
}

net::awaitable<Asked<bool>> write_snapshot(Store& store, const Keys& keys, Revision revision, std::string snapshot) {
    const auto before = co_await find_head(store, keys);
    if (!before) co_return before.error();
    if (before->head.revision >= revision) co_return false;

    SnapshotHead head{revision, 0};
    for (std::size_t from = 0; from < snapshot.size(); from += max_part) {
        Transaction add;
        add.changes.emplace_back(Write{keys.snapshot_part(revision, head.parts++), snapshot.substr(from, max_part)});
        const auto written = co_await store.transact(std::move(add));
        if (!written) co_return written.error();
    }

    // Two nodes may both hold themselves for the eldest for a moment. The head that was written first stays.
    Transaction turn;
    turn.conditions.push_back({Condition::About::version, keys.snapshot_head(), before->version});
    turn.changes.emplace_back(Write{keys.snapshot_head(), encode(head)});
    turn.changes.emplace_back(Remove{keys.first_snapshot_part(), keys.snapshot_parts(revision)});
    const auto is_newest = co_await store.transact(std::move(turn));
    if (!is_newest) co_return is_newest.error();
    if (!is_newest->succeeded) co_return false;

    // Some versions of etcd forget a removal in the very revision up to which they forget, and let a watch begin with
    // it all the same. In this one a head was written, and nothing was removed that anybody watches.
    if (before->modified > 0 && before->modified <= revision) {
        const auto compacted = co_await store.compact(before->modified);
        if (!compacted && compacted.error().kind != Failure::Kind::compacted) co_return compacted.error();
    }
    co_return true;
}

}  // namespace chat::etcd
