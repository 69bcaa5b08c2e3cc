// What this node does to be one of several: it says Hello, writes what its people want, and says that it lives.

#include "05_chat/engine/etcd/engine.hpp"
#include "05_chat/engine/etcd/snapshots.hpp"
#include "app/events.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace chat::etcd {

namespace events = app::events;

/// Waits until it is over, or for so long. For take_part() and what it calls.
template <class Condition>
net::awaitable<void> EtcdEngine::wait(Clock::Duration longest, Condition over) {
    const auto until = clock_.now() + longest;
    while (!is_over_ && !over() && clock_.now() < until) co_await clock_.sleep_until(until, node_news_);
}

/// What etcd answers; nothing where it is over before, since the log may tell what came of it and the answer be lost.
/// For take_part() and what it calls.
template <class Condition>
net::awaitable<std::optional<Asked<TransactionAnswer>>> EtcdEngine::transact(Transaction transaction, Condition over) {
    const auto answer = std::make_shared<std::optional<Asked<TransactionAnswer>>>();
    ++unanswered_;
    spawn([](EtcdEngine& engine, Transaction asked, auto into) -> net::awaitable<void> {
        *into = co_await engine.store_.transact(std::move(asked));
        --engine.unanswered_;
        engine.node_news_.notify();
    }(*this, std::move(transaction), answer));
    const auto is_needed = [&] { return !over() || unanswered_ > most_unneeded_answers; };
    while (!*answer && !is_over_ && is_needed()) co_await node_news_.notified();
    co_return std::move(*answer);
}

/// One thing at a time, as long as the engine works.
net::awaitable<void> EtcdEngine::take_part() {
    while (!is_over_) {
        const auto quiet_until = last_event_ + longest_quiet;
        if (!is_restored_) {
            co_await node_news_.notified();
        } else if (epoch_ == 0) {
            co_await come_in();
        } else if (flight_ != 0 || !proposals_.is_empty() || clock_.now() >= quiet_until) {
            co_await propose();
        } else {
            co_await clock_.sleep_until(quiet_until, node_news_);
        }
    }
}

// ---- Hello ----------------------------------------------------------------------------------------------------------

/// One try to become one of the nodes. We are when the log says so.
net::awaitable<void> EtcdEngine::come_in() {
    const auto life = life_;
    const auto never = [] { return false; };
    if (lease_ == 0) {
        const auto lease = co_await store_.grant(lease_time);
        if (is_over_ || life != life_) co_return;
        if (!lease) {
            has_failed(lease.error());
            co_return co_await wait(between_tries, never);
        }
        lease_ = *lease;
        hello_ = {settings_.process, lease_};
    }
    const Lease lease = lease_;
    const auto is_settled = [=, this] { return epoch_ != 0 || lease_ != lease || life_ != life; };
    const std::string key = keys_.node(settings_.node);
    Transaction say_hello;  // if nobody has our name
    say_hello.conditions.push_back({Condition::About::created, key, 0});
    say_hello.changes.emplace_back(Write{key, encode(hello_), lease});
    say_hello.changes.emplace_back(Write{keys_.last_hello(), encode_writer(settings_.node)});
    const auto answered = co_await transact(std::move(say_hello), is_settled);
    if (is_over_ || is_settled()) co_return;
    const auto& answer = *answered;
    if (!answer) {
        has_failed(answer.error());
        if (answer.error().kind == Failure::Kind::refused) lease_ = 0;  // it may have ended by now
        co_return co_await wait(between_tries, never);
    }
    last_answer_ = clock_.now();
    const bool is_said = answer->succeeded || co_await has_said_hello();
    if (!is_said) co_return co_await wait(between_tries, is_settled);
    co_await wait(patience, is_settled);
    if (!is_over_ && !is_settled()) store_.distrust_watch();
}

/// Our key is there. Whose is it? Ours, where etcd has done what we asked for, and its answer was lost. Or that of a
/// program which died just now: if that was on this computer, we know it for certain. Otherwise we wait for as long as
/// the lease of a dead node can last.
net::awaitable<bool> EtcdEngine::has_said_hello() {
    const std::string name = keys_.node(settings_.node);
    const auto key = co_await read_key(store_, name);
    if (is_over_ || !key) co_return false;
    if (!*key) {
        name_taken_.reset();
        co_return false;
    }
    const Hello holder = decode_node((*key)->value).value_or(NodeValue{}).hello;
    if (holder.lease == lease_ && lease_ != 0) co_return true;
    const bool was_us = !holder.process.empty() && holder.process == settings_.process;
    if (was_us || (settings_.is_ended && settings_.is_ended(holder.process))) {
        Transaction remove;  // if it is still the same
        remove.conditions.push_back({Condition::About::created, name, (*key)->created});
        remove.changes.emplace_back(Remove{name});
        co_await store_.transact(std::move(remove));
        co_return false;
    }
    // Where etcd was away meanwhile, it gives every lease its whole time again.
    const auto now = clock_.now();
    if (!name_taken_ || now >= name_seen_ + patience) name_taken_ = now;
    name_seen_ = now;
    if (now >= *name_taken_ + name_patience) give_up("another node is called " + settings_.node);
    co_return false;
}

// ---- batches --------------------------------------------------------------------------------------------------------

/// Sends what waits, or once more what is on its way. A batch that is empty asks only whether it comes back.
net::awaitable<void> EtcdEngine::propose() {
    if (flight_ == 0) {
        flight_ = log_.find(settings_.node)->version + 1;
        proposals_.fly(begin_batch(hello_));
    }
    const auto epoch = epoch_;
    const auto version = flight_;
    const auto is_over = [=, this] { return epoch_ != epoch || flight_ != version; };
    const std::string key = keys_.node(settings_.node);
    // Each batch makes the key's next version, in this life of ours. So etcd itself refuses one that it has already,
    // and one that comes after the end of this life, however often and however late it arrives.
    Transaction write;
    write.conditions.push_back({Condition::About::created, key, epoch});
    write.conditions.push_back({Condition::About::version, key, version - 1});
    write.changes.emplace_back(Write{key, proposals_.batch(), lease_});
    const auto answered = co_await transact(std::move(write), is_over);
    if (is_over_ || is_over()) co_return;
    const auto& answer = *answered;
    if (!answer) has_failed(answer.error());
    if (!answer && answer.error().kind == Failure::Kind::no_answer) co_return co_await wait(between_tries, is_over);
    last_answer_ = clock_.now();
    // Where it was not done, it was done before, or our life is over: the log tells. It shows nothing? Then it is the
    // watch that is broken.
    co_await wait(patience, is_over);
    if (!is_over_ && !is_over()) store_.distrust_watch();
}

// ---- time -----------------------------------------------------------------------------------------------------------

net::awaitable<void> EtcdEngine::keep_time() {
    while (!is_over_) {
        // One that gets no answer does not keep the next one from being sent.
        if (lease_ != 0) spawn(keep_alive(lease_));
        mind_silence();
        tell_how_it_stands();
        co_await clock_.sleep_until(clock_.now() + heartbeat, tick_);
    }
}

/// For programs: with every heartbeat where this node stands, and now and then who the nodes are.
void EtcdEngine::tell_how_it_stands() {
    if (!is_announced_ || !app::story::tells_details()) return;
    constexpr unsigned between_nodes = 10;  // heartbeats
    constexpr std::size_t most_nodes = 100;
    const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - last_answer_).count();
    app::tell_detail({"server"}, events::has_lease, settings_.node, lease_, epoch_, log_.revision(), proposals_.size(),
                     silent);
    if (beats_++ % between_nodes != 0) return;
    std::size_t told = 0;
    for (const auto& [name, node] : log_.nodes()) {
        if (++told <= most_nodes) app::tell_detail({"server"}, events::knows_node, name, node.epoch);
    }
}

net::awaitable<void> EtcdEngine::keep_alive(Lease lease) {
    const auto is_there = co_await store_.keep_alive(lease);
    if (is_over_) co_return;
    if (!is_there) co_return has_failed(is_there.error());
    last_answer_ = clock_.now();
    if (*is_there) {
        if (!owes()) has_come_back();
    } else if (epoch_ == 0 && lease_ == lease) {
        lease_ = 0;  // it has ended before we said Hello. Later the log tells, and nothing else counts
        node_news_.notify();
    }
}

/// Whether there is something that has not come back yet.
bool EtcdEngine::owes() const {
    return epoch_ == 0 || flight_ != 0 || !proposals_.is_empty();
}

void EtcdEngine::mind_silence() {
    const auto silence = clock_.now() - last_came_back_;
    if (!(is_open_ || settings_.waits) || is_stopping_ || has_told_silence_ || silence < patience) return;
    has_told_silence_ = true;
    const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(silence).count();
    tell(events::log_is_silent, settings_.etcd, silent, last_failure_);
    replica_->waits("The rooms are out of reach: what you type waits, and goes out when they are back.");
}

void EtcdEngine::has_come_back() {
    last_came_back_ = clock_.now();
    if (!std::exchange(has_told_silence_, false)) return;
    tell(events::log_is_back, settings_.etcd);
    replica_->goes_on("The rooms are back: what has waited goes out now.");
}

// ---- snapshots ------------------------------------------------------------------------------------------------------

/// One node is enough, and which one that is, follows from the log.
bool EtcdEngine::is_snapshot_due() const {
    const bool is_long = batches_ >= settings_.snapshot_batches || bytes_ >= settings_.snapshot_bytes;
    return is_long && epoch_ != 0 && !is_lost_ && log_.eldest() == settings_.node;
}

net::awaitable<void> EtcdEngine::keep_snapshots() {
    while (!is_over_) {
        if (!is_snapshot_due()) {
            co_await snapshot_news_.notified();
            continue;
        }
        batches_ = bytes_ = 0;
        const Revision revision = log_.revision();
        const std::string snapshot = encode_snapshot(log_, replica_->rooms());
        const auto written = co_await write_snapshot(store_, keys_, revision, snapshot);
        if (is_over_) co_return;
        if (written) {
            if (*written) tell(events::wrote_snapshot, revision, snapshot.size());
            continue;
        }
        has_failed(written.error());
        const auto next_try = clock_.now() + patience;
        while (!is_over_ && clock_.now() < next_try) co_await clock_.sleep_until(next_try, snapshot_news_);
        batches_ = settings_.snapshot_batches;
    }
}

}  // namespace chat::etcd
