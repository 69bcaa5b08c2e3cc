#include "03_acceptor_pool/connection_limit.hpp"

#include "app/events.hpp"

#include <boost/asio.hpp>

namespace pool {

ConnectionLimit::ConnectionLimit(asio::io_context& loop, unsigned max, Overload overload)
    : max_(max), overload_(overload), given_out_(loop, max) {}

net::awaitable<Permit> ConnectionLimit::acquire(app::Who acceptor) {
    if (overload_ == Overload::reject) co_return Permit();
    if (Permit permit = try_acquire()) co_return permit;
    app::tell_seldom(acceptor, app::events::waits_for_free_place, max_);
    const auto [stopped] = co_await given_out_.async_send(boost::system::error_code(), net::outcome);
    co_return stopped ? Permit() : Permit(this);
}

Permit ConnectionLimit::try_acquire() {
    if (max_ == 0 || given_out_.try_send(boost::system::error_code())) return Permit(this);
    return {};
}

void ConnectionLimit::release() {
    if (max_ > 0) given_out_.try_receive([](boost::system::error_code) {});
}

}  // namespace pool
