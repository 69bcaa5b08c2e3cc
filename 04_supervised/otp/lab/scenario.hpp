#pragma once

#include "04_supervised/otp/spec.hpp"
#include "net/error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The supervisor lab: a tree of supervisors in virtual time, told what happens to it by a script.
namespace lab {

/// A child as the script declares it. A supervisor brings its flags and its own children.
struct Declaration {
    otp::ChildSpec spec;
    otp::SupFlags flags{};
    std::vector<Declaration> children{};
    std::size_t line = 0;
};

enum class Verb {
    // what a worker does
    exits,
    fails,
    ignores,
    starts_in,
    stops_in,
    stops_with,
    refuses,
    obeys,
    // what a supervisor is asked for
    start_child,
    terminate_child,
    restart_child,
    delete_child,
    which_children,
    count_children,
    stop
};

/// `a exits boom`: who, what, and what the verb needs. Only the fields of the verb mean anything.
struct Statement {
    std::string subject;  // an id, "a", or the name of one child, "a#2"
    Verb verb = Verb::exits;
    otp::Reason reason{};                   // exits, fails, stops_with
    int times = 0;                          // fails, ignores
    otp::Duration duration{0};              // starts_in, stops_in
    std::string child{};                    // terminate_child, restart_child, delete_child
    std::optional<Declaration> declared{};  // start_child; nothing: one more of a dynamic supervisor's template
    std::size_t line = 0;
};

/// Whose child this is one of: "a#2" is one of "a".
std::string id_of(const std::string& name);

/// When a statement happens.
struct Step {
    enum class When {
        beforehand,  // before the root starts
        at,          // at this time of the virtual clock
        starts,      // while `child` is being started, before the answer
        stops        // when `child` is asked to stop, before it obeys
    };
    When when = When::beforehand;
    otp::Duration time{0};
    std::string child{};
    Statement statement;
};

struct Scenario {
    Declaration root;
    std::vector<Step> steps;
};

struct ScenarioError {
    std::size_t line;     // from 1
    std::string message;  // what is wrong, and what is allowed
};

/// Bounds, so that no script can take the lab's memory or time.
inline constexpr std::size_t max_scenario_bytes = 1 << 20;
inline constexpr int max_number = 1000;                      // of starts, intensity and so on
inline constexpr otp::Duration max_duration{1'000'000'000};  // about 11 days

/// Reads a script (the language is explained in 04_supervised/otp/lab/README.md). Pure.
boost::system::result<Scenario, ScenarioError> parse(std::string_view text);

}  // namespace lab
