#pragma once

#include "load.hpp"

#include <string>
#include <vector>

namespace bench {

/// A server that can be measured.
struct Subject {
    std::string name;
    std::vector<std::string> command;  ///< the program (beside `bench` if it is a mere name) and its options
    std::string stick;                 ///< the name of the one it is compared with; empty: it is a stick itself
    std::size_t clients;               ///< how many it serves at once; cases with more are not for it
};

/// A load to measure them under.
struct Case {
    std::string group;  ///< echo, lines, churn or idle
    std::string label;  ///< what performance tables call it: c100 64B d1 is 100 connections, 64 bytes, 1 in flight
    Plan plan;
    bool quick;  ///< also part of --quick
};

/// The sticks and the stages, in the order they are shown.
std::vector<Subject> all_subjects();

/// All cases; those with --quick have fewer connections and less time.
std::vector<Case> all_cases(bool quick);

}  // namespace bench
