#pragma once

#include "app/story.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <optional>
#include <string_view>

namespace app {

/// How long whoever accepts waits when the system is short of descriptors or memory. Without a wait it would try
/// millions of times a second, and take from those who could end the shortage.
inline constexpr std::chrono::milliseconds shortage_wait{100};

/// Where clients come in: a listening socket, and who accepts there. Several doors may share one socket, and then each
/// client comes in at one of them.
class Door {
public:
    /// What the acceptor tells: all it does, or nothing but shortages, where others tell the rest in their own words.
    enum class Tells { everything, shortages };

    /// The listener is the caller's, and outlives the door.
    Door(net::Listener& listener, Who who, Tells tells = Tells::everything)
        : listener_(listener), who_(who), tells_(tells) {}

    /// The next client. Nothing once the listener was stopped or closed, or the system has failed it; then tells why.
    /// Where the system is short of something, says so, waits `shortage_wait`, and tries again; meanwhile the client
    /// stays in the backlog.
    std::optional<net::Socket> accept();

    /// The same for a coroutine in the listener's loop; the socket belongs to `loop`.
    net::awaitable<std::optional<net::AsyncSocket>> async_accept(boost::asio::io_context& loop);

    /// Closes a client that was accepted and is not served: tells why, and in line mode says so to it.
    void reject(net::SocketBase& client, std::string_view why) const;

    Who who() const { return who_; }

private:
    void tell_waiting() const;
    void tell_accepted(const net::SocketBase& client) const;
    void tell_failure(const boost::system::error_code& why) const;

    net::Listener& listener_;
    Who who_;
    Tells tells_;
};

}  // namespace app
