#pragma once

#include "net/error.hpp"

#include <any>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a supervisor is told: flags, child specifications and reasons. Names and defaults are OTP's (supervisor(3erl),
/// lib/stdlib/src/supervisor.erl). Plain values; any thread.
namespace otp {

/// Monotonic time. The supervisor reads no clock: the runtime says what time it is, and a test says what it likes.
using Time = std::chrono::steady_clock::time_point;
using Duration = std::chrono::milliseconds;

/// A child's name, unique in its supervisor. All children of a dynamic supervisor share their template's.
using ChildId = std::string;

/// What Erlang's pid is to OTP: a restarted child keeps its id and gets a new pid. The supervisor counts from 1, and
/// uses no number again. The runtime knows which process or coroutine it stands for.
using Pid = std::uint64_t;
inline constexpr Pid undefined = 0;

/// Why a process ended, or why it did not start.
struct Reason {
    enum class Kind {
        normal,    // its work is done
        shutdown,  // it was asked to stop, or decided so itself; {shutdown, Term} where `detail` says more
        killed,    // by the supervisor, or by somebody else
        abnormal   // everything else; `detail` says what
    };
    Kind kind = Kind::normal;
    std::string detail{};

    static Reason normal() { return {Kind::normal}; }
    static Reason shutdown(std::string term = {}) { return {Kind::shutdown, std::move(term)}; }
    static Reason killed() { return {Kind::killed}; }
    static Reason abnormal(std::string what) { return {Kind::abnormal, std::move(what)}; }

    /// Whether a transient child may end like this: normal, shutdown, {shutdown, Term}.
    bool expected() const { return kind == Kind::normal || kind == Kind::shutdown; }
    auto operator<=>(const Reason&) const = default;
};

/// When a child that ended is started again.
enum class Restart {
    permanent,  // always
    transient,  // only if it ended abnormally
    temporary   // never; its specification is forgotten
};

enum class ChildType { worker, supervisor };

/// How a child is stopped.
struct Shutdown {
    enum class Kind {
        brutal_kill,  // killed without being asked
        timeout,      // asked, and killed if it is still there after `time`
        infinity      // asked, and waited for
    };
    Kind kind = Kind::timeout;
    Duration time{5000};

    static Shutdown brutal_kill() { return {Kind::brutal_kill, Duration::zero()}; }
    static Shutdown timeout(Duration time) { return {Kind::timeout, time}; }
    static Shutdown infinity() { return {Kind::infinity, Duration::zero()}; }
    bool operator==(const Shutdown&) const = default;
};

struct ChildSpec {
    ChildId id{};
    /// What is started, in words, for reports (OTP's mfargs).
    std::string start{};
    Restart restart = Restart::permanent;
    ChildType type = ChildType::worker;
    /// Without it, OTP's default: 5 s for a worker, infinity for a supervisor, which needs time for its own children.
    std::optional<Shutdown> shutdown{};
    /// Whether its end may end the whole supervisor: see SupFlags::auto_shutdown.
    bool significant = false;
    /// What the runtime needs in order to start it. The supervisor hands it back in the action StartChild and never
    /// looks into it. After the start of a temporary child, which is never started again, it is forgotten.
    std::any argument{};

    Shutdown effective_shutdown() const {
        if (shutdown) return *shutdown;
        return type == ChildType::worker ? Shutdown{} : Shutdown::infinity();
    }
};

enum class Strategy {
    one_for_one,        // restart the one that ended
    one_for_all,        // stop all the others too, and start all
    rest_for_one,       // stop those started after it too, and start it and them
    simple_one_for_one  // dynamic: any number of children from one template, without order
};

/// Whether a significant child that ends by itself and is not restarted ends the supervisor.
enum class AutoShutdown { never, any_significant, all_significant };

struct SupFlags {
    Strategy strategy = Strategy::one_for_one;
    /// `intensity` restarts within `period` are allowed; one more, and the supervisor gives up.
    int intensity = 1;
    std::chrono::seconds period{5};
    AutoShutdown auto_shutdown = AutoShutdown::never;
    /// Dynamic supervisors only (Elixir's DynamicSupervisor). Children that wait for their restart count too.
    std::optional<std::size_t> max_children{};
    /// Ours, not OTP's: how long a restart waits after it was counted. Without a wait, a crash loop of some ms uses up
    /// any intensity before a person can look (erlang/otp#1287). 0 is OTP's behaviour.
    Duration restart_delay{0};
    /// The delay doubles with each further restart that `period` still remembers, up to this. Where this is not above
    /// `restart_delay`, the delay stays the same.
    Duration restart_delay_max{0};
};

/// Whether a supervisor can work with this. The error says what is wrong, in OTP's words: "invalid_period: 0, …".
using Check = boost::system::result<void, std::string>;
Check check_flags(const SupFlags& flags);
Check check_childspec(const ChildSpec& spec, const SupFlags& flags);
Check check_childspecs(const std::vector<ChildSpec>& specs, const SupFlags& flags);

/// OTP's spelling: "one_for_one", "{shutdown, drained}", "brutal_kill", "5000".
std::string to_string(const Reason& reason);
std::string to_string(const Shutdown& shutdown);
std::string_view to_string(Restart restart);
std::string_view to_string(ChildType type);
std::string_view to_string(Strategy strategy);
std::string_view to_string(AutoShutdown auto_shutdown);

}  // namespace otp
