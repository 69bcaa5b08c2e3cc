#include "05_chat/doors.hpp"

#include "05_chat/base/secret.hpp"
#include "05_chat/engine/local.hpp"
#include "05_chat/erlang/erlang.hpp"
#include "05_chat/link/backend.hpp"
#include "05_chat/link/server.hpp"
#include "app/server.hpp"

namespace chat {

namespace {

/// `max_line` is for our people in rooms elsewhere (--join). What comes in through a door goes to our rooms, whose
/// limits may be those of the first node (--engine etcd).
erlang::Settings erlang_settings(const Options& options) {
    return {.sname = options.sname,
            .cookie = options.cookie,
            .dist_host = options.dist_host,
            .registered = options.registered,
            .handshake = options.handshake_timeout,
            .max_backlog = options.max_backlog,
            .rate = options.session_limits.rate,
            .burst = options.session_limits.burst,
            .max_line = options.limits.max_line,
            .rejoin = options.rejoin};
}

}  // namespace

result<link::Self, Why> who_we_are(const Options& options, const net::tcp::endpoint& here) {
    result<std::string, Why> secret;
    if (!options.link_secret_file.empty()) secret = read_secret(options.link_secret_file);
    if (!secret) return because("--link-secret-file: " + secret.error().words);
    return link::Self{net::to_string(here), random_number(), *secret};
}

result<std::vector<std::unique_ptr<Door>>, Why> doors_for_nodes(boost::asio::io_context& loop, const Options& options,
                                                                const app::ServerOptions& server,
                                                                const link::Self& self, RoomService& rooms,
                                                                Backlog& backlog) {
    std::vector<std::unique_ptr<Door>> doors;
    if (!options.sname.empty() && !options.join_erlang) {
        app::ServerOptions where = server;
        where.host = options.dist_host;
        where.port = options.dist_port;
        where.socket.packet = net::Packet::raw;
        auto door = erlang::make_door(loop, app::listen_or_exit(loop, where, "--dist-port"), rooms, backlog,
                                      erlang_settings(options));
        if (!door) return door.error();
        doors.push_back(std::move(*door));
    }
    if (options.node_port) {
        app::ServerOptions where = server;
        where.port = *options.node_port;
        where.socket.packet = net::Packet::four;
        where.socket.max_packet = link::max_frame;
        const LinkServer::Settings settings{self, options.handshake_timeout, options.session_limits.rate,
                                            options.session_limits.burst, options.max_node_people};
        doors.push_back(std::make_unique<LinkServer>(loop, app::listen_or_exit(loop, where, "--node-port"), rooms,
                                                     backlog, settings));
    }
    return doors;
}

result<std::unique_ptr<Engine>, Why> make_engine(boost::asio::io_context& loop, const Options& options,
                                                 std::function<void(const std::string&)> give_up) {
    if (!options.etcd) return std::make_unique<LocalEngine>();
    return etcd::make_engine(loop.get_executor(), *options.etcd, options.limits, lobby, std::move(give_up));
}

result<std::unique_ptr<RemoteBackend>, Why> rooms_elsewhere(boost::asio::io_context& loop, const Options& options,
                                                            const link::Self& self, Backlog& backlog) {
    if (options.join_erlang) return erlang::make_backend(loop, backlog, *options.join_erlang, erlang_settings(options));
    if (!options.join) return nullptr;
    const LinkBackend::Settings settings{self,           options.join->host,        options.join->port,
                                         options.rejoin, options.handshake_timeout, options.limits.max_line};
    return std::make_unique<LinkBackend>(loop, backlog, settings);
}

}  // namespace chat
