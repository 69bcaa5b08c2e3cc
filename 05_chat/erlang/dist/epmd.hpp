#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The messages of epmd, the Erlang port mapper daemon: on each machine it knows which node listens on which port
/// (erts' "Distribution Protocol", section EPMD Protocol). Pure; any thread.
namespace erlang::epmd {

/// Unless the environment's ERL_EPMD_PORT says otherwise.
inline constexpr std::uint16_t default_port = 4369;
/// No answer is longer: a node's name has at most 255 bytes, and nobody uses the extra field.
inline constexpr std::size_t max_answer = 1024;

/// Asks to register `name` (without @host) as a hidden node on `port`, until the connection it is sent on closes.
std::string register_request(std::string_view name, std::uint16_t port);

/// Asks where the node `name` listens.
std::string lookup_request(std::string_view name);

/// An answer is read from a stream: it may be incomplete yet.
enum class Answer { incomplete, yes, no, ill_formed };

struct Registered {
    Answer answer;
    std::uint32_t creation = 0;  // what tells this life of the node from earlier ones
};
/// Reads the answer to a register_request. `no`: the name is taken.
Registered read_registered(std::string_view bytes);

struct Found {
    Answer answer;
    std::uint16_t port = 0;
    bool speaks_version_6 = false;  // the handshake we know (OTP 23 and later)
};
/// Reads the answer to a lookup_request. `no`: there is no such node.
Found read_found(std::string_view bytes);

}  // namespace erlang::epmd
