#pragma once

#include "load.hpp"

namespace bench {

/// run() for Kind::chat: members join one by one, and go to their rooms; the senders speak, each with so many lines
/// under way that not all members have heard; at the end nothing may come but goodbyes.
Report run_chat(const Plan& plan, std::stop_token stop);

}  // namespace bench
