#include "05_chat/engine/etcd/engine.hpp"

#include "05_chat/engine/etcd/snapshots.hpp"
#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>

#include <memory>
#include <sstream>
#include <utility>

namespace chat::etcd {

namespace asio = boost::asio;
namespace events = app::events;

namespace {

/// What every node would refuse, whatever came before. It need not be ordered; and what is ordered is always UTF-8.
std::optional<Refusal> refused_at_once(const Submission& submission, const Limits& limits) {
    if (const auto wrong = check_name(submission.room)) {
        return std::holds_alternative<Join>(submission.request) ? *wrong : Refusal::not_here;
    }
    if (const auto* join = std::get_if<Join>(&submission.request)) return check_name(join->name);
    if (const auto* say = std::get_if<Say>(&submission.request)) {
        if (say->text.size() > limits.max_line) return Refusal::text_too_long;
        if (!app::text::is_utf8(say->text)) return Refusal::text_not_utf8;
    }
    return std::nullopt;
}

/// What is not as this node's options say.
std::string differences(const House& house, const House& ours) {
    std::string all;
    const auto compare = [&all](std::string_view name, const auto& theirs, const auto& own) {
        if (theirs == own) return;
        std::ostringstream one;
        one << (all.empty() ? "" : ", ") << name << ' ' << theirs;
        all += one.str();
    };
    compare("lobby", house.lobby, ours.lobby);
    compare("max-line", house.limits.max_line, ours.limits.max_line);
    compare("history", house.limits.history, ours.limits.history);
    compare("max-people", house.limits.max_people, ours.limits.max_people);
    compare("max-rooms", house.limits.max_rooms, ours.limits.max_rooms);
    compare("bytes of history", house.limits.history_bytes, ours.limits.history_bytes);
    return all;
}

}  // namespace

EtcdEngine::EtcdEngine(const net::Executor& executor, Store& store, Clock& clock, Settings settings)
    : executor_(executor),
      store_(store),
      clock_(clock),
      settings_(std::move(settings)),
      keys_(settings_.prefix),
      opened_(executor),
      log_news_(executor),
      node_news_(executor),
      tick_(executor),
      snapshot_news_(executor),
      farewell_news_(executor) {}

void EtcdEngine::spawn(net::awaitable<void> work) {
    asio::co_spawn(executor_, std::move(work), [this](const std::exception_ptr& crash) {
        if (app::tell_crash({"server"}, crash)) give_up("the engine has crashed: " + app::text::what(crash));
    });
}

Why EtcdEngine::cannot_use(std::string_view why) const {
    return because("cannot use " + settings_.etcd + ": " + std::string(why));
}

// ---- the beginning --------------------------------------------------------------------------------------------------

net::awaitable<result<void, Why>> EtcdEngine::open() {
    last_answer_ = last_event_ = last_came_back_ = clock_.now();
    auto agreed = co_await agree_on_house();
    if (!agreed) {
        end();
        co_return agreed;
    }
    spawn(follow_log());
    spawn(take_part());
    spawn(keep_time());
    spawn(keep_snapshots());
    while (epoch_ == 0 && !is_over_) {
        co_await clock_.sleep_until(latest_start(last_answer_), opened_);
        if (epoch_ == 0 && clock_.now() >= latest_start(last_answer_)) give_up(last_failure_);
    }
    if (is_over_) co_return cannot_use(why_over_);
    is_open_ = true;
    co_return result<void, Why>();
}

/// Whoever is first writes down what is to be; everybody, also the first, takes what stands there then.
net::awaitable<result<void, Why>> EtcdEngine::agree_on_house() {
    const House ours{house_version, settings_.limits, settings_.lobby};
    const Transaction make{{{Condition::About::created, keys_.house(), 0}}, {Write{keys_.house(), encode(ours)}}};
    const auto begin = clock_.now();
    for (;;) {
        const auto found = co_await read_key(store_, keys_.house());
        if (found && *found) {
            if (auto wrong = adopt(**found)) co_return std::move(*wrong);
            co_return result<void, Why>();
        }
        std::optional<Failure> failure;
        if (found) {
            const auto answer = co_await store_.transact(make);
            if (answer) continue;
            failure = answer.error();
        } else {
            failure = found.error();
        }
        if (failure->kind != Failure::Kind::no_answer || clock_.now() >= latest_start(begin))
            co_return cannot_use(failure->words);
        has_failed(*failure);
        mind_silence();
        co_await clock_.sleep_until(clock_.now() + between_tries, opened_);
        if (is_stopping_) co_return cannot_use("stopped");
    }
}

std::optional<Why> EtcdEngine::adopt(const KeyValue& found) {
    const auto house = decode_house(found.value);
    if (!house) return cannot_use("what stands below " + keys_.house() + " is not ours");
    if (house->version != house_version) {
        return cannot_use("the nodes below " + settings_.prefix + "/ speak version " + std::to_string(house->version) +
                          ", this one speaks " + std::to_string(house_version));
    }
    house_ = *house;
    house_made_ = found.created;
    const House ours{house_version, settings_.limits, settings_.lobby};
    if (const auto differing = differences(house_, ours); !differing.empty()) tell(events::adopts_house, differing);
    last_answer_ = clock_.now();
    return std::nullopt;
}

void EtcdEngine::announce() {
    is_announced_ = true;
    for (const auto& told : std::exchange(untold_, {})) told();
}

// ---- what the doors ask ---------------------------------------------------------------------------------------------

/// Whoever waits is resumed by the answer itself, within apply(): a notification would come when the next request has
/// been applied.
net::awaitable<Outcome> EtcdEngine::submit(const Submission& submission) {
    if (is_over_) co_return Refusal::not_here;
    if (const auto wrong = refused_at_once(submission, house_.limits)) co_return *wrong;
    Submission wanted = submission;
    if (auto* leave = std::get_if<Leave>(&wanted.request); leave != nullptr && !app::text::is_utf8(leave->why)) {
        leave->why.clear();
    }
    auto wait_for_answer = [this, &wanted](auto resume) {
        const auto waiting = std::make_shared<decltype(resume)>(std::move(resume));  // std::function copies
        proposals_.add(std::move(wanted), [waiting](const std::exception_ptr& thrown, Outcome outcome) {
            std::move (*waiting)(thrown, std::move(outcome));
        });
        node_news_.notify();
    };
    auto [thrown, outcome] = co_await asio::async_initiate<decltype(net::outcome), void(std::exception_ptr, Outcome)>(
        wait_for_answer, net::outcome);
    if (thrown) std::rethrow_exception(thrown);
    co_return std::move(outcome);
}

/// The revision of an entry that is ours is nobody else's.
PersonId EtcdEngine::next_person() {
    constexpr int bits = 24;
    constexpr PersonId most = (PersonId(1) << bits) - 1;
    if (last_person_ == most) {
        person_base_ = static_cast<PersonId>(last_own_);
        last_person_ = 0;
    }
    return person_base_ << bits | ++last_person_;
}

std::string_view EtcdEngine::home_of(PersonId person) const {
    const auto found = log_.homes().find(person);
    return found == log_.homes().end() ? std::string_view() : found->second.node;
}

// ---- the end --------------------------------------------------------------------------------------------------------

void EtcdEngine::stop() {
    if (std::exchange(is_stopping_, true) || is_over_) return;
    spawn(say_goodbye());
}

net::awaitable<void> EtcdEngine::say_goodbye() {
    const auto begin = clock_.now();
    while (!is_over_ && clock_.now() < begin + last_words_time) {
        co_await clock_.sleep_until(begin + last_words_time, farewell_news_);
    }
    while (!is_over_ && !proposals_.is_empty() && clock_.now() < begin + last_order_time) {
        co_await clock_.sleep_until(begin + last_order_time, farewell_news_);
    }
    if (is_over_) co_return;
    is_over_ = true;
    why_over_ = "stopped";
    proposals_.refuse_all(Refusal::not_here);
    if (lease_ != 0) {
        spawn(revoke(lease_));
        const auto until = clock_.now() + revoke_time;
        while (lease_ != 0 && clock_.now() < until) co_await clock_.sleep_until(until, farewell_news_);
    }
    end();
}

net::awaitable<void> EtcdEngine::revoke(Lease lease) {
    co_await store_.revoke(lease);
    if (lease == lease_) lease_ = 0;
    farewell_news_.notify();
}

/// There is no going on. While open() is under way, it says so; later, the program does.
void EtcdEngine::give_up(const std::string& why) {
    if (is_over_) return;
    why_over_ = why;
    end();
    if (is_open_ && settings_.give_up) settings_.give_up(why);
}

void EtcdEngine::end() {
    is_over_ = true;
    store_.stop();
    proposals_.refuse_all(Refusal::not_here);
    for (Notify* each : {&opened_, &log_news_, &node_news_, &tick_, &snapshot_news_, &farewell_news_}) each->notify();
}

}  // namespace chat::etcd
