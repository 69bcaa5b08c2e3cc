#pragma once

#include "05_chat/base/why.hpp"

#include <cstdint>
#include <string>

/// What this node is among Erlang nodes, from the command line and from this machine. Any thread.
namespace erlang {

/// `sname`, and a host after it if it has none. Others find a node that listens on `dist_host` by that host. It is this
/// machine's short name where that leads to `dist_host`, and localhost for a node that listens on loopback only.
std::string full_node_name(const std::string& sname, const std::string& dist_host);

/// A name that nobody has, for a node that only joins others: "client_1a2b3c4d@localhost".
std::string passing_node_name(const std::string& prefix);

/// The cookie of this user's nodes, as Erlang keeps it (auth(3erl)): in ~/.erlang.cookie, which nobody else may read or
/// write. Made, with a random cookie, if it is not there.
chat::result<std::string, chat::Why> read_cookie();

/// Unpredictable (the system's own source).
std::uint32_t random_number();

/// Where this machine's epmd listens: ERL_EPMD_PORT, else its own port.
std::uint16_t epmd_port();

}  // namespace erlang
