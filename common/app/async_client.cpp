#include "app/async_client.hpp"

#include "app/events.hpp"

#include <boost/asio.hpp>

namespace app {

net::awaitable<net::result<net::Packets>> AsyncClient::recv_all_and_tell() {
    tell(who_, events::waits_for_data);
    const auto packets = co_await socket_.recv_all();
    if (!packets) co_return packets.error();
    const story::Batch told_together;
    for (const auto packet : *packets) {
        tell_data(who_, packet);
        faults::obey(packet);
    }
    co_return *packets;
}

net::awaitable<void> AsyncClient::close() {
    tell_closed(who_, socket_.why_closed());
    return socket_.close();
}

}  // namespace app
