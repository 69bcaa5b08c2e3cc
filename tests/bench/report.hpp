#pragma once

#include "load.hpp"

#include <boost/json.hpp>

namespace bench {

/// A report as JSON: the members of Report under their own names.
inline boost::json::object to_json(const Report& report) {
    return {{"messages", report.messages},
            {"seconds", report.seconds},
            {"server_cpu", report.server_cpu},
            {"load_cpu", report.load_cpu},
            {"median_us", report.median_us},
            {"p99_us", report.p99_us},
            {"bytes_per_connection", report.bytes_per_connection},
            {"bytes_grown", report.bytes_grown},
            {"faults", report.faults}};
}

}  // namespace bench
