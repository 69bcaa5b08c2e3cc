#pragma once

#include "05_chat/base/token_bucket.hpp"
#include "05_chat/engine/rooms_here.hpp"
#include "05_chat/link/host.hpp"
#include "app/story.hpp"
#include "net/listener.hpp"

#include <list>
#include <memory>
#include <string>

namespace chat {

/// The door for other C++ nodes: each of them puts its people into our rooms over one link. Without a secret it takes
/// links from this computer only. The loop's thread only.
class LinkServer {
public:
    struct Settings {
        link::Self self;
        std::chrono::milliseconds handshake;
        std::size_t max_backlog;
        int rate, burst;         // of each person; link::Host::pace says for how many a node is read
        std::size_t max_people;  // of each node
    };

    /// Links at a time; more are refused.
    static constexpr std::size_t max_links = 100;
    /// People of one node who come in, a second, and at once: so many that a node that comes back is soon complete.
    static constexpr int joins_per_second = 100;
    /// How long a node that could not introduce itself is kept waiting for the reason: so long it cannot try again.
    static constexpr std::chrono::milliseconds stranger_pause{1000};
    /// And how long any node has to read why its link ends.
    static constexpr std::chrono::milliseconds farewell{1000};

    /// `rooms` must outlive all links: until the loop has ended.
    LinkServer(boost::asio::io_context& loop, net::Listener listener, RoomsHere& rooms, Settings settings);

    /// Lets other nodes in, until stop().
    net::awaitable<void> accept();
    /// Lets go of all links.
    void hang_up(const std::string& why);
    /// And of the port.
    void stop();
    const net::Listener& listener() const { return listener_; }

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
        std::string why_refused;  // why we end it; empty where we do not
        bool is_over = false;
    };

    net::awaitable<void> serve(std::shared_ptr<Link> link);
    net::awaitable<void> keep_time(std::shared_ptr<Link> link);
    net::awaitable<void> hear_out(Link& link);
    /// Does what the frame asks for: how long to wait before the next one is read; or why the link is to be closed.
    boost::system::result<Clock::duration, std::string> handle(Link& link, std::string_view frame);
    bool is_welcome(const net::AsyncSocket& socket) const;
    void introduced(Link& link);
    void farewell_of(Link& link);

    boost::asio::io_context& loop_;
    net::Listener listener_;
    RoomsHere& rooms_;
    Settings settings_;
    Subscribers subscribers_;  // all links hear all rooms: one order for everything
    net::Timer shortage_;
    std::list<std::shared_ptr<Link>> links_;
    std::uint64_t last_link_ = 0;
    std::string frame_;  // the line that is appended; kept so that its memory is used again
};

}  // namespace chat
