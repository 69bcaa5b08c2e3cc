#include "app/events.hpp"

#include "app/text.hpp"

namespace app {

void tell_rejected(const Who& who, const net::SocketBase& client, std::string_view reason) {
    if (story::is_told()) tell(who, events::rejects_client, client.peername(), reason);
}

void tell_serves(const Who& who, const net::SocketBase& client) {
    if (story::tells_details()) tell(who, events::serves, client.peername());
}

bool tell_crash(const Who& who, const std::exception_ptr& exception) {
    if (exception) tell(who, events::crashed, text::what(exception));
    return exception != nullptr;
}

void tell_closed(const Who& who, const boost::system::error_code& why) {
    if (!why || why == net::Error::closed) {
        tell(who, events::connection_closed);
    } else {
        tell(who, events::connection_lost, net::reason(why));
    }
}

}  // namespace app
