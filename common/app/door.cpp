#include "app/door.hpp"

#include "app/events.hpp"

#include <boost/asio.hpp>

#include <string>
#include <thread>

namespace app {

// The two twins differ in how they wait, and in nothing else.

std::optional<net::Socket> Door::accept() {
    tell_waiting();
    for (;;) {
        auto client = listener_.accept();
        if (client) {
            tell_accepted(*client);
            return std::move(*client);
        }
        tell_failure(client.error());
        if (!net::is_shortage(client.error())) return std::nullopt;
        std::this_thread::sleep_for(shortage_wait);
    }
}

net::awaitable<std::optional<net::AsyncSocket>> Door::async_accept(boost::asio::io_context& loop) {
    tell_waiting();
    for (;;) {
        auto client = co_await listener_.async_accept(loop);
        if (client) {
            tell_accepted(*client);
            co_return std::move(*client);
        }
        tell_failure(client.error());
        if (!net::is_shortage(client.error())) co_return std::nullopt;
        net::Timer shortage(co_await boost::asio::this_coro::executor, shortage_wait);
        co_await shortage.async_wait(net::outcome);
    }
}

void Door::reject(net::SocketBase& client, std::string_view why) const {
    tell_rejected(who_, client, why);
    client.refuse(std::string(why) + ", try again later");
}

void Door::tell_waiting() const {
    if (tells_ == Tells::everything) tell(who_, events::waits_for_client);
}

void Door::tell_accepted(const net::SocketBase& client) const {
    if (tells_ == Tells::everything && story::is_told()) {
        tell(who_, events::got_client_connection, client.peername());
    }
}

void Door::tell_failure(const boost::system::error_code& why) const {
    if (net::is_shortage(why)) {
        tell_seldom(who_, events::cannot_accept, net::reason(why), shortage_wait.count());
    } else if (why != net::Error::stopped) {
        tell(who_, events::accepts_no_more, net::reason(why));
    }
}

}  // namespace app
