#pragma once

#include "04_supervised/otp/supervisor.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>

/// What the pure supervisor lacks: clocks, and children that live. Everything here belongs to one loop that one thread
/// runs, and is called in that thread.
namespace supervision {

class Driver;

/// What a life tells its supervisor of itself. A copy may be kept as long as one likes: nobody hears what comes after
/// the life's end, or the supervisor's.
class Link {
public:
    Link(std::weak_ptr<Driver> supervisor, Pid pid) : supervisor_(std::move(supervisor)), pid_(pid) {}

    /// It is up. `label` is what people call it, the operating system's pid for instance; may be empty.
    void started(std::string label = {}) const;
    /// It has nothing to do, which is no error: there is no such life.
    void ignored() const;
    /// It could not start, and nothing of it is left.
    void failed(Reason reason) const;
    /// It has ended, and nothing of it is left.
    void exited(Reason reason) const;

private:
    void tell(Event event) const;

    std::weak_ptr<Driver> supervisor_;
    Pid pid_;
};

/// One life of a child, as its supervisor holds it. Let go of once it has said that it failed, or exited.
class Life {
public:
    virtual ~Life() = default;

    /// Asks it to end. Its end is told through its link, here as below.
    virtual void stop() = 0;
    /// Ends it whether it wants to or not, as far as that is possible for its kind.
    virtual void kill() = 0;
    /// If it is a supervisor in this process: what is below it.
    virtual const Driver* below() const { return nullptr; }
};

/// Starts a life: what a ChildSpec's `argument` must hold, Erlang's {Module, Function, Arguments}. Says through the
/// link, now or later, what became of it. An exception means that it failed.
using Start = std::function<std::shared_ptr<Life>(const Link&)>;

/// Drives one supervisor: tells it what happens, and carries out what it wants done. Make it with std::make_shared.
class Driver : public std::enable_shared_from_this<Driver> {
public:
    /// Who listens to a supervisor. Any may be empty.
    struct Listeners {
        std::function<void()> started{};  ///< all children of the start are up
        /// It is over, no child lives. Without `started` before: it could not start.
        std::function<void(const Reason&)> exited{};
        std::function<void(const Report&)> report{};
        std::function<void(const Progress&)> progress{};
        std::function<void()> changed{};  ///< which_children() may answer otherwise than before
    };

    Driver(boost::asio::io_context& loop, Supervisor supervisor, Listeners listeners);

    void start();

    /// Erlang's exit signal from the parent: stops all children in order, then the supervisor is over.
    void exit(Reason reason);

    /// As exit(), but nobody is asked.
    void kill();

    using Request = decltype(supervision::Request::body);
    using ReplyTo = std::function<void(const Answer&)>;
    void request(Request request, ReplyTo reply = {});

    const Supervisor& supervisor() const { return supervisor_; }

    /// The children as they stand, and what is below them, a line for each, in start order. `below` may add lines
    /// to a child's own, for what this process does not know.
    using Below = std::function<std::string(const ChildInfo&)>;
    std::string tree(std::size_t depth, const Below& below = {}) const;

private:
    friend Link;

    // Events arrive through the loop: whoever causes one may be in the middle of something.
    void deliver(Event event);
    void handle(const Event& event);

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
    Listeners listeners_;
    std::map<Pid, std::shared_ptr<Life>> lives_;
    std::map<TimerId, boost::asio::steady_timer> timers_;
    std::map<RequestId, ReplyTo> replies_;
    RequestId last_request_ = 0;
};

/// A supervisor as a child of another in the same process. `report` and `changed` are what its Driver::Listeners are.
Start supervisor_child(boost::asio::io_context& loop, const std::string& name, const SupFlags& flags,
                       const std::vector<ChildSpec>& children, const std::function<void(const Report&)>& report,
                       const std::function<void()>& changed = {});

}  // namespace supervision
