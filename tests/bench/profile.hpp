#pragma once

#include "cases.hpp"

#include <stop_token>

namespace bench {

/// Puts a server under a load for some seconds while perf(1) looks where its time goes, and prints what perf has found.
/// `data`: where its record goes, for a closer look. Throws std::runtime_error, in one line, where there is no perf, or
/// it may not.
void profile(const Subject& subject, const Case& what, int server_core, const std::string& data, std::stop_token stop);

}  // namespace bench
