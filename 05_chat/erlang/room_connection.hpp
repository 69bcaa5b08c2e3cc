#pragma once

#include "05_chat/base/addresses.hpp"
#include "05_chat/base/why.hpp"
#include "05_chat/erlang/dist/peer.hpp"
#include "05_chat/erlang/remote_room.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace erlang {

/// How long newcomers wait for a sign that the room has let them in, or not. A room of ours gives it at once. A room in
/// Elixir may give none: then they are in.
inline constexpr std::chrono::milliseconds join_patience{500};

/// A room on another Erlang node, ours or one in Elixir, and our connection to that node. The loop's thread only.
class RoomConnection {
public:
    /// `backlog` must outlive the loop's work.
    RoomConnection(boost::asio::io_context& loop, Identity identity, chat::ErlangRoom where, Bounds bounds,
                   chat::Backlog& backlog);

    // What happens is told to these; to be set before open().

    std::function<void(chat::PersonId person, const std::string& text)> on_heard;
    /// The room has let them in. This comes before anything that they hear; a room that gives no sign never says it.
    std::function<void(chat::PersonId person)> on_in;
    /// The room has not let them in, or has thrown them out; or somebody else there has ended their process. `why` is
    /// the end of a sentence.
    std::function<void(chat::PersonId person, const std::string& why)> on_out;
    /// The room has ended, or its node has. Everybody is out.
    std::function<void(const std::string& why)> on_down;

    /// Connects, and asks whether there is such a room. After on_down it may be called again.
    net::awaitable<chat::result<void, chat::Why>> open();
    /// Null unless open.
    RemoteRoom* room() { return is_open_ ? &*room_ : nullptr; }
    /// After anything said to room().
    void flush() {
        if (peer_) peer_->flush();
    }
    void close(std::string why);

private:
    net::awaitable<chat::result<void, chat::Why>> connect();
    net::awaitable<Clock::duration> handle(Event& event);
    // A new kind of event needs a handler here.
    void handle(const NameGiven&) {}  // only whoever is called gets it
    void handle(const Up& event);
    void handle(const Message& message);
    void handle(const Monitored& event);
    void handle(const Down& event);
    void handle(const ExitSignal& event);
    void handle(const Ignored&) {}
    void handle(const Closed& event);
    void fail(std::string why);
    void end(std::string why);

    boost::asio::io_context& loop_;
    ProcessTable processes_;
    chat::ErlangRoom where_;
    Bounds bounds_;
    chat::Backlog& backlog_;
    std::shared_ptr<Peer> peer_;
    std::optional<RemoteRoom> room_;
    bool is_open_ = false;
    bool is_reported_ = false;           // open() has said so
    std::optional<std::string> failed_;  // why it is not open, or not any more
    chat::Notify opened_;
};

}  // namespace erlang
