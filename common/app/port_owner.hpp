#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace app {

/// A process that listens on a TCP port.
struct PortOwner {
    int pid;
    std::string program;  ///< its file's name, without the directory
};

/// Who listens on `port`, at whichever address: the one with the smallest pid, where several processes share the
/// socket. Nothing where that cannot be known: another user's processes show it to root only, other systems than Linux
/// nowhere. Looks through /proc, so for an error's sake only.
std::optional<PortOwner> owner_of(std::uint16_t port);

}  // namespace app
