#pragma once

#include "05_chat/base/why.hpp"
#include "net/awaitable.hpp"
#include "net/listener.hpp"

#include <cstdlib>
#include <functional>
#include <string>
#include <utility>

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
    /// Why the program is about to end, and not because it was told to. They have heard it when this comes back.
    virtual void last_words(const std::string& why) = 0;
    [[noreturn]] void fail(const std::string& why) {
        last_words(why);
        std::exit(EXIT_FAILURE);
    }
    /// The value; or the program ends.
    template <class Value>
    Value or_exit(result<Value, Why> outcome) {
        if (!outcome) fail(outcome.error().words);
        return std::move(outcome).value();
    }
    /// The node comes up, which may take long: until obey(), `stop` is what to do where it is to end. It is done once.
    /// A worker, which has let nobody in yet, ends without it.
    virtual void comes_up(std::function<void()> stop) = 0;
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
