#include "05_chat/engine/etcd/gateway.hpp"

#include "05_chat/engine/etcd/gateway_json.hpp"
#include "app/text.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <utility>

namespace chat::etcd {

namespace {

constexpr unsigned http_ok = 200;

/// Bytes of what is no etcd's answer that are shown.
constexpr std::size_t max_shown = 60;

Failure stopped() {
    return {Failure::Kind::stopped, "we have stopped"};
}

result<bool, Why> read_nothing(std::string_view text) {
    const auto header = json::read_transaction(text);
    if (!header) return header.error();
    return true;
}

template <class Answer>
Asked<void> without(const Asked<Answer>& answer) {
    if (!answer) return answer.error();
    return {};
}

}  // namespace

/// A connection as long as something is asked over it.
class Gateway::InUse {
public:
    InUse(std::set<Line*>& all, Line& line) : all_(all), line_(line) { all_.insert(&line_); }
    ~InUse() { all_.erase(&line_); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

private:
    std::set<Line*>& all_;
    Line& line_;
};

result<std::unique_ptr<Gateway>, Why> Gateway::make(const net::Executor& executor, std::vector<EtcdUrl> members,
                                                    const TlsFiles& files) {
    const bool is_secure = std::any_of(members.begin(), members.end(), [](const auto& url) { return url.is_secure; });
    std::unique_ptr<Tls> tls;
    if (is_secure) {
        auto made = Tls::make(files);
        if (!made) return made.error();
        tls = std::move(*made);
    }
    return std::unique_ptr<Gateway>(new Gateway(executor, std::move(members), std::move(tls)));
}

Gateway::Gateway(net::Executor executor, std::vector<EtcdUrl> members, std::unique_ptr<Tls> tls)
    : executor_(std::move(executor)), members_(std::move(members)), tls_(std::move(tls)) {}

void Gateway::stop() {
    is_stopped_ = true;
    idle_.clear();
    for (Line* const line : in_use_) line->connection.close("we have stopped");
    for (net::Timer* const timer : pauses_) timer->cancel();
}

// ---- whom to ask ----------------------------------------------------------------------------------------------------

/// A connection to the member whose turn it is.
net::awaitable<Asked<Gateway::LinePtr>> Gateway::take(Clock::time_point until) {
    std::optional<Failure> failure;
    for (;;) {
        if (is_stopped_) co_return stopped();
        if (!idle_.empty()) {
            auto line = std::move(idle_.front());
            idle_.pop_front();
            co_return line;
        }
        // An attempt that is over before it can succeed would hide why the others have failed.
        if (failure && Clock::now() + shortest_attempt > until) co_return *failure;
        if (const auto rounds = failures_ / members_.size(); rounds > 0) {
            const auto doubled = std::min(first_pause * (1 << std::min<std::size_t>(rounds - 1, 10)), longest_pause);
            const auto by_chance = doubled * static_cast<int>(chance_() % 100) / 100;
            co_await pause(std::min<Clock::duration>(doubled + by_chance, (until - Clock::now()) / 2));
            if (is_stopped_) co_return stopped();
        }
        const EtcdUrl& url = members_[turn_ % members_.size()];
        const auto line =
            std::make_shared<Line>(Connection(executor_, url, url.is_secure ? tls_.get() : nullptr), turn_);
        const InUse in_use(in_use_, *line);
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
        const auto connected = co_await line->connection.connect(std::min(left, connect_patience));
        if (is_stopped_) co_return stopped();
        if (connected) co_return line;
        failure = no_answer(*line, connected.error());
    }
}

net::awaitable<void> Gateway::pause(Clock::duration time) {
    net::Timer timer(executor_, time);
    pauses_.insert(&timer);
    co_await timer.async_wait(net::outcome);
    pauses_.erase(&timer);
}

/// This member has failed: the next one is asked, and watched. Does nothing where that has happened meanwhile.
void Gateway::next_member(Turn failed) {
    if (failed != turn_) return;
    ++turn_;
    idle_.clear();
    for (Line* const line : watches_) line->connection.close("it is not trusted any more");
}

/// Which member says so, where there are several.
std::string Gateway::words(const Line& line, const std::string& why) const {
    return members_.size() == 1 ? why : line.connection.url().text + ": " + why;
}

Failure Gateway::no_answer(const Line& line, const Why& why) {
    if (line.turn == turn_) ++failures_;
    next_member(line.turn);
    return {Failure::Kind::no_answer, words(line, why.words)};
}

/// An answer whose status is not 200.
Failure Gateway::refused(const Line& line, const HttpAnswer& answer) {
    const auto said = json::read_refusal(answer.body);
    if (!said) {
        return no_answer(line, because("what answers there is no etcd: HTTP " + std::to_string(answer.status) + " " +
                                       app::text::visible(answer.body, max_shown)));
    }
    if (said->kind == Failure::Kind::no_answer) return no_answer(line, because(said->words));
    failures_ = 0;
    return {said->kind, words(line, said->words)};
}

// ---- questions ------------------------------------------------------------------------------------------------------

template <class Answer>
net::awaitable<Asked<Answer>> Gateway::ask(std::string_view path, std::string question, Clock::duration within,
                                           result<Answer, Why> (*read)(std::string_view)) {
    const auto until = Clock::now() + within;
    const auto taken = co_await take(until);
    if (!taken) co_return taken.error();
    const LinePtr& line = *taken;
    const InUse in_use(in_use_, *line);
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    const Deadline deadline(executor_, left, [&line] { line->connection.close("it does not answer"); });
    const auto answer = co_await line->connection.post("/v3/" + std::string(path), std::move(question));
    if (is_stopped_) co_return stopped();
    if (!answer) co_return no_answer(*line, answer.error());
    if (line->connection.is_reusable() && line->turn == turn_ && idle_.size() < max_idle) idle_.push_front(line);
    if (answer->status != http_ok) co_return refused(*line, *answer);
    auto understood = read(answer->body);
    if (!understood) co_return no_answer(*line, understood.error());
    failures_ = 0;
    co_return std::move(*understood);
}

net::awaitable<Asked<TransactionAnswer>> Gateway::transact(Transaction transaction) {
    return ask("kv/txn", json::write(transaction), patience, json::read_transaction);
}

net::awaitable<Asked<RangeAnswer>> Gateway::range(std::string prefix) {
    const std::string end = json::end_of_prefix(prefix);
    RangeAnswer all{{}, 0};
    std::size_t bytes = 0;
    for (std::string first = prefix;;) {
        auto next =
            co_await ask("kv/range", json::write_range(first, end, page, all.revision), patience, json::read_range);
        if (!next) co_return next.error();
        // The first page is of now, and so are all others: nothing that happens meanwhile comes between.
        if (all.revision == 0) all.revision = next->revision;
        for (auto& key : next->keys) {
            bytes += key.key.size() + key.value.size();
            all.keys.push_back(std::move(key));
        }
        if (bytes > max_range) {
            co_return Failure{Failure::Kind::refused, "there are more than " + std::to_string(max_range) +
                                                          " bytes below " + app::text::visible(prefix, max_shown)};
        }
        if (!next->has_more) co_return all;
        first = all.keys.back().key + '\0';
    }
}

net::awaitable<Asked<Lease>> Gateway::grant(std::chrono::seconds time_to_live) {
    return ask("lease/grant", json::write_grant(time_to_live), patience, json::read_grant);
}

net::awaitable<Asked<bool>> Gateway::keep_alive(Lease lease) {
    return ask("lease/keepalive", json::write_lease(lease), lease_patience, json::read_keep_alive);
}

net::awaitable<Asked<void>> Gateway::revoke(Lease lease) {
    const auto answer = co_await ask("lease/revoke", json::write_lease(lease), lease_patience, read_nothing);
    const bool was_over =
        !answer && answer.error().kind == Failure::Kind::refused && answer.error().words.ends_with("lease not found");
    if (was_over) co_return Asked<void>();
    co_return without(answer);
}

net::awaitable<Asked<void>> Gateway::compact(Revision revision) {
    const auto answer = co_await ask("kv/compaction", json::write_compaction(revision), patience, read_nothing);
    // Another node has done it, or we have and did not hear of it.
    if (!answer && answer.error().kind == Failure::Kind::compacted) co_return Asked<void>();
    co_return without(answer);
}

// ---- the watch ------------------------------------------------------------------------------------------------------

net::awaitable<Failure> Gateway::watch(std::string prefix, Revision from, OnEvents on_events) {
    if (const auto since = Clock::now() - watched_; since < watch_pause) co_await pause(watch_pause - since);
    const auto taken = co_await take(Clock::now() + patience);
    if (!taken) co_return taken.error();
    watched_ = Clock::now();
    co_return co_await follow(*taken, std::move(prefix), from, std::move(on_events));
}

net::awaitable<Failure> Gateway::follow(LinePtr line, std::string prefix, Revision from, OnEvents on_events) {
    const InUse in_use(in_use_, *line);
    const InUse is_watch(watches_, *line);
    Connection& connection = line->connection;
    std::optional<Deadline> deadline;
    deadline.emplace(executor_, patience, [&connection] { connection.close("it does not answer"); });
    const auto answer = co_await connection.open_stream("/v3/watch", json::write_watch(prefix, from));
    if (is_stopped_) co_return stopped();
    if (!answer) co_return no_answer(*line, answer.error());
    if (answer->status != http_ok) co_return refused(*line, *answer);
    std::vector<Event> events;
    for (;;) {
        const auto text = co_await connection.next_line();
        if (is_stopped_) co_return stopped();
        if (!text) co_return no_answer(*line, text.error());
        if (!*text) co_return no_answer(*line, because("it has ended the watch"));
        auto said = json::read_watch(**text);
        if (!said) co_return no_answer(*line, said.error());
        if (said->is_over && said->is_over->kind == Failure::Kind::no_answer) {
            co_return no_answer(*line, because(said->is_over->words));
        }
        if (said->is_over) co_return *said->is_over;
        deadline.reset();  // its first line says that it watches
        std::move(said->events.begin(), said->events.end(), std::back_inserter(events));
        if (events.empty()) continue;
        // What belongs to one revision is told together, so its part waits for the rest.
        std::vector<Event> rest;
        if (said->goes_on) {
            const auto is_of_last = [last = events.back().key_value.modified](const Event& event) {
                return event.key_value.modified == last;
            };
            const auto first = std::find_if(events.begin(), events.end(), is_of_last);
            rest.assign(std::move_iterator(first), std::move_iterator(events.end()));
            events.erase(first, events.end());
        }
        if (!events.empty())
            on_events(std::exchange(events, std::move(rest)));
        else
            events = std::move(rest);
    }
}

}  // namespace chat::etcd
