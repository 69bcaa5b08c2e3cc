#pragma once

#include "05_chat/base/backoff.hpp"
#include "05_chat/engine/backend.hpp"
#include "05_chat/erlang/room_connection.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace erlang {

/// How long people who leave wait for the room to send them their own last words.
inline constexpr std::chrono::milliseconds echo_patience{1000};

/// A room on an Erlang node, in which the people of the text door meet. Each of them is a process to it. Its protocol
/// is the original's, so nobody can be asked who is there. The loop's thread only.
class ErlangBackend : public chat::RemoteBackend {
public:
    struct Settings {
        chat::ErlangRoom where;
        Identity identity;
        Bounds bounds;
        bool rejoin;
        std::size_t max_line;
    };

    /// `backlog` must outlive the loop's work.
    ErlangBackend(boost::asio::io_context& loop, chat::Backlog& backlog, Settings settings);

    net::awaitable<chat::result<void, chat::Why>> open() override;
    void stop() override;
    std::string where() const override { return settings_.where.name + "@" + settings_.where.node; }
    std::string first_room() const override { return settings_.where.name; }

    net::awaitable<chat::result<void, chat::Why>> submit(chat::Participant& participant,
                                                         const chat::Submission& submission) override;
    net::awaitable<chat::result<std::string, chat::Why>> ask(chat::Participant& participant,
                                                             const chat::Question& question) override;
    void forget(chat::Participant& participant) override;

private:
    struct Guest {
        Guest(chat::Participant& participant, std::string name, const net::Executor& executor)
            : participant(participant), name(std::move(name)), changed(executor) {}
        chat::Participant& participant;
        std::string name;
        enum class State { asks, asks_again, is_in, is_down, is_out } state = State::asks;
        bool was_in = false;  // they have been told that they are in
        std::string why_out;
        std::string last_said;  // until it has come back
        chat::Notify changed;   // for whoever waits for one of these
    };
    using State = Guest::State;
    /// A coroutine that waits for one of them keeps it: they may be forgotten meanwhile.
    using GuestPtr = std::shared_ptr<Guest>;

    net::awaitable<chat::result<void, chat::Why>> carry_out(chat::Participant& participant, const std::string& room,
                                                            const chat::Join& request);
    net::awaitable<chat::result<void, chat::Why>> carry_out(chat::Participant& participant, const std::string& room,
                                                            const chat::Say& request);
    net::awaitable<chat::result<void, chat::Why>> carry_out(chat::Participant& participant, const std::string& room,
                                                            const chat::Leave& request);
    net::awaitable<void> hear_out(GuestPtr guest);
    GuestPtr guest_of(chat::PersonId person) const;
    net::awaitable<void> come_back();
    void let_in(Guest& guest);
    void let_out(Guest& guest, const std::string& why);
    void room_down(Guest& guest);

    boost::asio::io_context& loop_;
    Settings settings_;
    RoomConnection connection_;
    net::Timer again_;
    chat::Backoff backoff_;
    Clock::time_point opened_{};
    bool is_stopping_ = false;
    std::unordered_map<chat::PersonId, GuestPtr> guests_;
};

}  // namespace erlang
