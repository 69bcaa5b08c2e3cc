#pragma once

#include "05_chat/link_owner.hpp"
#include "05_chat/rooms_here.hpp"
#include "05_chat/token_bucket.hpp"
#include "app/story.hpp"
#include "net/listener.hpp"

#include <list>
#include <memory>
#include <string>

namespace chat {

/// The door for other C++ nodes: each of them puts its people into our rooms over one link. The loop's thread only.
class LinkServer {
public:
    struct Settings {
        std::string node;  // what we call ourselves
        std::chrono::milliseconds handshake;
        std::size_t max_backlog;
        int rate, burst;  // of each person; a node is read as fast as all its people together may speak
    };

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
    struct Link {
        Link(std::shared_ptr<Wire> wire, link::Owner owner, std::uint64_t number, const Settings& settings)
            : wire(std::move(wire)),
              owner(std::move(owner)),
              who{"link", number},
              bucket(settings.rate, settings.burst),
              pause(this->wire->socket().get_executor()),
              pulse(this->wire->socket().get_executor()) {}

        std::shared_ptr<Wire> wire;
        link::Owner owner;
        app::Who who;
        TokenBucket bucket;
        net::Timer pause;
        net::Timer pulse;
    };

    net::awaitable<void> serve(std::shared_ptr<Link> link);
    net::awaitable<void> keep_time(std::shared_ptr<Link> link);
    net::awaitable<void> hear_out(Link& link);
    /// Does what the frame asks for. Not empty: why the link is to be closed.
    std::string handle(Link& link, std::string_view frame);

    boost::asio::io_context& loop_;
    net::Listener listener_;
    RoomsHere& rooms_;
    Settings settings_;
    Audience audience_;  // all links hear all rooms: one order for everything
    net::Timer shortage_;
    std::list<std::shared_ptr<Link>> links_;
    std::uint64_t last_link_ = 0;
    std::string frame_;  // the line that is appended; kept so that its memory is used again
};

}  // namespace chat
