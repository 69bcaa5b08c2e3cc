#include "03_acceptor_pool/places.hpp"

#include "app/events.hpp"

#include <boost/asio.hpp>

namespace pool {

Places::Places(asio::io_context& loop, unsigned max, Overload overload)
    : max_(max), overload_(overload), taken_(loop, max) {}

net::awaitable<Place> Places::take_to_accept(app::Who acceptor) {
    if (overload_ == Overload::reject) co_return Place();
    if (Place place = try_take()) co_return place;
    app::tell_seldom(acceptor, app::events::waits_for_free_place, max_);
    const auto [stopped] = co_await taken_.async_send(boost::system::error_code(), net::outcome);
    co_return stopped ? Place() : Place(this);
}

Place Places::try_take() {
    if (max_ == 0 || taken_.try_send(boost::system::error_code())) return Place(this);
    return {};
}

void Places::give_back() {
    if (max_ > 0) taken_.try_receive([](boost::system::error_code) {});
}

}  // namespace pool
