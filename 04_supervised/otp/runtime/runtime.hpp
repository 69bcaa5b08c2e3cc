#pragma once

#include "04_supervised/otp/supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

/// What the pure supervisor lacks: a clock, and children that live. Everything here belongs to one event loop, and is
/// called in the thread that runs this loop.
namespace otp {

class Runtime;

/// Through this a child reports to its supervisor. A copy may be kept for as long as one likes: nobody hears what is
/// reported after the child's end, or the supervisor's.
class ReportTo {
public:
    ReportTo(std::weak_ptr<Runtime> supervisor, Pid pid) : supervisor_(std::move(supervisor)), pid_(pid) {}

    /// The child is up. `label` is what people call it, the operating system's pid for instance; may be empty.
    void started(std::string label = {}) const;
    /// The child has nothing to do, which is no error. There is no such child.
    void ignored() const;
    /// The child could not start. Nothing of it is left.
    void failed(Reason reason) const;
    /// The child has ended. Nothing of it is left.
    void exited(Reason reason) const;

private:
    void tell(Event event) const;

    std::weak_ptr<Runtime> supervisor_;
    Pid pid_;
};

/// A child that lives: a coroutine, a process, or a supervisor in this process. A restart makes another one. The
/// runtime holds a child until it has reported that it failed or exited.
class Child {
public:
    virtual ~Child() = default;

    /// Asks the child to end. It reports its end, after kill() too.
    virtual void stop() = 0;
    /// Ends the child whether it wants to or not, as far as that is possible for its kind.
    virtual void kill() = 0;
    /// Of a supervisor in this process, what runs it; of any other child, nothing.
    virtual const Runtime* below() const { return nullptr; }
};

/// Starts a child: Erlang's {Module, Function, Arguments}, and what the `argument` of a ChildSpec must hold. The child
/// reports, now or later, whether it is up. An exception means that it failed.
using Start = std::function<std::shared_ptr<Child>(const ReportTo&)>;

/// Runs one supervisor: tells it what happens, and carries out what it wants done. Make it with std::make_shared.
class Runtime : public std::enable_shared_from_this<Runtime> {
public:
    /// Called by the supervisor. Any may be empty.
    struct Callbacks {
        std::function<void()> started{};  ///< all children of the start are up
        /// The supervisor is over, and no child lives. Without `started` before, it could not start.
        std::function<void(const Reason&)> exited{};
        std::function<void(const Report&)> report{};
        std::function<void(const Progress&)> progress{};
        std::function<void()> changed{};  ///< which_children() may answer otherwise than before
    };

    Runtime(boost::asio::io_context& loop, Supervisor supervisor, Callbacks callbacks);

    void start();

    /// Erlang's exit signal from the parent: stops all children in order, then the supervisor is over.
    void exit(Reason reason);

    /// As exit(), but no child is asked.
    void kill();

    using OnAnswer = std::function<void(const Answer&)>;
    void request(Request::Body body, OnAnswer on_answer = {});

    const Supervisor& supervisor() const { return supervisor_; }

    /// The children as they stand, and what is below them, a line for each, in start order. `below` may add lines to a
    /// child's own, for what this process does not know.
    using Below = std::function<std::string(const ChildInfo&)>;
    std::string tree(std::size_t depth, const Below& below = {}) const;

private:
    friend ReportTo;

    // Events arrive through the loop: the function that causes one may be in the middle of something.
    void deliver(Event event);
    void handle(const Event& event);

    // An overload for each kind of action: one without would not compile.
    void carry_out(const Actions& actions);
    void carry_out(const StartChild& action);
    void carry_out(const StopChild& action);
    void carry_out(const KillChild& action);
    void carry_out(const ArmTimer& action);
    void carry_out(const DisarmTimer& action);
    void carry_out(const Reply& action);
    void carry_out(const Report& action);
    void carry_out(const Progress& action);
    void carry_out(const SupervisorStarted& action);
    void carry_out(const SupervisorExited& action);

    boost::asio::io_context& loop_;
    Supervisor supervisor_;
    Callbacks callbacks_;
    std::map<Pid, std::shared_ptr<Child>> children_;
    std::map<TimerId, boost::asio::steady_timer> timers_;
    std::map<RequestId, OnAnswer> unanswered_;
    RequestId last_request_ = 0;
};

/// A supervisor as a child of another one in the same process. `report`, `changed` and `progress` are those of
/// Runtime::Callbacks.
Start supervisor_child(boost::asio::io_context& loop, const std::string& name, const SupFlags& flags,
                       const std::vector<ChildSpec>& children, const std::function<void(const Report&)>& report,
                       const std::function<void()>& changed = {},
                       const std::function<void(const Progress&)>& progress = {});

}  // namespace otp
