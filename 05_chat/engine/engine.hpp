#pragma once

#include "05_chat/base/why.hpp"
#include "05_chat/room/room.hpp"
#include "net/awaitable.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace chat {

/// What an engine keeps in order: this node's copy of the rooms, and the people at its doors. The loop's thread only.
class Replica {
public:
    virtual ~Replica() = default;

    /// Does what was ordered, in its place. What it throws goes to whoever submitted.
    virtual Outcome apply(Sequence at, const Submission& submission) = 0;
    virtual const Rooms& rooms() const = 0;

    // For an engine of several nodes.

    /// The rooms as they are elsewhere, in the place of these. Those of this node's doors are down, or have not come
    /// yet.
    virtual void restore(Rooms rooms) = 0;
    /// Everybody at this node's doors is out: the other nodes hold this one for dead. They are told these words. What
    /// they have submitted stays submitted, and those of the text door go on submitting. May come again before they are
    /// back.
    virtual void go_down(std::string_view words) = 0;
    /// The Joins that put those of the text door back to where they were before go_down(). They come before whatever
    /// waits, and is_back() hears what came of each, before the next request is applied. Where they go down again
    /// before that, their Joins are asked for again.
    virtual std::vector<Submission> come_back() = 0;
    virtual void is_back(const Submission& join, const Outcome& outcome) = 0;
    /// What is submitted waits, and nobody knows for how long: everybody at the text door is told these words, and so
    /// is whoever comes before goes_on(); each of them once.
    virtual void waits(std::string_view words) = 0;
    /// It waits no longer: everybody who waited is told these words.
    virtual void goes_on(std::string_view words) = 0;
};

/// Decides in which order things happen in the rooms. A node proposes a request; the engine gives it a place in the one
/// order that all nodes have, and applies it there. It also applies the requests of other nodes, which nobody here has
/// asked for.
///
/// An engine keeps to this, whatever is lost, repeated or late beneath it:
/// - Every node applies the same requests at the same places, in that order and without a hole. It may repeat a place
///   it has applied: Rooms::apply finds that out.
/// - Each request that is submitted gets one place; or none, where every copy of the rooms would refuse it, whatever
///   came before (a name that is none); or where it was on its way when the node lost its place in the order, and
///   nobody knows whether it has one (Refusal::unknown). It never gets two.
/// - What one node submits is ordered in the order in which it was submitted.
/// - submit() returns before the next request is applied: what the rooms are then is what the request made of them.
/// - It forgets nothing that was submitted. What waits in it is bounded by those who wait: each person at the text
///   door, and each link or Erlang node, submits one request at a time.
///
/// The loop's thread only.
class Engine {
public:
    virtual ~Engine() = default;

    /// Whose requests it orders. Once, before anything else; `replica` outlives the engine's work.
    void serve(Replica& replica) { replica_ = &replica; }

    /// Comes back when the rooms are what they are elsewhere, or says why they cannot be. Once, before anything is
    /// submitted.
    virtual net::awaitable<result<void, Why>> open() = 0;
    /// Orders what has been submitted, as far as that goes quickly, and then nothing more: the rest is refused
    /// (Refusal::not_here). The other nodes learn that ours has ended.
    virtual void stop() = 0;

    /// Proposes; returns what came of it when it has been ordered and applied here. What `apply` throws goes to whoever
    /// submitted. `submission` must live until then.
    virtual net::awaitable<Outcome> submit(const Submission& submission) = 0;

    /// An id for somebody new, which no node has given before.
    virtual PersonId next_person() = 0;

    /// The program's first line is out: from now on it tells what happens, and now what it could not tell before. May
    /// be called twice.
    virtual void announce() {}
    /// Of several nodes, the one that has brought them into the rooms; empty: there is one, or nobody knows.
    virtual std::string_view home_of(PersonId) const { return {}; }
    /// What it is, for the operator: a line below something else; empty: nothing out of the ordinary.
    virtual std::string tree() const { return {}; }

protected:
    Replica* replica_ = nullptr;
};

}  // namespace chat
