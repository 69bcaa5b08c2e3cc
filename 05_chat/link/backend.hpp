#pragma once

#include "05_chat/base/backoff.hpp"
#include "05_chat/link/guest.hpp"
#include "05_chat/text/backend.hpp"
#include "net/async_socket.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace chat {

/// How long one of our people waits for the host's answer.
inline constexpr std::chrono::seconds answer_patience = link::gone_after;

/// The rooms of another C++ node: all our people are in them over one link. The loop's thread only.
class LinkBackend : public Backend {
public:
    struct Settings {
        link::Self self;
        std::string host;  // where the host is
        std::uint16_t port;
        bool rejoin;
        std::chrono::milliseconds handshake;
        std::size_t max_backlog;
        std::size_t max_line;
    };

    LinkBackend(boost::asio::io_context& loop, Settings settings);

    /// Links with the host; comes back when it has said hello, or that has been tried once: why it failed, or nothing.
    /// What follows (the link itself, and rejoining) goes on by itself until stop().
    net::awaitable<std::string> start();
    void stop();

    net::awaitable<std::string> submit(Participant& participant, const Submission& submission) override;
    net::awaitable<std::string> ask(Participant& participant, const Question& wanted) override;
    void forget(Participant& participant) override;

private:
    // Somebody waits for an answer from the host: answer_patience at most.
    struct Pending {
        explicit Pending(net::Executor executor) : signal(executor) {}
        Notify signal;
        std::optional<std::string> answer;
        void give(std::string text) {
            answer = std::move(text);
            signal.wake();
        }
    };
    net::awaitable<std::string> answer_of(Pending& pending);

    net::awaitable<net::result<std::shared_ptr<Writer>>> connect();
    net::awaitable<void> stay_linked(std::shared_ptr<Writer> writer);
    net::awaitable<void> follow(std::shared_ptr<Writer> writer);
    net::awaitable<void> keep_time(std::shared_ptr<Writer> writer);
    net::awaitable<std::string> question(std::string room);
    void send() {
        if (writer_) writer_->add(guest_.take_output());
    }
    void handle_events();
    void handle(link::Guest::IsIn&& event);
    void handle(link::Guest::IsRefused&& event);
    void handle(link::Guest::IsPast&& event);
    void handle(link::Guest::IsSpoken&& event);
    void handle(link::Guest::IsAnswered&& event);
    void handle(link::Guest::IsDown&& event);

    boost::asio::io_context& loop_;
    Settings settings_;
    link::Guest guest_;
    SubscribersByRoom subscribers_;
    std::shared_ptr<Writer> writer_;  // the link; null while there is none
    Notify first_word_;               // the host's, for start()
    std::string why_lost_;            // the last link
    bool has_started_ = false;        // until then start() says what there is to say
    net::Timer pulse_;
    net::Timer again_;
    Backoff backoff_;
    bool is_stopping_ = false;
    std::unordered_map<PersonId, Participant*> participants_;
    std::map<PersonId, Pending*> entering_;
    std::map<link::Stay, Pending*> questions_;
};

}  // namespace chat
