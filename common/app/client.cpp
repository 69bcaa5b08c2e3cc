#include "app/client.hpp"

#include "app/events.hpp"
#include "app/faults.hpp"

namespace app {

Client::Client(net::Socket socket, Who who) : socket_(std::move(socket)), who_(who) {
    tell_serves(who_, socket_);
}

net::result<std::string_view> Client::recv() {
    tell(who_, events::waits_for_data);
    const auto packet = socket_.recv();
    if (packet) {
        tell_data(who_, *packet);
        faults::obey(*packet);
    }
    return packet;
}

void Client::close() {
    tell_closed(who_, socket_.why_closed());
    socket_.close();
}

}  // namespace app
