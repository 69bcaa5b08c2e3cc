#pragma once

#include "05_chat/base/notify.hpp"
#include "05_chat/base/why.hpp"
#include "net/async_socket.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace erlang {

/// How long epmd may take for an answer, and how long we wait before we look again for one that was away.
inline constexpr std::chrono::milliseconds epmd_patience{1000};

/// Asks the epmd of `host` where the node `name` (without @host) listens. The error says why nobody knows.
net::awaitable<chat::result<std::uint16_t, chat::Why>> find_node(boost::asio::io_context& loop, std::string host,
                                                                 std::string name);

/// Keeps a node known to this machine's epmd, which knows it as long as the connection to it lives. An epmd that comes
/// back is told again. The loop's thread only.
class EpmdRegistration {
public:
    /// `name` is without @host. Others are told that the node listens on `port`.
    EpmdRegistration(boost::asio::io_context& loop, std::string name, std::uint16_t port);

    enum class Outcome { known, unknown, name_taken };
    /// The first try.
    net::awaitable<Outcome> try_once();
    /// After try_once(). Stays known, or becomes known when epmd comes. Goes on by itself until stop().
    void start();
    void stop();

private:
    net::awaitable<void> stay_known();
    net::awaitable<void> stay_connected();

    boost::asio::io_context& loop_;
    std::string name_;
    std::uint16_t port_;
    std::optional<net::AsyncSocket> connection_;  // epmd forgets us when it is closed
    std::string why_unknown_;                     // what came of the last try
    net::Timer again_;
    bool is_stopping_ = false;
};

}  // namespace erlang
