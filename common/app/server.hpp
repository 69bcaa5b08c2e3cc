#pragma once

#include "app/options.hpp"
#include "net/listener.hpp"

/// How every server begins and is told to end.
namespace app {

/// Listens as the options say. Where that cannot be: one line on stderr, and exit 1. Where the port is taken, a second
/// line names who has it, as far as that can be known, and another port for `option`.
net::Listener listen_or_exit(boost::asio::io_context& loop, const ServerOptions& options,
                             std::string_view option = "--port");

/// Writes the first line and tells how the server stands. Call it when clients can connect.
void announce(const ServerOptions& options, const net::Listener& listener);
void announce(const ServerOptions& options, const net::tcp::endpoint& sockname);

/// Keeps SIGINT and SIGTERM from interrupting anybody, for wait_for_shutdown_signal(). In the first thread, before any
/// other starts: threads inherit it.
void block_shutdown_signals();

/// Waits, with this thread, for SIGINT or SIGTERM, and tells which it was.
void wait_for_shutdown_signal();

}  // namespace app
