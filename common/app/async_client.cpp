#include "app/async_client.hpp"

#include "app/events.hpp"

#include <boost/asio.hpp>

#include <algorithm>

namespace app {

AsyncClient::AsyncClient(net::AsyncSocket socket, Who who) : socket_(std::move(socket)), who_(who) {
    tell_serves(who_, socket_);
}

net::awaitable<net::result<net::Packets>> AsyncClient::recv_all_and_tell() {
    if (rest_.empty()) {
        co_await tell_if_peer_does_not_read();
        tell(who_, events::waits_for_data);
        const auto packets = co_await socket_.recv_all();
        if (!packets) co_return packets.error();
        rest_ = *packets;
    }
    if (faults::may_be_command(rest_.front()))
        co_await socket_.flush();  // where that fails, the next recv_all() says so
    const auto next_fault = std::find_if(rest_.begin() + 1, rest_.end(), faults::may_be_command);
    const net::Packets before(rest_.begin(), next_fault);
    rest_ = rest_.subspan(before.size());
    const story::Batch told_together;
    for (const auto packet : before) {
        tell_data(who_, packet);
        faults::obey(packet);
    }
    co_return before;
}

/// Only where programs read the story: recv_all() sends by itself, and waits in silence.
net::awaitable<void> AsyncClient::tell_if_peer_does_not_read() {
    if (!story::tells_details() || socket_.send_now()) co_return;
    tell_detail(who_, events::waits_for_peer, socket_.unsent());
    co_await socket_.flush();  // where that fails, the next recv_all() says so
}

net::awaitable<void> AsyncClient::close() {
    tell_closed(who_, socket_.why_closed());
    return socket_.close();
}

}  // namespace app
