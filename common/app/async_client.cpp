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

net::awaitable<void> AsyncClient::close() {
    tell_closed(who_, socket_.why_closed());
    return socket_.close();
}

}  // namespace app
