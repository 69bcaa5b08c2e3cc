#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/root/workers.hpp"

#include <deque>
#include <functional>
#include <memory>

namespace supervised {

/// Replaces all workers, one after another, without a gap. For each old worker:
/// 1. The supervisor starts a new one, under a new id (start_child).
/// 2. When the new one is up, the old one is told to retire: it accepts no more, and its clients may go on.
/// 3. When the old one has drained, the supervisor stops it, and forgets it (terminate_child, delete_child).
///
/// The supervisor does one thing at a time. So a worker is not terminated before it has drained: meanwhile the
/// supervisor could not restart another one that crashes.
class RollingRestart {
public:
    using NewWorker = std::function<otp::ChildSpec()>;
    RollingRestart(Workers& workers, NewWorker new_worker) : workers_(workers), new_worker_(std::move(new_worker)) {}

    /// Begins; or tells that it is under way already.
    void start(const std::shared_ptr<otp::Runtime>& supervisor);

    /// To be called when the supervisor's children have changed: the old worker may have crashed, or be up again.
    void children_changed();

    /// To be called when a worker has no clients any more.
    void drained(const otp::ChildId& id);

    /// Leaves everything as it is.
    void cancel() {
        step_ = Step::none;
        old_.clear();
    }

private:
    enum class Step { none, starting, retiring, removing };

    void next();
    void started(const otp::Answer& answer);
    void retire();
    void remove();
    void removed();

    Workers& workers_;
    NewWorker new_worker_;
    std::shared_ptr<otp::Runtime> supervisor_;
    Step step_ = Step::none;
    std::deque<otp::ChildId> old_;                   // still to be replaced; the first one is being replaced
    otp::ChildId new_;                               // in the place of the first one
    std::weak_ptr<process::ProcessChild> retiring_;  // the process that was told to
};

}  // namespace supervised
