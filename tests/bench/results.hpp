#pragma once

#include "load.hpp"
#include "summary.hpp"

#include <boost/json.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What a run of the bench has measured, as data and as JSON.
namespace bench {

/// What a server does for one message. Negative: there was no tool here to count it.
struct Counts {
    double system_calls = -1;
    double instructions = -1;  ///< of the program and its libraries, not of the kernel
    double allocations = -1;   ///< calls of malloc(3)
};

/// One server under one load.
struct Measured {
    std::string name;
    std::vector<Report> rounds;
    std::string failure;                ///< why there are no more rounds; empty: there were all
    std::optional<Counts> counts = {};  ///< where the case has them, and a tool is here
};

/// One load, and all servers that were put under it by turns.
struct CaseResult {
    std::string group;
    std::string label;
    std::size_t connections = 0;  ///< in a chat: members
    std::size_t size = 0;
    std::size_t depth = 0;
    std::vector<Measured> servers;

    /// Null where it was not measured, or has failed.
    const Measured* find(std::string_view server) const;
};

struct Results {
    boost::json::object about;  ///< the machine and the day: date, processor, processors, kernel, compiler, shared
    bool quick = false;
    std::vector<CaseResult> cases;

    const CaseResult* find(std::string_view group, std::string_view label) const;
};

/// Two groups of cases that are read in another way: how long nobody is served when etcd's leader is killed, and how
/// soon a new node serves.
inline constexpr const char* etcd_leader = "etcd-leader";
inline constexpr const char* etcd_newcomer = "etcd-newcomer";

/// What the bench is about: CPU seconds for one message (a connection's life, a line heard), or, in the group idle,
/// bytes for one connection, and in etcd-leader seconds without service.
double cost(const CaseResult& what, const Report& report);
std::vector<double> costs(const CaseResult& what, const Measured& server);

/// The middle of the rounds' values; there must be rounds.
template <typename Value>
double median(const std::vector<Report>& rounds, Value value) {
    std::vector<double> values;
    for (const Report& report : rounds) values.push_back(value(report));
    return quantile(values, 0.5);
}
double median_cost(const CaseResult& what, const Measured& server);
double speed(const Report& report);     ///< messages a second
double switches(const Report& report);  ///< for a message

boost::json::object to_json(const Report& report);
boost::json::object to_json(const Results& results);
/// The other way round. Throws boost::system::system_error or std::exception where it is something else.
Results from_json(const boost::json::value& document);

}  // namespace bench
