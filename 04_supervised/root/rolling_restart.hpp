#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/root/workers.hpp"

#include <deque>
#include <functional>
#include <memory>

/// Replaces all workers, one after another, without a gap: the new one, under a new id, is up before the old one stops
/// accepting; and the old one is taken out of the tree when its last client has left. Nothing but the supervisor's
/// ordinary requests: start_child, terminate_child, delete_child. One that still drains must not be terminated yet,
/// since the supervisor does one thing at a time and could not restart another that crashes meanwhile.
class Replacement {
public:
    using Successor = std::function<supervision::ChildSpec()>;
    Replacement(Workers& workers, Successor successor) : workers_(workers), successor_(std::move(successor)) {}

    /// Begins; or says that it is under way already.
    void start(const std::shared_ptr<supervision::Driver>& supervisor);

    /// To be called when anything has changed below the supervisor: the old worker may have crashed, and been
    /// restarted.
    void look();

    /// That worker has no clients any more.
    void drained(const supervision::ChildId& id);

    /// Leaves everything as it is.
    void cancel() { phase_ = Phase::none, old_.clear(); }

private:
    enum class Phase { none, starting, retiring, removing };

    void next();
    void started(const supervision::Answer& answer);
    void remove();
    void removed();

    Workers& workers_;
    Successor successor_;
    std::shared_ptr<supervision::Driver> supervisor_;
    Phase phase_ = Phase::none;
    std::deque<supervision::ChildId> old_;          // still to be replaced; the first one is at it
    supervision::ChildId new_;                      // its successor
    std::weak_ptr<supervision::Process> retiring_;  // the process that was told to
};
