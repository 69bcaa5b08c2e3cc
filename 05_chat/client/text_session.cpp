#include "05_chat/base/notify.hpp"
#include "05_chat/client/keyboard.hpp"
#include "05_chat/client/session.hpp"
#include "net/async_socket.hpp"

#include <boost/asio.hpp>

#include <optional>

namespace chat::client {

namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds patience{5};

class TextSession {
public:
    TextSession(asio::io_context& loop, const Options& options) : loop_(loop), options_(options), keyboard_(loop) {}

    net::awaitable<result<void, Why>> run() {
        auto socket = co_await net::async_connect(loop_, options_.host, options_.port, {}, patience);
        if (!socket) {
            co_return because("cannot connect to " + net::host_and_port(options_.host, options_.port) + ": " +
                              net::reason(socket.error()));
        }
        socket_.emplace(std::move(*socket));
        socket_->put({options_.name, "\n"});
        const auto sent = co_await socket_->flush();
        std::optional<Deadline> deadline;
        if (options_.join_timeout.count() > 0) {
            deadline.emplace(loop_.get_executor(), options_.join_timeout, [this] { give_up(); });
        }
        std::optional<Why> refused;
        bool is_in = false;
        while (sent && !refused) {
            const auto packet = co_await socket_->recv();
            if (!packet) break;
            std::string_view line = *packet;
            while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
            if (!is_in && line.starts_with("You are in the room ")) {
                is_in = true;
                deadline.reset();
                asio::co_spawn(loop_, post(), [](const std::exception_ptr& crash) {
                    if (crash) std::rethrow_exception(crash);
                });
            } else if (!is_in && is_question(line)) {
                if (!line.starts_with(welcome)) refused = because("refused: " + harmless(line));
            } else {
                print(options_, line);  // before we are in, this is history
            }
        }
        keyboard_.close();
        const auto outcome = refused ? result<void, Why>(*refused) : ended(is_in);
        co_await socket_->close();
        co_return outcome;
    }

private:
    static constexpr std::string_view welcome = "Welcome!";

    /// The connection has ended: as it should, or too early.
    result<void, Why> ended(bool is_in) const {
        if (is_too_late_) return because("the server has neither let us in nor sent us away within --join-timeout");
        if (socket_->why_closed() == net::Error::too_long) return because("the server's line is too long");
        if (!is_in) return because("the server closed the connection before we were in the room");
        if (!has_said_all_) return because("connection lost: " + net::reason(socket_->why_closed()));
        return {};
    }

    /// A server may refuse us in words that are not ours, and not close. Then nothing more will come of it.
    void give_up() {
        is_too_late_ = true;
        socket_->shutdown(net::tcp::socket::shutdown_both);
    }

    /// Whether the server asks who we are: at first, or because it does not want us under that name. No person can ask
    /// so: what people have said begins with their name, and a name has no spaces in it.
    static bool is_question(std::string_view line) {
        return line.ends_with(" What is your name?") && !line.substr(line.find(' ') + 1).starts_with("says: ");
    }

    /// Posts what is typed. At the end of the input, tells the server that no more will come. Then the server sends
    /// what we are owed, and closes.
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
    bool is_too_late_ = false;
};

}  // namespace

result<void, Why> talk_at_text_door(const Options& options) {
    asio::io_context loop(1);
    TextSession session(loop, options);
    return outcome_of(loop, session.run());
}

}  // namespace chat::client
