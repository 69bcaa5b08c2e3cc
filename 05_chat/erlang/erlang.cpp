#include "05_chat/erlang/erlang.hpp"

#include "05_chat/erlang/backend.hpp"
#include "05_chat/erlang/dist/identity.hpp"
#include "05_chat/erlang/door.hpp"

namespace erlang {

namespace {

using chat::because;
using chat::result;
using chat::Why;

/// Who we are among Erlang nodes.
result<Identity, Why> identity(const Settings& settings) {
    const auto cookie = settings.cookie ? *settings.cookie : read_cookie();
    if (!cookie) return cookie.error();
    const std::string name =
        settings.sname.empty() ? passing_node_name("chat") : full_node_name(settings.sname, settings.dist_host);
    if (!is_node_name(name)) return because("--sname: " + name + " is no node name");
    return Identity{name, random_number() | 1u, *cookie};
}

Bounds bounds(const Settings& settings) {
    Bounds bounds;
    bounds.handshake = std::chrono::ceil<std::chrono::seconds>(settings.handshake);
    bounds.max_output = settings.max_backlog;
    return bounds;
}

}  // namespace

result<std::unique_ptr<chat::Door>, Why> make_door(boost::asio::io_context& loop, net::Listener listener,
                                                   chat::RoomService& rooms, chat::Backlog& backlog,
                                                   const Settings& settings) {
    const auto us = identity(settings);
    if (!us) return us.error();
    return std::make_unique<Node>(loop, std::move(listener), rooms, backlog,
                                  Node::Settings{*us, settings.cookie.has_value(), settings.registered,
                                                 bounds(settings), settings.rate, settings.burst});
}

result<std::unique_ptr<chat::RemoteBackend>, Why> make_backend(boost::asio::io_context& loop, chat::Backlog& backlog,
                                                               const chat::ErlangRoom& where,
                                                               const Settings& settings) {
    const auto us = identity(settings);
    if (!us) return us.error();
    return std::make_unique<ErlangBackend>(
        loop, backlog, ErlangBackend::Settings{where, *us, bounds(settings), settings.rejoin, settings.max_line});
}

}  // namespace erlang
