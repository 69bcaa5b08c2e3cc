#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace observer {

/// What the page asks for.
class Pictures {
public:
    virtual ~Pictures() = default;
    /// The present picture, as JSON. Of a recording: the one so many microseconds after its beginning.
    virtual std::shared_ptr<const std::string> now() = 0;
    virtual std::shared_ptr<const std::string> at(std::int64_t after) = 0;
    /// Differs where now() does, but for the clock.
    virtual std::uint64_t version() const = 0;
};

/// A web server for one page, on loopback: GET only, and only for those who name it as a host of this computer does, so
/// that no page of another site can read along. All pages see the same pictures; one that is slow gets its next picture
/// when the last one has been written, and one that is closed costs nothing. The loop's thread.
class Web {
public:
    /// The pictures outlive it. `host` is another name by which it may be called.
    Web(boost::asio::io_context& loop, boost::asio::ip::tcp::acceptor acceptor, std::string host, Pictures& pictures);
    ~Web();
    Web(const Web&) = delete;
    Web& operator=(const Web&) = delete;

    /// How many connections there may be at once.
    static constexpr int most_connections = 64;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace observer
