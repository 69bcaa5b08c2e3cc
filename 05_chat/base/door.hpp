#pragma once

#include "05_chat/base/why.hpp"
#include "net/awaitable.hpp"

#include <string_view>

namespace chat {

/// A way into the rooms: for people at a telnet (text/), for other C++ nodes (link/), for Erlang nodes (erlang/). The
/// program keeps a list of them and knows no more of each than this. Each has a port of its own, which is listened on
/// when the door is made. The loop's thread only.
class Door {
public:
    Door() = default;
    virtual ~Door() = default;
    Door(const Door&) = delete;
    Door& operator=(const Door&) = delete;

    /// How the story and the tree call it. A literal.
    virtual std::string_view name() const = 0;
    /// Makes itself known where others look for it. The error is the program's last line.
    virtual net::awaitable<result<void, Why>> open() = 0;
    /// Tells people how to find it. Once, after the program's first line.
    virtual void announce() = 0;
    /// Lets people in, until stop(). After an exception it may be called again.
    virtual net::awaitable<void> accept() = 0;
    /// The rooms have begun anew: lets go of those whom this door has brought into them.
    virtual void hang_up(std::string_view why) = 0;
    /// Tells in the story, in JSON only, how far those whom this door has brought in are behind, where that has
    /// changed.
    virtual void tell_who_is_behind() = 0;
    /// Lets go of its port and of everybody. May be called twice.
    virtual void stop() = 0;
};

}  // namespace chat
