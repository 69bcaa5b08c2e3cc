#pragma once

#include "net/awaitable.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <optional>
#include <string>

namespace chat {

/// Lines of stdin, typed or piped, without holding the loop. The loop's thread only.
class Keyboard {
public:
    explicit Keyboard(boost::asio::io_context& loop);

    /// The next line without its end; nothing at the end of the input.
    net::awaitable<std::optional<std::string>> line();
    /// From now on line() gives nothing, also to a coroutine that waits for one.
    void close();

private:
    boost::asio::posix::basic_stream_descriptor<net::Executor> stdin_;
    std::string typed_;
    bool has_ended_ = false;
};

}  // namespace chat
