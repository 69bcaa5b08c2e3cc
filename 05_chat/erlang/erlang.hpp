#pragma once

#include "05_chat/base/addresses.hpp"
#include "05_chat/base/door.hpp"
#include "05_chat/engine/room_service.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

/// All that the program 05_chat sees of this folder. Where Erlang's side is not built (FIVE_ERLANG=OFF), absent.cpp has
/// these functions, and says so.
namespace erlang {

/// How we are an Erlang node.
struct Settings {
    std::string sname;                  // --sname: NAME or NAME@HOST; empty: a name that nobody has
    std::optional<std::string> cookie;  // --cookie; none: ~/.erlang.cookie has it
    std::string dist_host;              // --dist-host: where others find us
    std::string registered;             // --register: the lobby's name as a process
    std::chrono::milliseconds handshake;
    std::size_t max_backlog;  // bytes of a node that does not read
    int rate, burst;          // of each person
    std::size_t max_line;     // bytes of what one of our people says
    bool rejoin;
};

/// The door for Erlang and Elixir nodes, at `listener`, which takes raw bytes. Why there is none is a whole line.
chat::result<std::unique_ptr<chat::Door>, chat::Why> make_door(boost::asio::io_context& loop, net::Listener listener,
                                                               chat::RoomService& rooms, chat::Backlog& backlog,
                                                               const Settings& settings);

/// The room `where`, for the people of our text door. Why that cannot be is a whole line.
chat::result<std::unique_ptr<chat::RemoteBackend>, chat::Why> make_backend(boost::asio::io_context& loop,
                                                                           chat::Backlog& backlog,
                                                                           const chat::ErlangRoom& where,
                                                                           const Settings& settings);

}  // namespace erlang
