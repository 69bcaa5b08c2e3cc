#pragma once

#include "05_chat/engine/etcd/http.hpp"
#include "05_chat/engine/etcd/store.hpp"

#include <chrono>
#include <list>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace chat::etcd {

/// A real etcd, asked through the gateway that each of its members has: JSON over HTTP. The loop's thread only.
///
/// All members answer the same. One is asked until it fails: then it is the next one's turn, for whatever is asked from
/// then on. A question that may have reached a member is not asked again, for nobody knows what came of it; one for
/// which nobody could be reached is tried at all members, again and again, as long as its patience lasts.
class Gateway : public Store {
public:
    /// `members`: at least one. The error: a file of TLS's that is no good.
    static result<std::unique_ptr<Gateway>, Why> make(const net::Executor& executor, std::vector<EtcdUrl> members,
                                                      const TlsFiles& files);

    net::awaitable<Asked<TransactionAnswer>> transact(Transaction transaction) override;
    net::awaitable<Asked<RangeAnswer>> range(std::string prefix) override;
    net::awaitable<Asked<Lease>> grant(std::chrono::seconds time_to_live) override;
    net::awaitable<Asked<bool>> keep_alive(Lease lease) override;
    net::awaitable<Asked<void>> revoke(Lease lease) override;
    net::awaitable<Failure> watch(std::string prefix, Revision from, OnEvents on_events) override;
    void distrust_watch() override { next_member(turn_); }
    net::awaitable<Asked<void>> compact(Revision revision) override;
    void stop() override;

    /// How long one question may take, with all that it needs. A lease needs an answer before it ends, perhaps from the
    /// next member.
    static constexpr std::chrono::milliseconds patience{2000};
    static constexpr std::chrono::milliseconds connect_patience{1000};
    static constexpr std::chrono::milliseconds shortest_attempt{250};
    static constexpr std::chrono::milliseconds lease_patience{1000};
    /// Keys of one answer. range() asks until it has all of them, and for no more bytes than this together.
    static constexpr std::size_t page = 16;
    static constexpr std::size_t max_range = 256 << 20;
    /// Between attempts, once every member has failed: twice as long each time, up to a bound; and up to twice that, by
    /// chance, so that not all nodes ask at one moment.
    static constexpr std::chrono::milliseconds first_pause{20};
    static constexpr std::chrono::milliseconds longest_pause{320};
    /// Between the beginnings of two watches at least.
    static constexpr std::chrono::milliseconds watch_pause{100};
    /// Connections that wait for the next question.
    static constexpr std::size_t max_idle = 4;

private:
    using Clock = std::chrono::steady_clock;
    /// How often the member to ask has changed: its place in members_ follows from that.
    using Turn = std::size_t;
    struct Line {
        Connection connection;
        Turn turn;  // when it was connected
    };
    using LinePtr = std::shared_ptr<Line>;
    class InUse;

    Gateway(net::Executor executor, std::vector<EtcdUrl> members, std::unique_ptr<Tls> tls);

    template <class Answer>
    net::awaitable<Asked<Answer>> ask(std::string_view path, std::string question, Clock::duration within,
                                      result<Answer, Why> (*read)(std::string_view));
    net::awaitable<Asked<LinePtr>> take(Clock::time_point until);
    net::awaitable<void> pause(Clock::duration time);
    net::awaitable<Failure> follow(LinePtr line, std::string prefix, Revision from, OnEvents on_events);

    std::string words(const Line& line, const std::string& why) const;
    Failure no_answer(const Line& line, const Why& why);
    Failure refused(const Line& line, const HttpAnswer& answer);
    void next_member(Turn failed);

    net::Executor executor_;
    std::vector<EtcdUrl> members_;
    std::unique_ptr<Tls> tls_;
    Turn turn_ = 0;
    std::size_t failures_ = 0;  // since somebody has answered
    std::list<LinePtr> idle_;
    // What stop() ends.
    std::set<Line*> in_use_;
    std::set<Line*> watches_;  // those of in_use_ that are over when their member's turn is
    std::set<net::Timer*> pauses_;
    Clock::time_point watched_;  // when the last watch began
    std::mt19937 chance_{std::random_device()()};
    bool is_stopped_ = false;
};

}  // namespace chat::etcd
