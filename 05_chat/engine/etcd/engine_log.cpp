// What comes from the log, and what follows from it here.

#include "05_chat/engine/etcd/engine.hpp"
#include "05_chat/engine/etcd/snapshots.hpp"
#include "app/events.hpp"
#include "app/text.hpp"

#include <algorithm>
#include <utility>

namespace chat::etcd {

namespace events = app::events;

namespace {

constexpr std::string_view was_thought_dead =
    "The other nodes took this one for dead, so you are out of the room: what you type waits. Coming back.";
constexpr std::string_view has_lost_its_place =
    "This node was away for too long, so you are out of the room: what you type waits. Coming back.";

}  // namespace

// ---- where to begin -------------------------------------------------------------------------------------------------

net::awaitable<void> EtcdEngine::follow_log() {
    co_await catch_up(std::nullopt);
    while (!is_over_) {
        // From the entry on that was the last one: etcd would also begin with the next one where it has forgotten
        // everything before that; and then some versions have forgotten a removal in the next one as well.
        const auto failure = co_await store_.watch(keys_.nodes(), log_.revision(),
                                                   [this](const std::vector<Event>& events) { hear(events); });
        if (is_over_) co_return;
        has_failed(failure);
        if (is_lost_) {
            co_await start_over(std::nullopt);
        } else if (failure.kind == Failure::Kind::compacted) {
            co_await start_over(log_.revision());
        } else {
            co_await clock_.sleep_until(clock_.now() + between_tries, log_news_);
        }
    }
}

/// The rooms as of a snapshot. With `after` the log is known only from somewhere later on, so the snapshot must be a
/// later one; without it the log's beginning will do, too.
net::awaitable<void> EtcdEngine::catch_up(std::optional<Revision> after) {
    bool has_told = false;
    TimePoint next_wish = clock_.now();
    for (const auto begin = clock_.now(); !is_over_;) {
        auto snapshot = co_await read_snapshot(store_, keys_, house_);
        if (is_over_) co_return;
        if (snapshot) {
            last_answer_ = clock_.now();
            if (*snapshot && (!after || (*snapshot)->log.revision() > *after)) {
                co_return restore(std::move((*snapshot)->log), std::move((*snapshot)->rooms));
            }
            if (!after) co_return restore(Log(house_made_, {}), Rooms(house_.limits, house_.lobby));
            if (co_await begin_empty()) co_return;
            if (is_over_) co_return;
            if (!std::exchange(has_told, true)) tell(events::waits_for_snapshot);
            if (clock_.now() >= next_wish) {
                next_wish = clock_.now() + patience;
                Transaction wish;
                wish.changes.emplace_back(Write{keys_.wish(), encode_writer(settings_.node)});
                co_await store_.transact(std::move(wish));
            }
            if (clock_.now() >= begin + snapshot_patience) {
                co_return give_up("the log is known only in part, and no node has written a snapshot");
            }
        } else {
            has_failed(snapshot.error());
        }
        co_await clock_.sleep_until(clock_.now() + between_tries, log_news_);
    }
}

/// Where no node lives, nobody is in the rooms, and nobody is going to tell how they were. So they begin empty, at a
/// place of the log: a node that does know its beginning, and is about to come, reads it there.
net::awaitable<bool> EtcdEngine::begin_empty() {
    const auto found = co_await store_.range(keys_.nodes());
    if (!found) co_return false;
    Transaction begin;  // if nobody has come since we looked
    begin.conditions.push_back({Condition::About::version, keys_.last_hello(), 0});
    for (const KeyValue& key : found->keys) {
        if (keys_.is_of_node(key.key)) co_return false;
        if (key.key == keys_.last_hello()) begin.conditions.back().is = key.version;
    }
    begin.changes.emplace_back(Write{keys_.begin(), encode_writer(settings_.node)});
    const auto answer = co_await store_.transact(std::move(begin));
    if (is_over_ || !answer || !answer->succeeded) co_return false;
    restore_empty(answer->revision);
    batches_ = settings_.snapshot_batches;  // for those who come now
    co_return true;
}

void EtcdEngine::restore_empty(Revision at) {
    tell(events::begins_with_empty_rooms);
    const auto next_place = static_cast<Sequence>(at + 1) << place_bits;
    restore(Log(at, {}), Rooms(house_.limits, house_.lobby, next_place - 1, {}));
}

void EtcdEngine::restore(Log log, Rooms rooms) {
    log_ = std::move(log);
    replica_->restore(std::move(rooms));
    is_restored_ = true;
    is_lost_ = false;
    batches_ = bytes_ = 0;
    last_event_ = clock_.now();
    node_news_.notify();
}

/// What has been written since we last heard of it is forgotten. So our place in the order is lost: others may have
/// taken us for dead and back, and what was on its way may be in the log, or may not.
net::awaitable<void> EtcdEngine::start_over(std::optional<Revision> after) {
    tell(events::starts_over);
    ++life_;
    is_restored_ = false;
    epoch_ = 0;
    flight_ = 0;
    const Lease lease = std::exchange(lease_, 0);
    proposals_.lose(Refusal::unknown);  // before they are down: it is the answer to what they asked for
    go_down(has_lost_its_place);
    if (lease != 0) co_await store_.revoke(lease);
    co_await catch_up(after);
}

// ---- entry by entry -------------------------------------------------------------------------------------------------

void EtcdEngine::hear(const std::vector<Event>& events) {
    const Revision before = log_.revision();
    last_answer_ = last_event_ = clock_.now();
    for (const Event& event : events) {
        if (event.key_value.modified <= before) continue;  // a new watch tells again what the one before has told
        if (is_over_ || is_lost_) return;
        hear(event);
    }
    node_news_.notify();
    farewell_news_.notify();
    if (is_snapshot_due()) snapshot_news_.notify();
}

void EtcdEngine::hear(const Event& event) {
    const KeyValue& key = event.key_value;
    if (!keys_.is_of_node(key.key)) {
        log_.skip(key.modified);
        if (key.key == keys_.begin()) restore_empty(key.modified);
        if (key.key == keys_.wish()) batches_ = settings_.snapshot_batches;
        return;
    }
    const std::string node = keys_.name_of(key.key);
    if (event.kind == Event::Kind::removed) return goes(key.modified, node);
    ++batches_;
    bytes_ += key.value.size();
    const auto value = decode_node(key.value);
    if (!value) app::tell_seldom({"server"}, events::ignores, "an entry of the log that is not ours");
    if (key.version == 1) {
        comes(key.modified, node, value);
    } else {
        wants(key, node, value);
    }
}

void EtcdEngine::comes(Revision at, const std::string& node, const std::optional<NodeValue>& value) {
    if (log_.find(node) != nullptr) return is_lost();
    log_.hello(at, node);
    if (value && lease_ != 0 && value->hello.lease == lease_ && node == settings_.node) {
        is_in(at);
    } else if (is_open_) {
        tell(events::sees_node_come, node);
    }
}

/// A node's batch. What is ours goes back to those who wait for it, each before the next one is applied.
void EtcdEngine::wants(const KeyValue& key, const std::string& node, const std::optional<NodeValue>& value) {
    if (!log_.batch(key.modified, node, key.created, key.version)) return is_lost();
    const bool is_ours = node == settings_.node && key.created == epoch_ && key.version == flight_;
    if (value) {
        for (const Submission& submission : value->requests) {
            apply(node, submission, is_ours && proposals_.is_flying() ? proposals_.land() : nullptr);
            if (is_over_) return;
        }
    }
    if (!is_ours) return;
    if (proposals_.is_flying()) proposals_.lose(Refusal::unknown);  // it was not what we had written
    flight_ = 0;
    last_own_ = key.modified;
    has_come_back();
}

void EtcdEngine::goes(Revision at, const std::string& node) {
    const auto leaves = log_.down(at, node, replica_->rooms());
    if (node == settings_.node && epoch_ != 0) {
        tell(events::was_thought_dead);
        epoch_ = 0;
        lease_ = 0;
        flight_ = 0;
        proposals_.ground();  // the log takes no more of that life: so it will never come back
        go_down(was_thought_dead);
    } else if (is_open_) {
        tell(events::sees_node_go, node);
    }
    for (const Submission& leave : leaves) {
        apply(node, leave, nullptr);
        if (is_over_) return;
    }
}

void EtcdEngine::apply(const std::string& node, const Submission& submission, const Proposals::Answer& answer) {
    Outcome outcome = Refusal::unknown;
    std::exception_ptr thrown;
    try {
        outcome = replica_->apply(log_.next_place(), submission);
    } catch (...) {
        thrown = std::current_exception();
    }
    log_.applied(node, outcome);
    const bool has_joined = outcome && outcome->kind == Line::Kind::joined;
    if (has_joined && is_open_ && is_announced_ && node != settings_.node) {
        app::tell_detail({"server"}, events::node_has_in_room, node, outcome->name, submission.room);
    }
    if (answer) answer(thrown, std::move(outcome));
    // The others may not have thrown: our rooms are no longer what theirs are.
    if (thrown) give_up("the rooms have crashed: " + app::text::what(thrown));
}

void EtcdEngine::go_down(std::string_view words) {
    is_down_ = true;
    if (is_open_) replica_->go_down(words);
}

/// Our Hello is in the log: from now on this node is one of them, and what it writes counts.
void EtcdEngine::is_in(Revision epoch) {
    epoch_ = last_own_ = epoch;
    person_base_ = static_cast<PersonId>(epoch);
    last_person_ = 0;
    name_taken_.reset();
    tell_how_it_stands();
    if (std::exchange(is_down_, false) && is_open_) {
        proposals_.add_first(replica_->come_back(), [this](const Submission& join, const Outcome& outcome) {
            replica_->is_back(join, outcome);
        });
    }
    // Those who come back, and what has waited, are in the next batch: the rooms are back when that is.
    if (owes()) {
        last_came_back_ = clock_.now();
    } else {
        has_come_back();
    }
    opened_.notify();
}

void EtcdEngine::is_lost() {
    is_lost_ = true;
    store_.distrust_watch();
}

}  // namespace chat::etcd
