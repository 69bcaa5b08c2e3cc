#include "results.hpp"

#include <algorithm>
#include <utility>

namespace bench {

namespace json = boost::json;

namespace {

// A report's figures under their names; all but the counts are numbers with a fraction.
constexpr std::pair<const char*, double Report::*> figures[] = {
    {"seconds", &Report::seconds},
    {"server_cpu", &Report::server_cpu},
    {"load_cpu", &Report::load_cpu},
    {"median_us", &Report::median_us},
    {"p99_us", &Report::p99_us},
    {"bytes_per_connection", &Report::bytes_per_connection},
    {"bytes_grown", &Report::bytes_grown},
    {"silence", &Report::silence},
    {"taken", &Report::taken},
    {"switches", &Report::switches},
};
constexpr std::pair<const char*, std::uint64_t Report::*> counts[] = {
    {"messages", &Report::messages},
    {"faults", &Report::faults},
};

constexpr std::pair<const char*, double Counts::*> counted[] = {
    {"system_calls", &Counts::system_calls},
    {"instructions", &Counts::instructions},
    {"allocations", &Counts::allocations},
};

template <class Found, class All, class Is>
Found* find_in(All& all, Is is) {
    const auto found = std::find_if(all.begin(), all.end(), is);
    return found == all.end() ? nullptr : &*found;
}

json::object to_json(const CaseResult& what) {
    json::array servers;
    for (const Measured& one : what.servers) {
        json::array rounds;
        for (const Report& report : one.rounds) rounds.push_back(bench::to_json(report));
        json::object server{{"name", one.name}, {"rounds", std::move(rounds)}};
        if (!one.failure.empty()) server["failure"] = one.failure;
        if (one.counts) {
            json::object& each = server["counts"].emplace_object();
            for (const auto& [name, count] : counted) each[name] = (*one.counts).*count;
        }
        servers.push_back(std::move(server));
    }
    return {{"group", what.group}, {"label", what.label}, {"connections", what.connections},
            {"size", what.size},   {"depth", what.depth}, {"servers", std::move(servers)}};
}

Report report_from(const json::object& from) {
    Report report;
    for (const auto& [name, figure] : figures) {
        // A file that an older bench has written lacks these.
        const bool is_new = figure == &Report::silence || figure == &Report::taken || figure == &Report::switches;
        if (is_new && !from.contains(name)) continue;
        report.*figure = from.at(name).to_number<double>();
    }
    for (const auto& [name, count] : counts) report.*count = from.at(name).to_number<std::uint64_t>();
    return report;
}

CaseResult case_from(const json::object& from) {
    const auto text = [](const json::value& value) { return std::string(value.as_string()); };
    const auto number = [&](const char* name) { return from.at(name).to_number<std::size_t>(); };
    CaseResult what{text(from.at("group")), text(from.at("label")), number("connections"),
                    number("size"),         number("depth"),        {}};
    for (const json::value& entry : from.at("servers").as_array()) {
        const json::object& server = entry.as_object();
        Measured one{text(server.at("name")), {}, {}};
        if (const auto* failure = server.if_contains("failure")) one.failure = text(*failure);
        for (const json::value& report : server.at("rounds").as_array()) {
            one.rounds.push_back(report_from(report.as_object()));
        }
        if (const auto* each = server.if_contains("counts")) {
            one.counts.emplace();
            for (const auto& [name, count] : counted) (*one.counts).*count = each->at(name).to_number<double>();
        }
        what.servers.push_back(std::move(one));
    }
    return what;
}

}  // namespace

const Measured* CaseResult::find(std::string_view server) const {
    return find_in<const Measured>(
        servers, [&](const Measured& one) { return one.name == server && one.failure.empty() && !one.rounds.empty(); });
}

const CaseResult* Results::find(std::string_view group, std::string_view label) const {
    return find_in<const CaseResult>(cases,
                                     [&](const CaseResult& one) { return one.group == group && one.label == label; });
}

double cost(const CaseResult& what, const Report& report) {
    if (what.group == "idle") return report.bytes_per_connection;
    if (what.group == etcd_leader) return report.silence;
    return report.server_cpu / static_cast<double>(std::max<std::uint64_t>(1, report.messages));
}

std::vector<double> costs(const CaseResult& what, const Measured& server) {
    std::vector<double> values;
    for (const Report& report : server.rounds) values.push_back(cost(what, report));
    return values;
}

double median_cost(const CaseResult& what, const Measured& server) {
    return quantile(costs(what, server), 0.5);
}

double speed(const Report& report) {
    return report.seconds > 0 ? static_cast<double>(report.messages) / report.seconds : 0;
}

double switches(const Report& report) {
    return report.switches / static_cast<double>(std::max<std::uint64_t>(1, report.messages));
}

json::object to_json(const Report& report) {
    json::object to;
    for (const auto& [name, count] : counts) to[name] = report.*count;
    for (const auto& [name, figure] : figures) to[name] = report.*figure;
    return to;
}

json::object to_json(const Results& results) {
    json::array cases;
    for (const CaseResult& one : results.cases) cases.push_back(to_json(one));
    json::object to = results.about;
    to["quick"] = results.quick;
    to["cases"] = std::move(cases);
    return to;
}

Results from_json(const json::value& document) {
    Results results;
    results.about = document.as_object();
    results.quick = results.about.at("quick").as_bool();
    for (const json::value& one : results.about.at("cases").as_array()) {
        results.cases.push_back(case_from(one.as_object()));
    }
    results.about.erase("cases");
    results.about.erase("quick");
    return results;
}

}  // namespace bench
