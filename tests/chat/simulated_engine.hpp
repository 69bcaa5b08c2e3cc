#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/engine/engine.hpp"

#include <boost/asio.hpp>

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

/// An engine for several nodes, in memory and in virtual time. The nodes and the log that orders their requests talk
/// over a network that delays what is sent, lets it overtake, repeats and loses it. Everything follows from the seed.
namespace simulated {

/// Time, chance and the network.
class World {
public:
    using Milliseconds = std::uint64_t;

    explicit World(std::uint64_t seed) : random_(seed) {}

    const net::Executor executor() { return loop_.get_executor(); }
    Milliseconds now() const { return now_; }
    /// One of 0 … sides - 1. Not std::uniform_int_distribution: a seed means the same run with every library.
    std::uint64_t roll(std::uint64_t sides) { return random_() % sides; }

    void after(Milliseconds delay, std::function<void()> action) { events_.emplace(now_ + delay, std::move(action)); }
    net::awaitable<void> sleep(Milliseconds delay) {
        chat::Notify over(executor());
        after(delay, [&over] { over.notify(); });
        co_await over.notified();
    }
    /// `arrives` happens at the receiver: later, perhaps twice, perhaps never.
    void send(const std::function<void()>& arrives) {
        const auto chance = roll(10);
        const int copies = chance < 2 ? 0 : chance < 4 ? 2 : 1;
        for (int copy = 0; copy < copies; ++copy) after(1 + roll(30), arrives);
    }
    /// Whatever can go on at this moment does.
    void settle() {
        loop_.restart();
        loop_.poll();
    }
    /// Until `is_over`; false: it is not, after so many events.
    bool run(const std::function<bool()>& is_over, int most = 100'000) {
        for (settle(); !is_over(); settle()) {
            if (--most < 0 || events_.empty()) return false;
            const auto next = events_.extract(events_.begin());
            now_ = next.key();
            next.mapped()();
        }
        return true;
    }

private:
    boost::asio::io_context loop_{1};
    std::mt19937_64 random_;
    Milliseconds now_ = 0;
    std::multimap<Milliseconds, std::function<void()>> events_;
};

/// The order of everything. A node numbers its requests, and sends each until it has come back in the log; so one that
/// comes a second time, or late, must not get a second place.
struct Log {
    struct Entry {
        std::size_t node;
        std::uint64_t number;
        chat::Submission submission;
    };
    std::vector<Entry> entries;
    std::map<std::size_t, std::uint64_t> last_number;  // by node
    bool takes_repeats = false;                        // the mistake that the check must find

    void propose(Entry entry) {
        if (!takes_repeats && entry.number != last_number[entry.node] + 1) return;
        last_number[entry.node] = entry.number;
        entries.push_back(std::move(entry));
    }
};

class Engine : public chat::Engine {
public:
    Engine(World& world, Log& log, std::size_t node) : world_(world), log_(log), node_(node) { read(); }

    net::awaitable<chat::result<void, chat::Why>> open() override { co_return chat::result<void, chat::Why>(); }
    void stop() override {}
    net::awaitable<chat::Outcome> submit(const chat::Submission& submission) override {
        Waiting waiting{submission, chat::Notify(world_.executor()), {}};
        waiting_.push_back(&waiting);
        if (waiting_.size() == 1) propose();
        while (!waiting.outcome) co_await waiting.answered.notified();
        co_return std::move(*waiting.outcome);
    }
    chat::PersonId next_person() override { return (node_ + 1) << 24 | ++last_person_; }

    std::size_t next() const { return next_; }

private:
    struct Waiting {
        const chat::Submission& submission;
        chat::Notify answered;
        std::optional<chat::Outcome> outcome;
    };
    static constexpr World::Milliseconds patience = 50;

    /// Sends what has waited longest, and again until it has come back.
    void propose() {
        if (waiting_.empty()) return;
        world_.send([this, entry = Log::Entry{node_, number_, waiting_.front()->submission}] { log_.propose(entry); });
        world_.after(patience, [this, number = number_] {
            if (number == number_) propose();
        });
    }
    /// Asks the log for what comes next, again and again.
    void read() {
        world_.send([this, from = next_] {
            for (std::size_t at = from; at < log_.entries.size() && at < from + 3; ++at) {
                world_.send([this, at] { receive(at); });
            }
        });
        world_.after(patience / 2, [this] { read(); });
    }
    /// What the rooms have heard before goes to them again: a node that has been away cannot know.
    void receive(std::size_t at) {
        if (at > next_) return;
        const Log::Entry entry = log_.entries[at];
        auto outcome = replica_->apply(at + 1, entry.submission);
        if (at < next_) return;
        ++next_;
        if (entry.node != node_ || entry.number != number_) return;
        ++number_;
        Waiting& waiting = *waiting_.front();
        waiting_.pop_front();
        waiting.outcome = std::move(outcome);
        waiting.answered.notify();
        world_.settle();  // whoever waited goes on before the next request is applied
        propose();
    }

    World& world_;
    Log& log_;
    std::size_t node_;
    std::size_t next_ = 0;      // the first entry that has not been applied
    std::uint64_t number_ = 1;  // of the front of waiting_
    std::deque<Waiting*> waiting_;
    std::uint64_t last_person_ = 0;
};

}  // namespace simulated
