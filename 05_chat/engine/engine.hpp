#pragma once

#include "05_chat/room/room.hpp"
#include "net/awaitable.hpp"

#include <functional>

namespace chat {

/// Decides in which order things happen in the rooms. A node proposes a request; the engine gives it a place in the one
/// order that all nodes have, and applies it there. It also applies the requests of other nodes, which nobody here has
/// asked for.
///
/// An engine keeps to this, whatever is lost, repeated or late beneath it:
/// - Every node applies the same requests at the same places, in that order and without a hole. It may repeat a place
///   it has applied: Rooms::apply finds that out.
/// - Each request that is submitted gets one place.
/// - What one node submits is ordered in the order in which it was submitted.
/// - submit() returns before the next request is applied: what the rooms are then is what the request made of them.
/// - It forgets nothing that was submitted. What waits in it is bounded by those who wait: each person at the text
///   door, and each link or Erlang node, submits one request at a time.
///
/// The loop's thread only.
class Engine {
public:
    virtual ~Engine() = default;

    using Apply = std::function<Outcome(Sequence at, const Submission& submission)>;
    /// What is to be done with each request in its place. Once, before anything is submitted.
    void apply_with(Apply apply) { apply_ = std::move(apply); }

    /// Proposes; returns what came of it when it has been ordered and applied here. What `apply` throws goes to whoever
    /// submitted. `submission` must live until then.
    virtual net::awaitable<Outcome> submit(const Submission& submission) = 0;

    /// An id for somebody new, which no node has given before.
    virtual PersonId next_person() = 0;

protected:
    Apply apply_;
};

}  // namespace chat
