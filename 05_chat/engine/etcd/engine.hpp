#pragma once

#include "05_chat/engine/engine.hpp"
#include "05_chat/engine/etcd/clock.hpp"
#include "05_chat/engine/etcd/codec.hpp"
#include "05_chat/engine/etcd/keys.hpp"
#include "05_chat/engine/etcd/log.hpp"
#include "05_chat/engine/etcd/proposals.hpp"
#include "05_chat/engine/etcd/store.hpp"
#include "app/events.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chat::etcd {

/// How long the others wait for a word of a node until it is dead. They hear of its death up to a second later.
inline constexpr std::chrono::seconds lease_time{3};
/// How often a node gives that word, and looks whether it has waited for too long itself.
inline constexpr std::chrono::milliseconds heartbeat{500};
/// How long what this node has written may take to come back, until it is sent again and people are told that it waits.
inline constexpr std::chrono::seconds patience{2};
/// How long nothing at all may come, until the node writes something to see whether it comes.
inline constexpr std::chrono::seconds longest_quiet{3};
/// So many questions whose answer nobody needs any more may be under way: each is a connection.
inline constexpr std::size_t most_unneeded_answers = 8;
/// Between two tries of something that has failed.
inline constexpr std::chrono::milliseconds between_tries{200};
/// How long etcd may be silent while a node starts.
inline constexpr std::chrono::seconds start_patience{5};
/// How long another node may have our name until we give up: if it is dead, its lease has ended by then.
inline constexpr std::chrono::seconds name_patience{6};
/// How long a node that needs a snapshot waits for another node to write one.
inline constexpr std::chrono::seconds snapshot_patience{30};
/// When a node stops: how long those who leave have time to say so, how long that may take to be ordered, and how long
/// it takes to give the lease back.
inline constexpr std::chrono::milliseconds last_words_time{100};
inline constexpr std::chrono::milliseconds last_order_time{1500};
inline constexpr std::chrono::milliseconds revoke_time{1000};

struct Settings {
    std::string etcd = "etcd";    // how it is called where something is wrong with it: "etcd at http://127.0.0.1:2379"
    std::string prefix = "five";  // --etcd-prefix: before all keys
    std::string node;             // --node-name: no other node has it at the same time. UTF-8, without '/'
    bool waits = false;           // for etcd, where it is silent while the node starts; else for start_patience
    Limits limits;                // of the house, where this is its first node
    std::string lobby;
    std::string process;                                     // this_process()
    std::function<bool(std::string_view process)> is_ended;  // has_ended(); null: nobody knows
    /// Called once, when open() has gone well and this node can no longer go on: the program ends, and says why.
    std::function<void(const std::string& why)> give_up;

    // A snapshot comes after so many batches, or so many bytes of them.
    std::size_t snapshot_batches = 10'000;
    std::size_t snapshot_bytes = 8 << 20;
};

/// The order that several nodes have, over etcd. Each node writes what its people want into the log (keys.hpp), and
/// applies what comes from the log: its own as well as that of others. What has not come from the log, has not
/// happened.
///
/// - open() agrees with the others on what decides outcomes (House), takes the newest snapshot of the rooms, and
///   follows the log from there. Then it says Hello, and is open when that has come back.
/// - submit() puts the request into a batch (Proposals); what came of it is known when the batch comes back.
/// - A node lives as long as its lease does. The log tells of its end in one place, for everybody: there its people
///   leave. A node that was only thought dead reads the same; it says Hello again, and brings its people back.
///
/// engine.cpp: what the program asks; engine_log.cpp: what comes from the log; engine_node.cpp: what this node writes.
/// `store` and `clock` outlive it; it is destroyed when its loop has run to its end. The loop's thread only.
class EtcdEngine : public Engine {
public:
    EtcdEngine(const net::Executor& executor, Store& store, Clock& clock, Settings settings);

    net::awaitable<result<void, Why>> open() override;
    void stop() override;
    net::awaitable<Outcome> submit(const Submission& submission) override;
    PersonId next_person() override;
    void announce() override;
    std::string_view home_of(PersonId person) const override;

    /// What the nodes have agreed on; after open().
    const House& house() const { return house_; }

private:
    using TimePoint = Clock::TimePoint;

    // engine.cpp
    net::awaitable<result<void, Why>> agree_on_house();
    std::optional<Why> adopt(const KeyValue& found);
    net::awaitable<void> say_goodbye();
    net::awaitable<void> revoke(Lease lease);
    void give_up(const std::string& why);
    void end();
    void spawn(net::awaitable<void> work);
    Why cannot_use(std::string_view why) const;
    /// Where etcd has been silent since then: when that is too long for a node that starts.
    TimePoint latest_start(TimePoint since) const { return (settings_.waits ? clock_.now() : since) + start_patience; }

    // engine_log.cpp
    net::awaitable<void> follow_log();
    net::awaitable<void> catch_up(std::optional<Revision> after);
    net::awaitable<void> start_over(std::optional<Revision> after);
    net::awaitable<bool> begin_empty();
    void restore_empty(Revision at);
    void restore(Log log, Rooms rooms);
    void hear(const std::vector<Event>& events);
    void hear(const Event& event);
    void comes(Revision at, const std::string& node, const std::optional<NodeValue>& value);
    void wants(const KeyValue& key, const std::string& node, const std::optional<NodeValue>& value);
    void goes(Revision at, const std::string& node);
    void apply(const std::string& node, const Submission& submission, const Proposals::Answer& answer);
    void go_down(std::string_view words);
    void is_in(Revision epoch);
    void is_lost();

    // engine_node.cpp
    net::awaitable<void> take_part();
    net::awaitable<void> come_in();
    net::awaitable<bool> has_said_hello();
    net::awaitable<void> propose();
    template <class Condition>
    net::awaitable<std::optional<Asked<TransactionAnswer>>> transact(Transaction transaction, Condition over);
    template <class Condition>
    net::awaitable<void> wait(Clock::Duration longest, Condition over);
    net::awaitable<void> keep_time();
    net::awaitable<void> keep_alive(Lease lease);
    net::awaitable<void> keep_snapshots();
    bool is_snapshot_due() const;
    bool owes() const;
    void mind_silence();
    void tell_how_it_stands();
    void has_come_back();
    template <class Event, class... Values>
    void tell(const Event& event, Values... values) {
        auto told = [event, values...] { app::tell({"server"}, event, values...); };
        if (is_announced_) return told();
        untold_.push_back(std::move(told));
    }
    void has_failed(const Failure& failure) { last_failure_ = failure.words; }

    net::Executor executor_;
    Store& store_;
    Clock& clock_;
    Settings settings_;
    Keys keys_;

    // What has been agreed, and what has been read.
    House house_;
    Revision house_made_ = 0;  // the log begins there
    Log log_;
    bool is_restored_ = false;  // log_ and the rooms are what they were somewhere, at log_.revision()
    bool is_lost_ = false;      // log_ has a hole: nothing can be applied

    // This node's part in it.
    Proposals proposals_;
    Lease lease_ = 0;          // that of our key; 0: none yet
    Hello hello_;              // what we have said with it
    Revision epoch_ = 0;       // of our Hello, when it has come back; 0: we are not among the nodes
    std::int64_t flight_ = 0;  // the version of our key that our batch on its way makes; 0: none is on its way
    std::uint64_t life_ = 0;   // how often we have started over
    bool is_down_ = false;     // our people are out until we are back
    std::optional<TimePoint> name_taken_;  // since when somebody else has our name,
    TimePoint name_seen_;                  // and when that was last seen

    std::size_t unanswered_ = 0;  // transactions of ours that etcd has not answered yet

    // The ids of people: those of this base have not been given by anybody else.
    PersonId person_base_ = 0;
    PersonId last_person_ = 0;
    Revision last_own_ = 0;  // the last entry of ours that has come back

    // What time it is.
    TimePoint last_answer_;     // when etcd has last answered anything
    TimePoint last_event_;      // when something has last come from the log
    TimePoint last_came_back_;  // when something of ours has, or nothing of ours was missing
    bool has_told_silence_ = false;
    unsigned beats_ = 0;
    std::string last_failure_;

    // What has been read since the last snapshot.
    std::size_t batches_ = 0;
    std::size_t bytes_ = 0;

    std::vector<std::function<void()>> untold_;  // until announce()
    bool is_announced_ = false;
    bool is_open_ = false;
    bool is_stopping_ = false;
    bool is_over_ = false;
    std::string why_over_;
    Notify opened_, log_news_, node_news_, tick_, snapshot_news_, farewell_news_;
};

}  // namespace chat::etcd
