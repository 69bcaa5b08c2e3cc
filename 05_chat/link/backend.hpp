#pragma once

#include "05_chat/base/backoff.hpp"
#include "05_chat/engine/backend.hpp"
#include "05_chat/link/guest.hpp"
#include "net/async_socket.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

namespace chat {

/// How long one of our people waits for the host's answer.
inline constexpr std::chrono::seconds answer_patience = link::gone_after;

/// The rooms of another C++ node. All our people are in them over one link. The loop's thread only.
class LinkBackend : public RemoteBackend {
public:
    struct Settings {
        link::Self self;
        std::string host;  // where the host is
        std::uint16_t port;
        bool rejoin;
        std::chrono::milliseconds handshake;
        std::size_t max_line;
    };

    /// `backlog` must outlive the loop's work.
    LinkBackend(boost::asio::io_context& loop, Backlog& backlog, Settings settings);

    net::awaitable<result<void, Why>> open() override;
    void stop() override;
    std::string where() const override { return net::host_and_port(settings_.host, settings_.port); }
    std::string first_room() const override { return std::string(lobby); }

    net::awaitable<result<void, Why>> submit(Participant& participant, const Submission& submission) override;
    net::awaitable<result<std::string, Why>> ask(Participant& participant, const Question& wanted) override;
    void forget(Participant& participant) override;

private:
    // Somebody waits for an answer from the host, for answer_patience at most.
    template <class Answer>
    struct Pending {
        explicit Pending(const net::Executor& executor) : answered(executor) {}
        Notify answered;
        std::optional<result<Answer, Why>> answer;
        /// The first answer counts.
        void give(result<Answer, Why> given) {
            if (answer) return;
            answer = std::move(given);
            answered.notify();
        }
    };
    /// Whoever waits keeps it, too: either may be gone before the other.
    template <class Answer>
    using PendingPtr = std::shared_ptr<Pending<Answer>>;
    template <class Answer>
    net::awaitable<result<Answer, Why>> answer_of(PendingPtr<Answer> pending);

    net::awaitable<net::result<std::shared_ptr<Writer>>> connect();
    net::awaitable<void> stay_linked(std::shared_ptr<Writer> writer);
    net::awaitable<void> follow(std::shared_ptr<Writer> writer);
    net::awaitable<void> hear_out(Writer& writer);
    net::awaitable<void> keep_time(std::shared_ptr<Writer> writer);
    net::awaitable<result<std::string, Why>> question(std::string room);
    net::awaitable<result<void, Why>> carry_out(Participant& participant, const std::string& room, const Join& request);
    net::awaitable<result<void, Why>> carry_out(Participant& participant, const std::string& room, const Say& request);
    net::awaitable<result<void, Why>> carry_out(Participant& participant, const std::string& room,
                                                const Leave& request);
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
    Backlog& backlog_;
    Settings settings_;
    link::Guest guest_;
    Subscribers subscribers_;              // our people, by their rooms' folded names
    std::string text_;                     // the line that is appended; kept so that its memory is used again
    std::shared_ptr<Writer> writer_;       // the link; null while there is none
    Notify first_word_;                    // the host's, for open()
    std::optional<std::string> why_lost_;  // the last link, where one was
    bool has_started_ = false;             // until then open() says what there is to say
    net::Timer pulse_;
    net::Timer again_;
    Backoff backoff_;
    bool is_stopping_ = false;
    std::unordered_map<PersonId, Participant*> participants_;
    std::map<PersonId, PendingPtr<void>> entering_;
    std::map<link::Stay, PendingPtr<std::string>> questions_;
};

}  // namespace chat
