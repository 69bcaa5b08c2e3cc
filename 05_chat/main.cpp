// Options, doors and signals of 05_chat; what it teaches is in server.cpp.

#include "05_chat/engine/local.hpp"
#include "05_chat/link/backend.hpp"
#include "05_chat/link/server.hpp"
#include "05_chat/options.hpp"
#include "05_chat/services.hpp"
#include "app/events.hpp"
#include "app/server.hpp"

#if FIVE_ERLANG
#include "05_chat/erlang/backend.hpp"
#include "05_chat/erlang/dist/identity.hpp"
#include "05_chat/erlang/door.hpp"
#endif

#include <boost/asio.hpp>

#include <csignal>
#include <iostream>

#include <fcntl.h>
#include <unistd.h>

namespace {

namespace asio = boost::asio;
using namespace chat;

constexpr std::string_view lobby = "lobby";

[[noreturn]] void fail(const std::string& what) {
    std::cerr << what << std::endl;
    std::exit(EXIT_FAILURE);
}

std::string_view name_of(int signal) {
    switch (signal) {
        case SIGINT: return "SIGINT";
        case SIGTERM: return "SIGTERM";
        case SIGHUP: return "SIGHUP";
        default: return "SIGUSR1";
    }
}

/// A terminal that is closed says SIGHUP, which ends nothing; but then nobody is left to stop us, and so it does.
bool can_open_terminal() {
    const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0) ::close(terminal);
    return terminal >= 0;
}

/// Runs the loop until this has happened.
template <class T>
T run_until_done(asio::io_context& loop, net::awaitable<T> task) {
    std::optional<T> done;
    asio::co_spawn(loop, std::move(task), [&](const std::exception_ptr& crash, T result) {
        if (crash) std::rethrow_exception(crash);
        done = std::move(result);
    });
    while (!done && loop.run_one() > 0) {
    }
    loop.restart();  // it stops where it runs out of work, and there is more to come
    return std::move(done.value());
}

#if FIVE_ERLANG
/// Who we are among Erlang nodes.
erlang::Identity identity_or_exit(const Options& options) {
    const auto cookie = options.cookie ? *options.cookie : erlang::read_cookie();
    if (!cookie) fail(cookie.error().words);
    const std::string name = options.sname.empty() ? erlang::passing_node_name("chat")
                                                   : erlang::full_node_name(options.sname, options.dist_host);
    if (!erlang::is_node_name(name)) fail("--sname: " + name + " is no node name");
    return {name, erlang::random_number() | 1u, *cookie};
}

erlang::Bounds bounds(const Options& options) {
    erlang::Bounds bounds;
    bounds.handshake = std::chrono::ceil<std::chrono::seconds>(options.handshake_timeout);
    bounds.max_output = options.max_backlog;
    return bounds;
}
#endif

/// Who we are on links to other C++ nodes.
chat::link::Self self_or_exit(const Options& options, const net::Listener& listener) {
    result<std::string, Why> secret;
    if (!options.link_secret_file.empty()) secret = read_secret(options.link_secret_file);
    if (!secret) fail("--link-secret-file: " + secret.error().words);
    return {net::to_string(listener.sockname()), random_number(), *secret};
}

}  // namespace

/// All doors of the program, on one loop.
class Chat {
public:
    Chat(const Options& options, const app::ServerOptions& server)
        : options_(options),
          server_(server),
          listener_(app::listen_or_exit(loop_, server)),
          self_(self_or_exit(options, listener_)),
          backlog_(options.max_backlog, options.max_waiting),
          rooms_(loop_.get_executor(), engine_, options.limits, lobby, encode_text, backlog_) {}

    /// The program's exit code.
    int run();

private:
    net::Listener listen_or_exit(std::string_view option, const std::string& host, std::uint16_t port,
                                 net::Packet packet, std::size_t max_packet) {
        app::ServerOptions where = server_;
        where.host = host;
        where.port = port;
        where.socket.packet = packet;
        where.socket.max_packet = max_packet;
        return app::listen_or_exit(loop_, where, option);
    }
    void open_doors();
    void join_others();
    void start_services();
    void hear_signals();
    void show();
    void stop();

    const Options& options_;
    const app::ServerOptions& server_;
    asio::io_context loop_{1};
    asio::signal_set signals_{loop_};
    const bool has_terminal_ = can_open_terminal();
    net::Listener listener_;
    link::Self self_;
    Backlog backlog_;  // of all connections together
    LocalEngine engine_;
    RoomService rooms_;
    std::optional<LinkServer> links_;
    std::optional<LinkBackend> elsewhere_;
#if FIVE_ERLANG
    std::optional<erlang::Node> erlang_node_;
    std::optional<erlang::ErlangBackend> erlang_room_;
#endif
    Backend* backend_ = &rooms_;  // where the people of the text door are
    std::string room_{lobby};
    std::string joined_;  // the node or room that --join names
    result<void, Why> is_joined_;
    std::optional<TextServer> text_;
    Services services_{loop_, options_.supervised};
};

void Chat::open_doors() {
    if (options_.node_port) {
        links_.emplace(
            loop_, listen_or_exit("--node-port", server_.host, *options_.node_port, net::Packet::four, link::max_frame),
            rooms_, backlog_,
            LinkServer::Settings{self_, options_.handshake_timeout, options_.session_limits.rate,
                                 options_.session_limits.burst, options_.max_node_people});
    }
#if FIVE_ERLANG
    if (!options_.sname.empty() && !options_.join_erlang) {
        erlang_node_.emplace(
            loop_,
            listen_or_exit("--dist-port", options_.dist_host, options_.dist_port, net::Packet::raw, link::max_frame),
            rooms_, backlog_,
            erlang::Node::Settings{identity_or_exit(options_), options_.registered, bounds(options_),
                                   options_.session_limits.rate, options_.session_limits.burst});
    }
#else
    if (!options_.sname.empty()) fail("--sname: this program was built without FIVE_ERLANG");
#endif
}

void Chat::join_others() {
    if (options_.join) {
        const auto& [host, port] = *options_.join;
        elsewhere_.emplace(loop_, backlog_,
                           LinkBackend::Settings{self_, host, port, options_.rejoin, options_.handshake_timeout,
                                                 options_.limits.max_line});
        backend_ = &*elsewhere_;
        joined_ = net::host_and_port(host, port);
        is_joined_ = run_until_done(loop_, elsewhere_->start());
    }
#if FIVE_ERLANG
    if (!options_.join_erlang) return;
    const ErlangRoom& where = *options_.join_erlang;
    erlang_room_.emplace(loop_, backlog_,
                         erlang::ErlangBackend::Settings{where, identity_or_exit(options_), bounds(options_),
                                                         options_.rejoin, options_.limits.max_line});
    backend_ = &*erlang_room_;
    room_ = where.name;
    joined_ = where.name + "@" + where.node;
    is_joined_ = run_until_done(loop_, erlang_room_->start());
#else
    if (options_.join_erlang) fail("--join: this program was built without FIVE_ERLANG");
#endif
}

/// Everything that runs as long as the program does.
void Chat::start_services() {
    const auto hang_up = [this] {
        constexpr auto why = "the rooms begin anew";
        if (links_) links_->hang_up(why);
#if FIVE_ERLANG
        if (erlang_node_) erlang_node_->hang_up(why);
#endif
    };
    services_.add("rooms", [this, hang_up] { return rooms_.live(hang_up); }, [this] { rooms_.stop_living(); });
#if FIVE_ERLANG
    if (erlang_node_) {
        services_.add("nodes", [this] { return erlang_node_->accept(); }, [this] { erlang_node_->stop(); });
    }
#endif
    if (links_) services_.add("links", [this] { return links_->accept(); }, [this] { links_->stop(); });
    services_.add("acceptor", [this] { return acceptor(*text_); }, [this] { text_->stop(); });
    services_.start([this] { stop(); });
}

int Chat::run() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) signals_.add(signal);
    open_doors();
    join_others();
    if (!is_joined_ && !options_.rejoin) fail("cannot join " + joined_ + ": " + is_joined_.error().words);
    text_.emplace(loop_, std::move(listener_), *backend_, room_, options_.session_limits, backlog_,
                  [this] { return rooms_.next_person(); });
#if FIVE_ERLANG
    if (erlang_node_) {
        const auto introduced = run_until_done(loop_, erlang_node_->introduce());
        if (!introduced) fail("--sname: " + introduced.error().words);
    }
#endif
    app::announce(server_, text_->listener());
    if (server_.faults) app::tell({"server"}, app::events::faults_are_on, "!throw door !throw room");
    start_services();
    if (!is_joined_) {
        app::tell({"server"}, app::events::room_is_down, joined_, is_joined_.error().words);
    } else if (!joined_.empty()) {
        app::tell({"server"}, app::events::room_is_up, joined_);
    }
#if FIVE_ERLANG
    if (erlang_node_) erlang_node_->start(options_.cookie.has_value());
#endif
    text_->start();
    hear_signals();
    loop_.run();  // until nobody is left
    app::tell({"server"}, app::events::stopped);
    return services_.have_given_up() ? EXIT_FAILURE : EXIT_SUCCESS;
}

void Chat::hear_signals() {
    signals_.async_wait([this](boost::system::error_code cancelled, int number) {
        if (cancelled) return;
        app::tell({"server"}, app::events::got_signal, name_of(number));
        if (number == SIGUSR1) {
            show();
        } else if (number != SIGHUP || (has_terminal_ && !can_open_terminal())) {
            return stop();
        }
        hear_signals();
    });
}

/// The tree, and who is where.
void Chat::show() {
    const bool is_guest = backend_ != &rooms_;
    app::story::show({"server"}, "tree",
                     "chat  " + std::to_string(::getpid()) + "\n" + services_.tree() +
                         (is_guest ? text_->who_is_where() : who_is_where(rooms_.rooms())));
}

void Chat::stop() {
    signals_.cancel();
    services_.stop();
    if (elsewhere_) elsewhere_->stop();
#if FIVE_ERLANG
    if (erlang_room_) erlang_room_->stop();
#endif
}

int main(int argc, char** argv) {
    Options options;
    app::ServerOptions server;
    options.parse_or_exit(argc, argv, server);
    server.apply();
    return Chat(options, server).run();
}
