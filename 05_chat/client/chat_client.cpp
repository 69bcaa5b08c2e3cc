// The original's client: joins a room under a name, prints what the room says, posts what is typed.
//
//     Michael's client: Mikey says: Hello!
//
// The room is on an Erlang node (--room), ours or one in Elixir, or behind a text door (--connect).
// Whatever it says, nothing but text reaches our terminal, and whoever is not let in ends with exit code 1.

#include "05_chat/base/addresses.hpp"
#include "05_chat/client/keyboard.hpp"
#include "05_chat/room/names.hpp"
#include "app/options.hpp"
#include "app/text.hpp"
#include "net/async_socket.hpp"

#if FIVE_ERLANG
#include "05_chat/erlang/dist/identity.hpp"
#include "05_chat/erlang/room_connection.hpp"
#endif

#include <boost/asio.hpp>

#include <csignal>
#include <iostream>

namespace {

namespace asio = boost::asio;
using chat::Keyboard;

struct Options {
    std::string name;
    std::string room;
    std::string host = "127.0.0.1";
    std::uint16_t port = 1234;
    std::string cookie;
    bool has_cookie = false;
};

constexpr std::chrono::seconds patience{5};

/// What came from elsewhere, without what a terminal would obey instead of showing it.
std::string harmless(std::string_view text) {
    constexpr std::size_t most = 1000;  // of what is no text
    return app::text::is_utf8(text) ? chat::without_controls(text) : app::text::visible(text, most);
}

/// What the room said, as the original prints it.
void print(const Options& options, std::string_view text) {
    std::cout << options.name << "'s client: " << harmless(text) << std::endl;
}

// ---- the text door --------------------------------------------------------------------------------------------------

/// A session at the text door: why it failed, or nothing.
class TextSession {
public:
    TextSession(asio::io_context& loop, const Options& options) : loop_(loop), options_(options), keyboard_(loop) {}

    net::awaitable<std::string> run() {
        auto socket = co_await net::async_connect(loop_, options_.host, options_.port, {}, patience);
        if (!socket) {
            co_return "cannot connect to " + net::host_and_port(options_.host, options_.port) + ": " +
                net::reason(socket.error());
        }
        socket_.emplace(std::move(*socket));
        socket_->put({options_.name, "\n"});
        const auto sent = co_await socket_->flush();
        std::string why;
        bool is_in = false;
        while (sent && why.empty()) {
            const auto packet = co_await socket_->recv();
            if (!packet) break;
            std::string_view line = *packet;
            while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
            if (!is_in && line.starts_with("You are in the room ")) {
                is_in = true;
                asio::co_spawn(loop_, post(), [](const std::exception_ptr&) {});
            } else if (!is_in && is_question(line)) {
                if (!line.starts_with(welcome)) why = "refused: " + harmless(line);
            } else {
                print(options_, line);  // before we are in, it is what was said before
            }
        }
        keyboard_.close();
        if (why.empty()) why = why_ended(is_in);
        co_await socket_->close();
        co_return why;
    }

private:
    static constexpr std::string_view welcome = "Welcome!";

    /// Why the connection has ended too early, or nothing.
    std::string why_ended(bool is_in) const {
        if (socket_->why_closed() == net::Error::too_long) return "the server's line is too long";
        if (!is_in) return "the server closed the connection before we were in the room";
        return has_said_all_ ? "" : "connection lost: " + net::reason(socket_->why_closed());
    }

    /// The server asks who we are: at first, or because it does not want us under that name. Nobody else does: what
    /// people have said begins with their name, and a name has no spaces in it.
    static bool is_question(std::string_view line) {
        return line.ends_with(" What is your name?") && !line.substr(line.find(' ') + 1).starts_with("says: ");
    }

    /// Posts what is typed; at its end, tells the server that no more will come. It sends what we are owed, and closes.
    net::awaitable<void> post() {
        for (;;) {
            const auto line = co_await keyboard_.line();
            if (!line) break;
            socket_->put({*line, "\n"});
            const auto sent = co_await socket_->flush();
            if (!sent) co_return;
            if (*line == "/quit") has_said_all_ = true;
        }
        if (!socket_->why_closed()) has_said_all_ = true;
        socket_->shutdown(net::tcp::socket::shutdown_send);
    }

    asio::io_context& loop_;
    const Options& options_;
    Keyboard keyboard_;
    std::optional<net::AsyncSocket> socket_;
    bool has_said_all_ = false;
};

// ---- an Erlang node -------------------------------------------------------------------------------------------------

#if FIVE_ERLANG
class ErlangSession {
public:
    ErlangSession(asio::io_context& loop, const Options& options, const chat::ErlangRoom& where, std::string cookie)
        : loop_(loop),
          options_(options),
          keyboard_(loop),
          answered_(loop.get_executor()),
          echo_(loop.get_executor()),
          room_(loop, {erlang::passing_node_name("client"), erlang::random_number() | 1u, std::move(cookie)}, where,
                {}) {
        room_.on_heard = [this](chat::PersonId, const std::string& text) {
            print(options_, text);
            if (!last_said_.empty() && text.ends_with(last_said_)) heard_last();
        };
        room_.on_in = [this](chat::PersonId) { let_in(); };
        room_.on_out = [this](chat::PersonId, const std::string& why) {
            end((is_in_ ? "thrown out: " : "refused: ") + why);
        };
        room_.on_down = [this](const std::string& why) { end("room is DOWN: " + why); };
    }

    net::awaitable<std::string> run() {
        std::string why = co_await room_.open();
        if (!why.empty()) co_return "cannot join " + options_.room + ": " + why;
        room_.room()->join(person, options_.name);
        room_.flush();
        co_await answer();
        while (why_.empty()) {
            const auto line = co_await keyboard_.line();
            if (!line || room_.room() == nullptr) break;
            last_said_ = chat::without_controls(*line);
            room_.room()->say(person, last_said_);
            room_.flush();
        }
        // What we said comes back to us, as to everybody.
        const chat::Deadline deadline(loop_.get_executor(), std::chrono::milliseconds(1000), [this] { heard_last(); });
        while (!last_said_.empty() && why_.empty()) co_await echo_.wait();
        if (why_.empty() && room_.room() != nullptr) room_.room()->leave(person);
        std::string result = why_;
        is_done_ = true;
        room_.close("done");
        co_return result;
    }

private:
    static constexpr chat::PersonId person = 1;

    /// Until the room has let us in, or not, or gives no sign.
    net::awaitable<void> answer() {
        const chat::Deadline deadline(loop_.get_executor(), erlang::join_patience, [this] { let_in(); });
        while (!is_in_ && why_.empty()) co_await answered_.wait();
    }
    void let_in() {
        is_in_ = true;
        answered_.wake();
    }
    void heard_last() {
        last_said_.clear();
        echo_.wake();
    }
    void end(const std::string& why) {
        if (!is_done_) why_ = why;
        keyboard_.close();
        heard_last();
        answered_.wake();
    }

    asio::io_context& loop_;
    const Options& options_;
    Keyboard keyboard_;
    chat::Notify answered_;
    bool is_in_ = false;
    chat::Notify echo_;
    erlang::RoomConnection room_;
    std::string last_said_;  // until it has come back
    std::string why_;        // why it is over before the end of the input
    bool is_done_ = false;
};
#endif

/// The session's outcome, when everything of it has ended.
std::string result_of(asio::io_context& loop, net::awaitable<std::string> session) {
    std::string why;
    asio::co_spawn(loop, std::move(session), [&](const std::exception_ptr& crash, std::string result) {
        if (crash) std::rethrow_exception(crash);
        why = std::move(result);
    });
    loop.run();
    return why;
}

std::string run(const app::CommandLine& line, const Options& options) {
    asio::io_context loop(1);
    if (options.room.empty()) {
        TextSession session(loop, options);
        return result_of(loop, session.run());
    }
    const auto where = chat::parse_erlang_room(options.room);
    if (!where) line.usage_error("--room: " + options.room + ": chatroom@room1@host[:port] is allowed");
#if FIVE_ERLANG
    const auto cookie = options.has_cookie ? erlang::Cookie{options.cookie, {}} : erlang::read_cookie();
    if (!cookie.wrong.empty()) return cookie.wrong;
    ErlangSession session(loop, options, *where, cookie.text);
    return result_of(loop, session.run());
#else
    return "--room: this program was built without FIVE_ERLANG";
#endif
}

}  // namespace

int main(int argc, char** argv) {
    app::CommandLine line("chat_client", "Joins a room, prints what it says, posts what is typed.");
    Options options;
    line.group("Who and where");
    line.text("--name", options.name, "NAME", "Who you are")->required();
    auto* const room =
        line.text("--room", options.room, "ROOM", "A room on an Erlang node: chatroom@room1@host[:port]");
    line.server(options.host, options.port);
    for (const char* const door : {"--connect", "--host", "--port"}) line.cli().get_option(door)->excludes(room);
    auto* const cookie =
        line.text("--cookie", options.cookie, "TEXT", "What the node wants to hear; else ~/.erlang.cookie has it");
    line.parse_or_exit(argc, argv);
    options.has_cookie = cookie->count() > 0;
    if (const auto wrong = chat::check_name(options.name)) {
        line.usage_error("--name: " + std::string(chat::reason(*wrong)));
    }
    std::signal(SIGPIPE, SIG_IGN);
    const std::string why = run(line, options);
    if (why.empty()) return EXIT_SUCCESS;
    std::cerr << "chat_client: " << why << std::endl;
    return EXIT_FAILURE;
}
