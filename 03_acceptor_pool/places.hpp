#pragma once

#include "app/story.hpp"
#include "net/awaitable.hpp"

#include <boost/asio/experimental/concurrent_channel.hpp>

#include <optional>
#include <utility>

namespace pool {

namespace asio = boost::asio;

/// What happens to a client above the limit.
enum class Overload {
    queue,   ///< it is not accepted until another leaves; meanwhile the kernel keeps it in the backlog
    reject,  ///< it is accepted, told so, and closed
};

class Places;

/// The right to serve one client; given back when it is destroyed. May be empty: no right.
class Place {
public:
    Place() = default;
    Place(Place&& other) noexcept : places_(std::exchange(other.places_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
        std::swap(places_, other.places_);
        return *this;
    }
    ~Place();

    explicit operator bool() const { return places_ != nullptr; }

private:
    friend Places;
    explicit Place(Places* places) : places_(places) {}
    Places* places_ = nullptr;
};

/// How many clients may be served at once: a hard limit, over any number of acceptors and loops. Any thread.
class Places {
public:
    /// 0: no limit.
    Places(asio::io_context& loop, unsigned max, Overload overload);

    /// Before accepting. Where clients queue: waits for a free place; empty when stop() was called. Where they are
    /// rejected: empty, at once, since a place that is taken while nobody comes would be missed by somebody.
    net::awaitable<Place> take_to_accept(app::Who acceptor);

    /// A free place, or an empty one where there is none.
    Place try_take();

    /// Nobody waits any longer. In the acceptors' thread.
    void stop() {
        taken_.cancel();  // first: close() leaves those who wait to send where they are, for ever
        taken_.close();
    }

private:
    friend Place;
    void give_back();

    unsigned max_;
    Overload overload_;
    // A channel with room for `max` messages, one for each place that is taken: sending waits where it is full.
    asio::experimental::concurrent_channel<net::Executor, void(boost::system::error_code)> taken_;
};

inline Place::~Place() {
    if (places_ != nullptr) places_->give_back();
}

}  // namespace pool
