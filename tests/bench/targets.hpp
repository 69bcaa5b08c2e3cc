#pragma once

#include "results.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bench {

/// Something a stage has to reach.
struct Target {
    enum class Kind {
        cost,         ///< its cost beside the other's, at most
        speed,        ///< its messages a second beside the other's, at least
        memory,       ///< bytes for each connection, at most
        more_memory,  ///< bytes for each connection more than the other's, at most
        growth,       ///< MiB that the server may grow by while measured
        rate,         ///< messages a second, at least
        median,       ///< microseconds that every other message may take
        p99,          ///< microseconds that one message in a hundred may take
    };
    std::string stage;  ///< 01 ... 05
    std::string group;  ///< the case
    std::string label;
    std::string server;
    Kind kind;
    std::string beside;  ///< the other; empty where the kind has none
    double limit;
    std::string note = {};  ///< where the case's name does not say what is meant
};

/// All of them, stage by stage.
std::vector<Target> all_targets();

/// How it came out, or nothing where a server of it was not measured, or has failed.
std::optional<Interval> outcome(const Target& target, const CaseResult& what);
std::optional<Interval> outcome(const Target& target, const Results& results);

/// Whether so much was measured of it that its verdict is "met" or "missed".
bool is_decided(const Target& target, const Interval& outcome);

/// met or missed, and could_not_tell where it is not decided.
std::string_view verdict(const Target& target, const Interval& outcome);

/// The same; and where time could not tell whether a server costs too much, but it asks the system no more for a
/// message than allowed, and has no more instructions of its own: "met, as counted".
std::string_view verdict(const Target& target, const Interval& outcome, const Results& results);

/// Who has to be measured again beside `server`, which then has to be, too: those of `sticks`, and of its targets in
/// this case, of whom nothing is decided yet. A target that is beside nobody has the server itself here. None if it has
/// failed.
std::vector<std::string> undecided(const CaseResult& what, const std::string& server,
                                   const std::vector<std::string>& sticks);

/// In words: what is asked, and what was measured.
std::string asked(const Target& target);
std::string measured(const Target& target, const Interval& outcome);

}  // namespace bench
