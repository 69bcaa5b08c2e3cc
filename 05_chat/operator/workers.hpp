#pragma once

#include "05_chat/operator/operator.hpp"
#include "05_chat/options.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>

/// --workers: stage 04's root holds the text door's socket, and supervises processes each of which is a node.
namespace chat {

/// The root: starts the workers, and starts them anew where they end, until it is told to stop or gives up. It has no
/// rooms and no people, so nothing that somebody types can harm it. Returns the exit status.
int run_root(const Options& options, const app::ServerOptions& server);

/// Whoever runs this node, as the options say. `server` lives as long as that does.
std::unique_ptr<Operator> make_operator(boost::asio::io_context& loop, const Options& options,
                                        const app::ServerOptions& server);

}  // namespace chat
