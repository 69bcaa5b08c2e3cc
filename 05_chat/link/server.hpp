#pragma once

#include "05_chat/base/door.hpp"
#include "05_chat/base/lag.hpp"
#include "05_chat/base/token_bucket.hpp"
#include "05_chat/engine/room_service.hpp"
#include "05_chat/link/host.hpp"
#include "app/door.hpp"

#include <list>
#include <memory>
#include <optional>
#include <string>

namespace chat {

/// The door for other C++ nodes: each of them puts its people into our rooms over one link. Without a secret it takes
/// links from this computer only. The loop's thread only.
class LinkServer : public Door {
public:
    struct Settings {
        link::Self self;
        std::chrono::milliseconds handshake;
        int rate, burst;         // of each person; NodePace says for how many a node is read
        std::size_t max_people;  // of each node
    };

    /// Links at a time. More are refused.
    static constexpr std::size_t max_links = 100;
    /// How long a node that could not introduce itself waits for the reason. So long it does not try again.
    static constexpr std::chrono::milliseconds stranger_pause{1000};
    /// How long such a node has to read the reason.
    static constexpr std::chrono::milliseconds farewell{1000};

    /// `rooms` and `backlog` must outlive all links: until the loop has ended.
    LinkServer(boost::asio::io_context& loop, net::Listener listener, RoomService& rooms, Backlog& backlog,
               Settings settings);

    std::string_view name() const override { return door_.who().role; }
    net::awaitable<result<void, Why>> open() override { co_return result<void, Why>(); }
    void announce() override;
    net::awaitable<void> accept() override;
    void hang_up(std::string_view why) override;
    void tell_who_is_behind() override;
    void stop() override;

private:
    using Clock = link::Clock;
    struct Link {
        Link(std::shared_ptr<Writer> writer, link::Host host, std::uint64_t number, const Settings& settings)
            : writer(std::move(writer)),
              host(std::move(host)),
              who{"link", number},
              bucket(settings.rate, settings.burst),
              joins(joins_per_second, joins_per_second),
              pause(this->writer->socket().executor()),
              pulse(this->writer->socket().executor()) {}

        std::shared_ptr<Writer> writer;
        link::Host host;
        app::Who who;
        TokenBucket bucket;  // for what its people say and ask
        TokenBucket joins;
        net::Timer pause;
        net::Timer pulse;
        Lag lag;
        std::optional<Why> refused;  // why we end it, where we do
        bool is_over = false;
    };

    net::awaitable<void> serve(std::shared_ptr<Link> link);
    net::awaitable<void> keep_time(std::shared_ptr<Link> link);
    net::awaitable<void> hear_out(Link& link);
    /// Does what the frame asks for. Returns how long to wait before the next one is read, or why the link is to be
    /// closed.
    net::awaitable<result<Clock::duration, Why>> handle(Link& link, std::string_view frame);
    net::awaitable<void> carry_out(Link& link, const std::monostate& nothing);
    net::awaitable<void> carry_out(Link& link, const link::Host::Wanted& wanted);
    net::awaitable<void> carry_out(Link& link, const link::Host::Asked& asked);
    void welcome(net::AsyncSocket socket);
    bool is_welcome(const net::AsyncSocket& socket) const;
    net::awaitable<void> introduced(Link& link);
    net::awaitable<void> farewell_of(Link& link);

    boost::asio::io_context& loop_;
    net::Listener listener_;
    app::Door door_{listener_, {"links"}, app::Door::Tells::shortages};
    RoomService& rooms_;
    Backlog& backlog_;
    Settings settings_;
    Subscribers subscribers_;
    std::list<std::shared_ptr<Link>> links_;
    std::uint64_t last_link_ = 0;
    std::string frame_;  // the line that is appended; kept so that its memory is used again
};

}  // namespace chat
