#pragma once

#include "05_chat/base/door.hpp"
#include "05_chat/base/lag.hpp"
#include "05_chat/base/node_pace.hpp"
#include "05_chat/base/token_bucket.hpp"
#include "05_chat/engine/room_service.hpp"
#include "05_chat/erlang/dist/epmd_client.hpp"
#include "05_chat/erlang/dist/peer.hpp"
#include "05_chat/erlang/room_process.hpp"
#include "app/door.hpp"

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace erlang {

/// How long the door rests after a wrong cookie, so that nobody can try many a second; and how long at most after many
/// of them. A BEAM waits 7 s for our part of the handshake.
inline constexpr std::chrono::milliseconds rest_after_wrong_cookie{100};
inline constexpr std::chrono::milliseconds longest_rest{5000};

/// The door for Erlang and Elixir nodes: to them our program is a node, and the lobby a process on it. The loop's
/// thread only.
class Node : public chat::Door {
public:
    struct Settings {
        Identity identity;
        bool is_cookie_typed;    // with --cookie: it is not where theirs look for one
        std::string registered;  // the lobby's name as a process
        Bounds bounds;
        int rate, burst;  // of each person; NodePace says for how many a node is read
    };

    /// Connections at a time. More are refused.
    static constexpr std::size_t max_connections = 100;

    /// `rooms` and `backlog` must outlive all connections: until the loop has ended.
    Node(boost::asio::io_context& loop, net::Listener listener, chat::RoomService& rooms, chat::Backlog& backlog,
         Settings settings);

    std::string_view name() const override { return door_.who().role; }
    /// Makes us known to epmd, if there is one.
    net::awaitable<chat::result<void, chat::Why>> open() override;
    /// Tells what a person types in iex to join. From now on known to epmd whenever there is one.
    void announce() override;
    net::awaitable<void> accept() override;
    void hang_up(std::string_view why) override;
    void tell_who_is_behind() override;
    void stop() override;

private:
    struct Guest {
        Guest(std::uint64_t number, const Settings& settings)
            : who{"node", number},
              bucket(settings.rate, settings.burst),
              joins(chat::joins_per_second, chat::joins_per_second) {}

        app::Who who;
        chat::TokenBucket bucket;  // for what its people say
        chat::TokenBucket joins;
        chat::NodePace pace;
        chat::Lag lag;
        std::shared_ptr<Peer> peer;
        std::optional<RoomProcess> room;  // while it is up
        bool is_over = false;
    };

    void tell_how_to_join() const;
    net::awaitable<void> rest();
    void welcome(net::AsyncSocket socket);
    /// What is done with each event, and how long to wait after it. A new kind of event needs a handler here.
    net::awaitable<Clock::duration> handle(Guest& guest, Event& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const NameGiven& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const Up& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const Message& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const Monitored& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const Down& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const ExitSignal& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const Ignored& event);
    net::awaitable<Clock::duration> handle(Guest& guest, const Closed& event);
    net::awaitable<chat::Outcome> submit(chat::Request request, app::Who by);  // to the lobby
    void flush();

    boost::asio::io_context& loop_;
    net::Listener listener_;
    app::Door door_{listener_, {"nodes"}, app::Door::Tells::shortages};
    chat::RoomService& rooms_;
    chat::Backlog& backlog_;
    Settings settings_;
    ProcessTable processes_;
    Pid room_;  // the lobby
    chat::SharedLog records_;
    chat::Backlog::Part kept_;  // what the log of records keeps
    chat::Coalesced flush_;
    EpmdRegistration registration_;
    net::Timer rest_;
    Clock::time_point rests_until_;
    std::list<std::shared_ptr<Guest>> guests_;
    std::map<std::string, Guest*, std::less<>> connected_;  // by the node's name
    std::uint64_t last_guest_ = 0;
    std::string record_;  // the line that is appended; kept so that its memory is used again
};

}  // namespace erlang
