#pragma once

#include "04_supervised/process/channel.hpp"
#include "net/listener.hpp"

#include <string>

/// What every worker does with what it has from its root, whomever it serves.
namespace process {

/// The option by which a root makes its own program the worker of a number.
inline constexpr const char* worker_option = "--as-worker";

/// Takes over the root's listening socket. All workers wait at it, and the kernel gives each client to one of them.
/// Throws boost::system::system_error where this process does not have it: no root has started it.
net::Listener adopt_listener(boost::asio::io_context& loop, const net::SocketOptions& options);

/// From now on this process lives as long as its root does, and obeys it alone: a ^C and the end of a terminal, which
/// come to all processes, are left to the root. SIGTERM is let in: whoever wants to hear it must do so by now. `name`
/// is what the system's lists of processes show. In the first thread.
void become_worker(const std::string& name);

}  // namespace process
