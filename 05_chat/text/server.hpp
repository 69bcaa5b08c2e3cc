#pragma once

#include "05_chat/base/door.hpp"
#include "05_chat/base/notify.hpp"
#include "05_chat/text/memory_reserve.hpp"
#include "05_chat/text/session.hpp"
#include "app/door.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace chat {

/// Sessions at a time whose people have given no name yet. One more, and the oldest of them ends: a thousand that say
/// nothing must not shut the door.
inline constexpr std::size_t max_nameless = 250;

/// Descriptors that the text door leaves to links, Erlang nodes and the program itself.
inline constexpr std::size_t reserved_descriptors = 64;

/// The text door: it accepts people, and each of them talks to the backend in a session. The loop's thread only.
class TextServer : public Door {
public:
    /// `backend` and `backlog` must outlive all sessions: until the loop has ended.
    TextServer(boost::asio::io_context& loop, net::Listener listener, Backend& backend, std::string lobby,
               const SessionLimits& limits, Backlog& backlog, std::function<PersonId()> next_person);

    std::string_view name() const override { return door_.who().role; }
    net::awaitable<result<void, Why>> open() override { co_return result<void, Why>(); }
    /// The program's first line says it.
    void announce() override {}
    net::awaitable<void> accept() override;
    /// Our people are put into the new rooms by the rooms themselves: Participant::rejoined.
    void hang_up(std::string_view) override {}
    void tell_who_is_behind() override;
    /// Tells everybody goodbye.
    void stop() override;

    /// Lets nobody in any more. Whoever is here may stay until `patience` is over, and is then told goodbye. `left`:
    /// nobody is here. Once; stop() comes later.
    void retire(std::chrono::milliseconds patience, std::function<void()> left);

    /// Our people by room, a line for each room, for the operator.
    std::string who_is_where() const;

    const net::Listener& listener() const { return listener_; }

private:
    /// Starts a session with a newcomer, or says why not.
    void welcome(net::AsyncSocket socket);
    void look_around();
    void say_goodbye();
    result<void, Why> has_a_place();
    bool make_place(std::size_t nameless_allowed);

    boost::asio::io_context& loop_;
    net::Listener listener_;
    app::Door door_{listener_, {"acceptor"}};
    Backend& backend_;
    std::string lobby_;
    SessionLimits limits_;
    Backlog& backlog_;
    std::function<PersonId()> next_person_;
    Arrivals arrivals_;
    MemoryReserve reserve_;
    net::Timer next_look_;
    std::size_t max_sessions_;
    std::list<std::weak_ptr<Session>> sessions_;
    std::deque<std::weak_ptr<Session>> newcomers_;  // the oldest first; some have come in by now, or have gone
    std::uint64_t last_client_ = 0;
    bool is_stopping_ = false;
    bool is_retired_ = false;
    std::function<void()> left_;  // to be called when nobody is here
    std::optional<Deadline> patience_;
    Notify stopped_;
};

/// What server.cpp shows.
net::awaitable<void> hear_out(Session& session);
net::awaitable<void> serve(std::shared_ptr<Session> session);

}  // namespace chat
