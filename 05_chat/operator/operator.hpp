#pragma once

#include "net/awaitable.hpp"
#include "net/listener.hpp"

#include <functional>
#include <string>

namespace chat {

/// Whoever runs this node and tells it what to do: a person, by signals; or, with --workers, a root, whose worker it
/// is. The loop's thread only.
class Operator {
public:
    /// What they may want of the node.
    struct Orders {
        std::function<void()> stop;         ///< end in order
        std::function<void()> retire;       ///< let nobody in any more, and tell nobody_is_left()
        std::function<std::string()> tree;  ///< what runs here, and who is where: lines below something else
    };

    virtual ~Operator() = default;

    /// The text door's listening socket. Once.
    virtual net::Listener listener() = 0;
    /// The node cannot begin: says why, and ends the program.
    [[noreturn]] virtual void fail(const std::string& why) = 0;
    /// The node is what it is to be, and this listener's clients can be let in. Comes back when they may.
    virtual net::awaitable<void> ready(const net::Listener& listener) = 0;
    /// From now on until cancel(), these are carried out; those that have come meanwhile too.
    virtual void obey(Orders orders) = 0;
    virtual void cancel() = 0;
    /// Since retire(), everybody has gone.
    virtual void nobody_is_left() = 0;
    /// With what the program ends that has stopped in order.
    virtual int exit_status() const = 0;
};

}  // namespace chat
