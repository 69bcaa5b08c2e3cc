#include "targets.hpp"

#include "cases.hpp"

#include <algorithm>
#include <cstdio>

namespace bench {

using Asked = Target::Kind;

namespace {

const std::string naive = "01_naive", threads = "02_thread_per_client", pool = "03_acceptor_pool",
                  supervised = "04_supervised", chat = "05_chat", on_etcd = "05_chat on etcd";

// The same limit in several cases.
void add_costs(std::vector<Target>& to, const std::string& stage, const std::string& server, const std::string& beside,
               double limit, const std::string& group, std::initializer_list<const char*> labels) {
    for (const char* label : labels) to.push_back({stage, group, label, server, Asked::cost, beside, limit});
}

// What `each` says of every round, summed up.
template <typename Each>
Outcome over_rounds(std::size_t rounds, Each each) {
    std::vector<double> values;
    for (std::size_t i = 0; i < rounds; ++i) values.push_back(each(i));
    return {quantile(values, 0.5), quantile(values, 0.25), quantile(values, 0.75)};
}

std::string number(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

}  // namespace

std::vector<Target> all_targets() {
    const std::string ten_thousand = "c10000 64B";
    const double mebi = 1024 * 1024;
    std::vector<Target> all;
    add_costs(all, "01", naive, "raw_blocking", 1.05, "echo", {"c1 64B d1", "c1 64B d16"});
    add_costs(all, "01", naive, "raw_blocking", 1.05, "lines", {"c1 64B d1"});
    all.push_back({"01", "echo", "c1 16K d1", naive, Asked::p99, "", 40'000, "Nagle's 40 ms stay away"});

    add_costs(all, "02", threads, "raw_threads", 1.05, "echo", {"c100 64B d1", "c1000 64B d1"});
    add_costs(all, "02", threads, "raw_threads", 1.05, "lines", {"c100 64B d1", "c1000 64B d1"});
    all.push_back({"02", "idle", ten_thousand, threads, Asked::memory, "", 14'000});

    add_costs(all, "03", pool, "raw_epoll", 1.06, "lines", {"c100 64B d1", "c1000 64B d1"});
    add_costs(all, "03", pool, "raw_epoll", 1.08, "lines", {"c100 64B d16"});
    add_costs(all, "03", pool, "raw_epoll", 1.20, "lines", {"c100 16B d256"});
    add_costs(all, "03", pool, "raw_epoll", 1.05, "echo",
              {"c100 64B d1", "c1000 64B d1", "c100 64B d16", "c100 1K d16", "c100 16K d1"});
    add_costs(all, "03", "03 + observer", "03 --log json", 1.03, "watched", {"c20 64B d1", "c100 64B d1"});
    all.push_back({"03", "idle", ten_thousand, pool, Asked::memory, "", 6'000});
    all.push_back({"03", "idle", ten_thousand, pool, Asked::memory, "", 2'000, "the prize"});
    add_costs(all, "03", pool, "raw_epoll", 1.08, "churn", {"c32 64B"});

    add_costs(all, "04", supervised, pool, 1.03, "lines", {"c100 64B d1", "c1000 64B d1", "c100 64B d16"});
    add_costs(all, "04", supervised, pool, 1.03, "echo", {"c100 64B d1", "c1000 64B d1"});
    all.push_back({"04", "idle", ten_thousand, supervised, Asked::more_memory, pool, 128});
    all.push_back({"04", "faults", "c32 64B, every 10th !throw", "04 --faults", Asked::speed, "03 --faults", 0.9});
    all.push_back({"04", "faults", "c100 64B d1, !abort every second", "04 x 2 + crashes", Asked::speed, "04 x 2", 0.9,
                   "no more than the crashed worker's part for a moment"});

    add_costs(all, "05", chat, "raw_room", 1.10, "chat", {"m10 s1 w1", "m100 s1 w1", "m1000 s1 w1"});
    add_costs(all, "05", chat, "raw_room", 1.6, "chat", {"m10 s4 w16", "m100 s4 w16", "m1000 s4 w16"});
    all.push_back({"05", "chat", "m100 s4 w16 1K, 2 never read", "05_chat 256K + 2 deaf", Asked::growth, "",
                   2.0 * deaf_backlog / mebi, "two of them, 256 KiB each at the most"});
    // What is said to be reached of a room on etcd: with few people and with many, each with one line under way.
    for (const char* label : {"e1 n1 m20 w1", "e1 n1 m200 w1"}) {
        all.push_back({"05", "etcd", label, on_etcd, Asked::rate, "", 10'000});
        all.push_back({"05", "etcd", label, on_etcd, Asked::median, "", 3'000});
        all.push_back({"05", "etcd", label, on_etcd, Asked::p99, "", 15'000});
    }
    for (const char* label : {"e3 n1 m20 w1", "e3 n1 m200 w1"}) {
        all.push_back({"05", "etcd", label, on_etcd, Asked::rate, "", 4'000});
    }
    add_costs(all, "05", on_etcd, "raw_etcd", 1.3, "etcd",
              {"e1 n1 m20 w1", "e1 n1 m20 w16", "e1 n1 m200 w1", "e1 n1 m200 w16"});
    add_costs(all, "05", "05_chat 256K + 2 deaf", "05_chat 256K", 1.05, "chat", {"m100 s4 w16 1K, 2 never read"});
    return all;
}

std::string Outcome::verdict(const Target& target) const {
    const bool at_least = target.kind == Asked::speed || target.kind == Asked::rate;
    const bool met = at_least ? value >= target.limit : value <= target.limit;
    const bool is_close = low < target.limit && target.limit < high;
    return std::string(met ? "met" : "missed") + (is_close ? " by less than the noise" : "");
}

std::optional<Outcome> outcome(const Target& target, const Results& results) {
    const CaseResult* const what = results.find(target.group, target.label);
    const Measured* const ours = what != nullptr ? what->find(target.server) : nullptr;
    const Measured* const other = what != nullptr ? what->find(target.beside) : nullptr;
    if (ours == nullptr || (!target.beside.empty() && other == nullptr)) return {};
    const auto& rounds = ours->rounds;
    const std::size_t count = other != nullptr ? std::min(rounds.size(), other->rounds.size()) : rounds.size();
    return over_rounds(count, [&](std::size_t i) {
        switch (target.kind) {
            case Asked::cost: return cost(*what, rounds[i]) / cost(*what, other->rounds[i]);
            case Asked::speed: return speed(rounds[i]) / speed(other->rounds[i]);
            case Asked::more_memory: return cost(*what, rounds[i]) - cost(*what, other->rounds[i]);
            case Asked::growth: return rounds[i].bytes_grown / (1024 * 1024);
            case Asked::rate: return speed(rounds[i]);
            case Asked::median: return rounds[i].median_us;
            case Asked::p99: return rounds[i].p99_us;
            default: return cost(*what, rounds[i]);
        }
    });
}

std::string asked(const Target& target) {
    switch (target.kind) {
        case Asked::cost: return "CPU at most " + number("%.2f", target.limit) + " × " + target.beside;
        case Asked::speed: return "speed at least " + number("%.2f", target.limit) + " × " + target.beside;
        case Asked::more_memory: return "at most " + number("%.0f", target.limit) + " B more than " + target.beside;
        case Asked::growth: return "grows by at most " + number("%.1f", target.limit) + " MiB";
        case Asked::rate: return number("%.0f", target.limit) + " a second at least";
        case Asked::median: return "half of them within " + number("%.0f", target.limit / 1000) + " ms";
        case Asked::p99: return "99 of 100 within " + number("%.0f", target.limit / 1000) + " ms";
        default: return "at most " + number("%.0f", target.limit) + " B for each client";
    }
}

std::string measured(const Target& target, const Outcome& outcome) {
    switch (target.kind) {
        case Asked::cost:
        case Asked::speed:
            return number("%.2f", outcome.value) + " (" + number("%.2f", outcome.low) + "–" +
                   number("%.2f", outcome.high) + ")";
        case Asked::growth: return number("%.2f MiB", outcome.value);
        case Asked::rate: return number("%.0f", outcome.value);
        case Asked::median:
        case Asked::p99: return number("%.2f ms", outcome.value / 1000);
        default: return number("%.0f B", outcome.value);
    }
}

}  // namespace bench
