#pragma once

#include "05_chat/base/backoff.hpp"
#include "05_chat/link/guest.hpp"
#include "05_chat/text/backend.hpp"
#include "net/socket.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace chat {

/// How long one of our people waits for the owner's answer.
inline constexpr std::chrono::seconds answer_patience = link::gone_after;

/// The rooms of another C++ node: all our people are in them over one link. The loop's thread only.
class LinkVenue : public Venue {
public:
    struct Settings {
        link::Self self;
        std::string host;  // where the owner is
        std::uint16_t port;
        bool rejoin;
        std::chrono::milliseconds handshake;
        std::size_t max_backlog;
        std::size_t max_line;
    };

    LinkVenue(boost::asio::io_context& loop, Settings settings);

    /// Links with the owner; comes back when it has said hello, or that has been tried once: why it failed, or nothing.
    /// What follows (the link itself, and rejoining) goes on by itself until stop().
    net::awaitable<std::string> start();
    void stop();

    net::awaitable<std::string> submit(Visitor& visitor, const Submission& submission) override;
    net::awaitable<std::string> ask(Visitor& visitor, const Question& wanted) override;
    void forget(Visitor& visitor) override;

private:
    // Somebody waits for an answer from the owner: answer_patience at most.
    struct Pending {
        explicit Pending(net::Executor executor) : signal(executor) {}
        Signal signal;
        std::optional<std::string> answer;
        void give(std::string text) {
            answer = std::move(text);
            signal.wake();
        }
    };
    net::awaitable<std::string> answer_of(Pending& pending);

    net::awaitable<net::result<std::shared_ptr<Wire>>> connect();
    net::awaitable<void> stay_linked(std::shared_ptr<Wire> wire);
    net::awaitable<void> follow(std::shared_ptr<Wire> wire);
    net::awaitable<void> keep_time(std::shared_ptr<Wire> wire);
    net::awaitable<std::string> question(std::string room);
    void send() {
        if (wire_) wire_->add(guest_.take_output());
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
    Audiences audiences_;
    std::shared_ptr<Wire> wire_;  // the link; null while there is none
    Signal first_word_;           // the owner's, for start()
    std::string why_lost_;        // the last link
    bool has_started_ = false;    // until then start() says what there is to say
    net::Timer pulse_;
    net::Timer again_;
    Backoff backoff_;
    bool is_stopping_ = false;
    std::unordered_map<PersonId, Visitor*> visitors_;
    std::map<PersonId, Pending*> entering_;
    std::map<link::Stay, Pending*> questions_;
};

}  // namespace chat
