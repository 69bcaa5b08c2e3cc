#include "05_chat/base/notify.hpp"
#include "05_chat/client/keyboard.hpp"
#include "05_chat/client/session.hpp"
#include "05_chat/erlang/backend.hpp"
#include "05_chat/erlang/dist/identity.hpp"
#include "05_chat/erlang/room_connection.hpp"

#include <boost/asio.hpp>

namespace chat::client {

namespace {

namespace asio = boost::asio;

/// The room as --room named it.
std::string address(const ErlangRoom& room) {
    const std::string port = room.port == 0 ? "" : ":" + std::to_string(room.port);
    return room.name + "@" + room.node + port;
}

class ErlangSession {
public:
    ErlangSession(asio::io_context& loop, const Options& options, const ErlangRoom& where, std::string cookie)
        : loop_(loop),
          options_(options),
          address_(address(where)),
          keyboard_(loop),
          answered_(loop.get_executor()),
          echo_(loop.get_executor()),
          room_(loop, {erlang::passing_node_name("client"), erlang::random_number() | 1u, std::move(cookie)}, where, {},
                backlog_) {
        room_.on_heard = [this](PersonId, const std::string& text) {
            print(options_, text);
            if (!last_said_.empty() && text.ends_with(last_said_)) heard_last();
        };
        room_.on_in = [this](PersonId) { let_in(); };
        room_.on_out = [this](PersonId, const std::string& why) { end((is_in_ ? "thrown out: " : "refused: ") + why); };
        room_.on_down = [this](const std::string& why) { end("room is DOWN: " + why); };
    }

    net::awaitable<result<void, Why>> run() {
        const auto opened = co_await room_.open();
        if (!opened) co_return because("cannot join " + address_ + ": " + opened.error().words);
        room_.room()->join(person, options_.name);
        room_.flush();
        co_await answer();
        while (outcome_) {
            const auto line = co_await keyboard_.line();
            if (!line || room_.room() == nullptr) break;
            last_said_ = without_controls(*line);
            room_.room()->say(person, last_said_);
            // A room of ours tells it without this beginning.
            if (last_said_.starts_with(action)) last_said_.erase(0, action.size());
            room_.flush();
        }
        // What we said comes back to us, as to everybody.
        const Deadline deadline(loop_.get_executor(), erlang::echo_patience, [this] { heard_last(); });
        while (!last_said_.empty() && outcome_) co_await echo_.notified();
        if (outcome_ && room_.room() != nullptr) room_.room()->leave(person);
        is_done_ = true;
        room_.close("done");
        co_return outcome_;
    }

private:
    static constexpr PersonId person = 1;
    static constexpr std::size_t max_unread = 1 << 20;  // bytes that the room's node has not read

    /// Waits until the room has let us in, or has refused us, or has given no sign for join_patience.
    net::awaitable<void> answer() {
        const Deadline deadline(loop_.get_executor(), erlang::join_patience, [this] { let_in(); });
        while (!is_in_ && outcome_) co_await answered_.notified();
    }
    void let_in() {
        is_in_ = true;
        answered_.notify();
    }
    void heard_last() {
        last_said_.clear();
        echo_.notify();
    }
    void end(const std::string& why) {
        if (!is_done_) outcome_ = because(why);
        keyboard_.close();
        heard_last();
        answered_.notify();
    }

    asio::io_context& loop_;
    const Options& options_;
    std::string address_;
    Keyboard keyboard_;
    Notify answered_;
    bool is_in_ = false;
    Notify echo_;
    Backlog backlog_{max_unread, max_unread};
    erlang::RoomConnection room_;
    std::string last_said_;      // until it has come back
    result<void, Why> outcome_;  // why it is over before the end of the input, where it is
    bool is_done_ = false;
};

}  // namespace

result<void, Why> talk_in_erlang_room(const Options& options, const ErlangRoom& room) {
    const auto cookie = options.cookie ? *options.cookie : erlang::read_cookie();
    if (!cookie) return cookie.error();
    asio::io_context loop(1);
    ErlangSession session(loop, options, room, *cookie);
    return outcome_of(loop, session.run());
}

}  // namespace chat::client
