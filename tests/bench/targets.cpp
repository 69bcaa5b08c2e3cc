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
    add_costs(all, "01", naive, "raw_blocking", 1.03, "echo", {"c1 64B d1", "c1 64B d16"});
    add_costs(all, "01", naive, "raw_blocking", 1.03, "lines", {"c1 64B d1"});
    all.push_back({"01", "echo", "c1 16K d1", naive, Asked::p99, "", 40'000, "Nagle's 40 ms stay away"});

    add_costs(all, "02", threads, "raw_threads", 1.05, "echo", {"c100 64B d1", "c1000 64B d1"});
    add_costs(all, "02", threads, "raw_threads", 1.05, "lines", {"c100 64B d1", "c1000 64B d1"});
    all.push_back({"02", "idle", ten_thousand, threads, Asked::memory, "", 11'000});

    add_costs(all, "03", pool, "raw_epoll", 1.05, "lines", {"c100 64B d1", "c1000 64B d1"});
    add_costs(all, "03", pool, "raw_epoll", 1.06, "lines", {"c100 64B d16"});
    add_costs(all, "03", pool, "raw_epoll", 1.15, "lines", {"c100 16B d256"});
    add_costs(all, "03", pool, "raw_epoll", 1.05, "echo",
              {"c100 64B d1", "c1000 64B d1", "c100 64B d16", "c100 1K d16", "c100 16K d1"});
    add_costs(all, "03", "03 + observer", "03 --log json", 1.03, "watched", {"c20 64B d1", "c100 64B d1"});
    all.push_back({"03", "idle", ten_thousand, pool, Asked::memory, "", 1'900});
    add_costs(all, "03", pool, "raw_epoll", 1.05, "churn", {"c32 64B"});

    add_costs(all, "04", supervised, pool, 1.02, "lines", {"c100 64B d1", "c1000 64B d1", "c100 64B d16"});
    add_costs(all, "04", supervised, pool, 1.02, "echo", {"c100 64B d1", "c1000 64B d1"});
    all.push_back({"04", "idle", ten_thousand, supervised, Asked::more_memory, pool, 128});
    all.push_back({"04", "faults", "c32 64B, every 10th !throw", "04 --faults", Asked::speed, "03 --faults", 0.9});
    all.push_back({"04", "faults", "c100 64B d1, !abort every second", "04 x 2 + crashes", Asked::speed, "04 x 2", 0.9,
                   "no more than the crashed worker's part for a moment"});

    add_costs(all, "05", chat, "raw_room", 1.05, "chat", {"m10 s1 w1", "m100 s1 w1", "m1000 s1 w1"});
    add_costs(all, "05", chat, "raw_room", 1.4, "chat", {"m10 s4 w16"});
    add_costs(all, "05", chat, "raw_room", 1.2, "chat", {"m100 s4 w16"});
    add_costs(all, "05", chat, "raw_room", 1.05, "chat", {"m1000 s4 w16"});
    all.push_back({"05", "chat", "m100 s4 w16 1K, 2 never read", "05_chat 256K + 2 deaf", Asked::growth, "",
                   2.0 * deaf_backlog / mebi, "two of them, 256 KiB each at the most"});
    // The tutorials that the stages come from, and what else one might take.
    add_costs(all, "02", threads, "Elixir", 0.4, "lines", {"c100 64B d1"});
    add_costs(all, "03", pool, "Elixir", 0.4, "lines", {"c100 64B d1", "c100 64B d16"});
    add_costs(all, "04", supervised, "Elixir", 0.4, "lines", {"c100 64B d1", "c100 64B d16"});
    add_costs(all, "05", chat, "Elixir room", 0.4, "chat", {"m100 s1 w1", "m100 s4 w16"});
    add_costs(all, "05", chat, "redis pub/sub", 1, "chat", {"m100 s1 w1", "m100 s4 w16"});
    add_costs(all, "05", chat, "nats-server", 1, "chat", {"m100 s1 w1"});
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
    std::stable_sort(all.begin(), all.end(), [](const Target& a, const Target& b) { return a.stage < b.stage; });
    return all;
}

std::optional<Interval> outcome(const Target& target, const CaseResult& what) {
    const Measured* const ours = what.find(target.server);
    const Measured* const other = what.find(target.beside);
    if (ours == nullptr || (!target.beside.empty() && other == nullptr)) return {};
    const auto each = [&](std::size_t i) {
        const Report& round = ours->rounds[i];
        switch (target.kind) {
            case Asked::cost: return cost(what, round) / cost(what, other->rounds[i]);
            case Asked::speed: return speed(round) / speed(other->rounds[i]);
            case Asked::more_memory: return cost(what, round) - cost(what, other->rounds[i]);
            case Asked::growth: return round.bytes_grown / (1024 * 1024);
            case Asked::rate: return speed(round);
            case Asked::median: return round.median_us;
            case Asked::p99: return round.p99_us;
            default: return cost(what, round);
        }
    };
    const std::size_t rounds =
        other != nullptr ? std::min(ours->rounds.size(), other->rounds.size()) : ours->rounds.size();
    std::vector<double> values;
    for (std::size_t i = 0; i < rounds; ++i) values.push_back(each(i));
    return Interval::of(values);
}

std::optional<Interval> outcome(const Target& target, const Results& results) {
    const CaseResult* const what = results.find(target.group, target.label);
    return what != nullptr ? outcome(target, *what) : std::nullopt;
}

bool is_decided(const Target& target, const Interval& outcome) {
    return is_decided(outcome, target.limit);
}

std::string_view verdict(const Target& target, const Interval& outcome) {
    if (!is_decided(target, outcome)) return could_not_tell;
    const bool at_least = target.kind == Asked::speed || target.kind == Asked::rate;
    const bool met = at_least ? outcome.median >= target.limit : outcome.median <= target.limit;
    return met ? "met" : "missed";
}

std::string_view verdict(const Target& target, const Interval& outcome, const Results& results) {
    const std::string_view told = verdict(target, outcome);
    const CaseResult* const what = results.find(target.group, target.label);
    if (told != could_not_tell || target.kind != Asked::cost || what == nullptr) return told;
    const Measured* const ours = what->find(target.server);
    const Measured* const other = what->find(target.beside);
    if (ours == nullptr || other == nullptr || !ours->counts || !other->counts) return told;
    const auto allowed = [&](double Counts::* count) {
        const double mine = (*ours->counts).*count;
        const double its = (*other->counts).*count;
        return mine >= 0 && its >= 0 && mine <= target.limit * its;
    };
    return allowed(&Counts::system_calls) && allowed(&Counts::instructions) ? "met, as counted" : told;
}

std::vector<std::string> undecided(const CaseResult& what, const std::string& server,
                                   const std::vector<std::string>& sticks) {
    std::vector<std::string> others;
    const Measured* const ours = what.find(server);
    if (ours == nullptr) return others;
    for (const std::string& name : sticks) {
        const Measured* const stick = what.find(name);
        if (stick != nullptr && !is_decided(ratio(costs(what, *ours), costs(what, *stick)))) others.push_back(name);
    }
    for (const Target& target : all_targets()) {
        if (target.server != server || target.group != what.group || target.label != what.label) continue;
        const auto found = outcome(target, what);
        if (found && !is_decided(target, *found)) others.push_back(target.beside.empty() ? server : target.beside);
    }
    return others;
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

std::string measured(const Target& target, const Interval& outcome) {
    switch (target.kind) {
        case Asked::cost:
        case Asked::speed:
            return number("%.2f", outcome.median) + " (" + number("%.2f", outcome.low) + "–" +
                   number("%.2f", outcome.high) + ")";
        case Asked::growth: return number("%.2f MiB", outcome.median);
        case Asked::rate: return number("%.0f", outcome.median);
        case Asked::median:
        case Asked::p99: return number("%.2f ms", outcome.median / 1000);
        default: return number("%.0f B", outcome.median);
    }
}

}  // namespace bench
