#pragma once

#include "05_chat/base/door.hpp"
#include "05_chat/engine/room_service.hpp"
#include "05_chat/link/handshake.hpp"
#include "05_chat/options.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

/// What the options choose when the program starts. Each error is the program's last line; a port that cannot be
/// listened on ends it here.
namespace chat {

/// Who we are on links to other C++ nodes; `here` is where our text door listens.
result<link::Self, Why> who_we_are(const Options& options, const net::tcp::endpoint& here);

/// The doors for other nodes, C++ and Erlang, as far as they are wanted.
result<std::vector<std::unique_ptr<Door>>, Why> doors_for_nodes(boost::asio::io_context& loop, const Options& options,
                                                                const app::ServerOptions& server,
                                                                const link::Self& self, RoomService& rooms,
                                                                Backlog& backlog);

/// Who decides the order (--engine). `give_up` is called when it cannot do so any more, with the program's last line.
result<std::unique_ptr<Engine>, Why> make_engine(boost::asio::io_context& loop, const Options& options,
                                                 std::function<void(const std::string&)> give_up);

/// Where the people of the text door meet others (--join). Null: in our own rooms.
result<std::unique_ptr<RemoteBackend>, Why> rooms_elsewhere(boost::asio::io_context& loop, const Options& options,
                                                            const link::Self& self, Backlog& backlog);

}  // namespace chat
