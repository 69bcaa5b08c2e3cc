#pragma once

#include "05_chat/engine/etcd/clock.hpp"
#include "05_chat/engine/etcd/store.hpp"
#include "chat/simulated_engine.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// An etcd in memory and in virtual time, the network between it and the nodes, and their clocks. Everything follows
/// from the seed.
namespace simulated {

using namespace chat::etcd;

/// etcd itself, all members as one: what it does with each request that reaches it.
class Etcd {
public:
    explicit Etcd(World& world) : world_(world) {}

    TransactionAnswer transact(const Transaction& transaction) {
        const auto holds = [this](const Condition& condition) {
            const auto key = keys_.find(condition.key);
            if (key == keys_.end()) return condition.is == 0;
            const KeyValue& is = key->second;
            return condition.is == (condition.about == Condition::About::created ? is.created : is.version);
        };
        if (!ignores_conditions && !std::ranges::all_of(transaction.conditions, holds)) return {false, revision_};
        if (!transaction.changes.empty()) change(transaction.changes);
        return {true, revision_};
    }
    RangeAnswer range(const std::string& prefix) const {
        RangeAnswer answer{{}, revision_};
        for (auto key = keys_.lower_bound(prefix); key != keys_.end() && key->first.starts_with(prefix); ++key) {
            answer.keys.push_back(key->second);
        }
        return answer;
    }
    bool knows(Lease lease) const { return leases_.contains(lease); }
    Lease grant(std::chrono::seconds time) {
        const Lease lease = ++last_lease_ << 32;
        leases_[lease].time = static_cast<World::Milliseconds>(time.count()) * 1000;
        keep_alive(lease);
        return lease;
    }
    bool keep_alive(Lease lease) {
        const auto found = leases_.find(lease);
        if (found == leases_.end()) return false;
        found->second.until = world_.now() + found->second.time;
        look_later(lease, found->second.time);
        return true;
    }
    /// A lease that ends, whoever says so, and its keys.
    void revoke(Lease lease) {
        const auto found = leases_.extract(lease);
        if (found.empty()) return;
        std::vector<Change> changes;
        for (const auto& [name, key] : keys_) {
            if (lease_of_[name] == lease) changes.emplace_back(Remove{name});
        }
        if (!changes.empty()) change(changes);
    }
    /// A watch may still begin with `revision` itself; but a removal in it is forgotten, as by etcd before 3.4.36 and
    /// 3.5.19. Then nobody can help a node that has not heard of it yet: so the tests sweep up to last_written().
    bool compact(Revision revision) {
        if (revision <= compacted_) return false;
        compacted_ = revision;
        std::erase_if(history_, [&](const Event& event) {
            const Revision at = event.key_value.modified;
            return event.kind == Event::Kind::removed ? at <= revision : at < revision;
        });
        return true;
    }

    /// A leader that is new gives every lease its whole time again.
    void come_back() {
        is_away = false;
        for (auto& [lease, each] : leases_) keep_alive(lease);
    }

    Revision revision() const { return revision_; }
    /// The last change that was no removal.
    Revision last_written() const {
        Revision last = 0;
        for (const auto& [name, key] : keys_) last = std::max(last, key.modified);
        return last;
    }
    Revision compacted() const { return compacted_; }
    std::size_t keys() const { return keys_.size(); }
    /// How many changes it still knows.
    std::size_t remembered() const { return history_.size(); }
    std::vector<Lease> leases() const {
        std::vector<Lease> all;
        for (const auto& [lease, each] : leases_) all.push_back(lease);
        return all;
    }
    /// What has changed since, of those keys: the next revision's events only.
    std::vector<Event> next(const std::string& prefix, Revision from) const {
        std::vector<Event> events;
        for (const Event& event : history_) {
            const KeyValue& key = event.key_value;
            if (key.modified < from || !key.key.starts_with(prefix)) continue;
            if (!events.empty() && events.front().key_value.modified != key.modified) break;
            events.push_back(event);
        }
        return events;
    }

    bool is_away = false;
    bool ignores_conditions = false;            // the mistake that the check must find
    std::function<void()> has_changed = [] {};  // the watches look

private:
    struct Held {
        World::Milliseconds time = 0;
        World::Milliseconds until = 0;
    };

    void look_later(Lease lease, World::Milliseconds wait) {
        world_.after(wait + 1 + world_.roll(500), [this, lease] {
            const auto found = leases_.find(lease);
            if (found == leases_.end()) return;
            if (is_away || world_.now() < found->second.until) return;  // who gave it time, looks later
            revoke(lease);
        });
    }
    void change(const std::vector<Change>& changes) {
        ++revision_;
        for (const Change& each : changes) {
            if (const auto* write = std::get_if<Write>(&each)) {
                KeyValue& key = keys_[write->key];
                if (key.version == 0) key.created = revision_;
                key.key = write->key;
                key.value = write->value;
                key.modified = revision_;
                ++key.version;
                lease_of_[write->key] = write->lease;
                history_.push_back({Event::Kind::written, key});
                continue;
            }
            const auto& remove = std::get<Remove>(each);
            const auto last = remove.until.empty() ? keys_.upper_bound(remove.key) : keys_.lower_bound(remove.until);
            for (auto key = keys_.lower_bound(remove.key); key != last; key = keys_.erase(key)) {
                history_.push_back({Event::Kind::removed, {key->first, {}, 0, revision_, 0}});
            }
        }
        has_changed();
    }

    World& world_;
    Revision revision_ = 1;
    Revision compacted_ = 0;
    std::map<std::string, KeyValue> keys_;
    std::map<std::string, Lease> lease_of_;
    std::vector<Event> history_;
    std::map<Lease, Held> leases_;
    Lease last_lease_ = 0;
};

/// How one node reaches etcd: requests and answers are delayed, lost and repeated, and a watch shows things late, not
/// at all, or ends.
class Store : public chat::etcd::Store {
public:
    Store(World& world, Etcd& etcd) : world_(world), etcd_(etcd) {}

    net::awaitable<Asked<TransactionAnswer>> transact(Transaction transaction) override {
        return call<TransactionAnswer>([this, transaction]() -> Asked<TransactionAnswer> {
            for (const Change& change : transaction.changes) {
                const auto* write = std::get_if<Write>(&change);
                if (write != nullptr && write->lease != 0 && !etcd_.knows(write->lease)) {
                    return Failure{Failure::Kind::refused, "requested lease not found"};
                }
            }
            return etcd_.transact(transaction);
        });
    }
    net::awaitable<Asked<RangeAnswer>> range(std::string prefix) override {
        return call<RangeAnswer>([this, prefix]() -> Asked<RangeAnswer> { return etcd_.range(prefix); });
    }
    net::awaitable<Asked<Lease>> grant(std::chrono::seconds time) override {
        return call<Lease>([this, time]() -> Asked<Lease> { return etcd_.grant(time); });
    }
    net::awaitable<Asked<bool>> keep_alive(Lease lease) override {
        return call<bool>(
            [this, lease]() -> Asked<bool> { return is_dead ? etcd_.knows(lease) : etcd_.keep_alive(lease); });
    }
    net::awaitable<Asked<void>> revoke(Lease lease) override {
        return call<void>([this, lease]() -> Asked<void> {
            etcd_.revoke(lease);
            return Asked<void>();
        });
    }
    net::awaitable<Asked<void>> compact(Revision revision) override {
        return call<void>([this, revision]() -> Asked<void> {
            if (!etcd_.compact(revision)) return Failure{Failure::Kind::compacted, "has been compacted"};
            return Asked<void>();
        });
    }

    net::awaitable<Failure> watch(std::string prefix, Revision from, OnEvents on_events) override {
        if (is_stopped_) co_return stopped();
        const auto watch = std::make_shared<Watch>(world_.executor());
        watch->prefix = std::move(prefix);
        watch->next = from;
        watch->on_events = std::move(on_events);
        watch_ = watch;
        // It may tell again what has been told.
        if (world_.roll(4) == 0 && etcd_.compacted() < watch->next - 2) watch->next -= 2;
        send_events(watch);
        while (!watch->end) co_await watch->ended.notified();
        if (watch_ == watch) watch_ = nullptr;
        co_return *watch->end;
    }
    void distrust_watch() override { end_watch(no_answer()); }
    void stop() override {
        is_stopped_ = true;
        end_watch(stopped());
        for (const auto& end : std::exchange(open_calls_, {})) end.second(stopped());
    }

    /// Something has changed, or this node can be reached again.
    void look() {
        if (watch_) send_events(watch_);
    }
    void end_watch() { end_watch(no_answer()); }
    void silence_watch() {
        if (watch_) watch_->is_silent = true;
    }

    bool holds = false;  // what is sent is on its way, and does not arrive:
    std::vector<std::function<void()>> held;
    bool loses_answers = false;  // what is asked is done, and nobody hears that
    /// Questions that wait for their answer.
    std::size_t open_calls() const { return open_calls_.size(); }
    bool is_cut = false;   // nothing comes or goes
    bool is_dead = false;  // the node has crashed: nothing comes, but what it has sent may be under way

private:
    struct Watch {
        explicit Watch(const net::Executor& executor) : ended(executor) {}
        std::string prefix;
        Revision next = 0;
        OnEvents on_events;
        bool is_silent = false;
        bool is_sending = false;
        std::optional<Failure> end;
        chat::Notify ended;
    };
    template <class Answer>
    struct Call {
        explicit Call(const net::Executor& executor) : answered(executor) {}
        std::optional<Asked<Answer>> answer;
        chat::Notify answered;

        void give(Asked<Answer> what) {
            if (answer) return;
            answer = std::move(what);
            answered.notify();
        }
    };
    static constexpr World::Milliseconds call_bound = 1000;

    static Failure no_answer() { return {Failure::Kind::no_answer, "no answer"}; }
    static Failure stopped() { return {Failure::Kind::stopped, "stopped"}; }

    /// Mostly soon, sometimes much later: also after whoever asked has lost patience.
    World::Milliseconds delay() { return world_.roll(50) == 0 ? 500 + world_.roll(3000) : 1 + world_.roll(20); }
    bool is_reachable() const { return !is_cut && !etcd_.is_away; }

    template <class Answer>
    net::awaitable<Asked<Answer>> call(std::function<Asked<Answer>()> carry_out) {
        if (is_stopped_) co_return stopped();
        const auto call = std::make_shared<Call<Answer>>(world_.executor());
        const auto chance = world_.roll(40);
        const bool is_lost = chance == 0, answer_is_lost = chance == 1;
        const int copies = is_lost ? 0 : chance == 2 ? 2 : 1;
        const std::function<void()> arrive = [this, call, carry_out, answer_is_lost] {
            if (!is_reachable()) return;
            const auto answer = carry_out();
            if (answer_is_lost || loses_answers) return;
            world_.after(delay(), [this, call, answer] {
                if (is_reachable() && !is_dead) call->give(answer);
            });
        };
        if (holds) held.push_back(arrive);
        for (int copy = 0; copy < copies && !holds; ++copy) world_.after(delay(), arrive);
        const auto number = ++last_call_;
        open_calls_[number] = [call](const Failure& failure) { call->give(failure); };
        world_.after(call_bound, [this, call] {
            if (!is_dead) call->give(no_answer());
        });
        while (!call->answer) co_await call->answered.notified();
        open_calls_.erase(number);
        co_return std::move(*call->answer);
    }

    void end_watch(const Failure& why) {
        const auto watch = std::exchange(watch_, nullptr);
        if (!watch || watch->end) return;
        watch->end = why;
        watch->ended.notify();
    }
    /// One revision after the other: each is on its way for a while, and they arrive in order.
    void send_events(const std::shared_ptr<Watch>& watch) {
        if (std::exchange(watch->is_sending, true)) return;
        world_.after(1 + world_.roll(15), [this, watch] {
            watch->is_sending = false;
            if (watch->end || is_dead || watch->is_silent || !is_reachable()) return;
            if (watch->next < etcd_.compacted()) {
                watch->end = Failure{Failure::Kind::compacted, "required revision has been compacted"};
                watch->ended.notify();
                return;
            }
            const auto events = etcd_.next(watch->prefix, watch->next);
            watch->next = events.empty() ? etcd_.revision() + 1 : events.front().key_value.modified + 1;
            if (events.empty()) return;
            send_events(watch);
            watch->on_events(events);
        });
    }

    World& world_;
    Etcd& etcd_;
    std::shared_ptr<Watch> watch_;
    std::map<std::uint64_t, std::function<void(const Failure&)>> open_calls_;
    std::uint64_t last_call_ = 0;
    bool is_stopped_ = false;
};

/// A node's clock. It stands still while the node sleeps, or when it has crashed.
class Clock : public chat::etcd::Clock {
public:
    explicit Clock(World& world) : world_(world) {}

    TimePoint now() const override { return TimePoint(std::chrono::milliseconds(world_.now())); }
    net::awaitable<void> sleep_until(TimePoint when, chat::Notify& woken) override {
        const auto sleeper = std::make_shared<chat::Notify*>(&woken);
        sleepers_.insert(sleeper);
        const auto until = std::max(when, now()) - now();
        world_.after(static_cast<World::Milliseconds>(std::chrono::ceil<std::chrono::milliseconds>(until).count()),
                     [this, sleeper = std::weak_ptr(sleeper)] {
                         if (const auto one = sleeper.lock(); one && !stands_still) (*one)->notify();
                     });
        co_await woken.notified();
        sleepers_.erase(sleeper);
    }
    void go_on() {
        stands_still = false;
        for (const auto& sleeper : sleepers_) (*sleeper)->notify();
    }

    bool stands_still = false;

private:
    World& world_;
    std::set<std::shared_ptr<chat::Notify*>> sleepers_;
};

}  // namespace simulated
