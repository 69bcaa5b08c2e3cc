#pragma once

#include "05_chat/engine/etcd/gateway.hpp"
#include "support/etcd.hpp"

#include <boost/asio.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#define SKIP_WITHOUT_ETCD() \
    if (!support::Etcd::is_there()) GTEST_SKIP() << "no etcd is installed (Debian: etcd-server)"

/// What the tests of the gateway to etcd share.
namespace etcd_tests {

namespace asio = boost::asio;
using namespace chat::etcd;
using namespace std::chrono_literals;
using support::Etcd;
using support::patience;
using Clock = std::chrono::steady_clock;

/// A loop, and a gateway whose questions are asked one after the other.
class Asker {
public:
    Asker() = default;
    explicit Asker(const std::string& urls, const TlsFiles& files = {}) { reach(urls, files); }
    /// Before anything is asked.
    void reach(const std::string& urls, const TlsFiles& files = {}) {
        auto made = Gateway::make(loop_.get_executor(), *chat::parse_etcd_urls(urls), files);
        if (!made) throw support::Failure(made.error().words);
        gateway_ = std::move(*made);
    }
    ~Asker() {
        gateway_->stop();
        run_until([] { return false; }, 1s);
    }

    asio::io_context& loop() { return loop_; }
    Gateway& gateway() { return *gateway_; }

    template <class T>
    T wait(net::awaitable<T> question, std::chrono::milliseconds within = patience()) {
        std::optional<T> answer;
        asio::co_spawn(loop_, std::move(question), [&](const std::exception_ptr& crash, T given) {
            if (crash) std::rethrow_exception(crash);
            answer.emplace(std::move(given));
        });
        if (!run_until([&] { return answer.has_value(); }, within)) throw support::Failure("no answer");
        return std::move(*answer);
    }
    /// False: it does not come within that time.
    bool run_until(const std::function<bool()>& is_over, std::chrono::milliseconds within = patience()) {
        const auto end = Clock::now() + within;
        loop_.restart();
        while (!is_over()) {
            if (loop_.run_one_until(end) == 0) return is_over();
        }
        return true;
    }

    bool create(const std::string& key, const std::string& value, Lease lease = 0) {
        const auto answer =
            wait(gateway_->transact({{{Condition::About::created, key, 0}}, {Write{key, value, lease}}}));
        EXPECT_TRUE(answer.has_value()) << answer.error().words;
        return answer && answer->succeeded;
    }
    Revision put(const std::string& key, const std::string& value) {
        const auto answer = wait(gateway_->transact({{}, {Write{key, value}}}));
        EXPECT_TRUE(answer.has_value()) << answer.error().words;
        return answer ? answer->revision : 0;
    }

    bool keeps(Lease lease) {
        const auto answer = wait(gateway_->keep_alive(lease));
        EXPECT_TRUE(answer.has_value()) << answer.error().words;
        return answer && *answer;
    }

    struct Watching {
        std::vector<std::vector<Event>> told;
        std::optional<Failure> over;
        std::string values() const {
            std::string all;
            for (const auto& events : told) {
                for (const Event& event : events) {
                    all += event.kind == Event::Kind::removed ? "-" + event.key_value.key : event.key_value.value;
                    all += ' ';
                }
            }
            return all;
        }
    };
    std::shared_ptr<Watching> watch(const std::string& prefix, Revision from) {
        auto watching = std::make_shared<Watching>();
        const auto hear = [watching](std::vector<Event> events) { watching->told.push_back(std::move(events)); };
        asio::co_spawn(loop_, gateway_->watch(prefix, from, hear),
                       [watching](const std::exception_ptr& crash, Failure failure) {
                           if (crash) std::rethrow_exception(crash);
                           watching->over = std::move(failure);
                       });
        return watching;
    }

private:
    asio::io_context loop_{1};
    std::unique_ptr<Gateway> gateway_;
};

/// Why there is no answer; nothing where there is one.
std::string failure_of(const auto& answer) {
    return answer ? "" : answer.error().words;
}

}  // namespace etcd_tests
