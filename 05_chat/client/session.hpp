#pragma once

#include "05_chat/base/addresses.hpp"
#include "05_chat/base/why.hpp"
#include "net/awaitable.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What chat_client does, from the first word to the last: a session at a text door, or in a room on an Erlang node.
namespace chat::client {

/// Who we are, and where, as the options say.
struct Options {
    std::string name;
    std::string host = "127.0.0.1";
    std::uint16_t port = 1234;
    std::optional<std::string> cookie;  // none: ~/.erlang.cookie has it
    /// How long a text door may take to let us in: longer than ours makes anybody wait (Arrivals::longest_wait).
    std::chrono::milliseconds join_timeout{30'000};
};

/// Each runs until the input has ended, and what we are owed has come. The error says why it ended earlier.
result<void, Why> talk_at_text_door(const Options& options);
/// Where Erlang's side is not built, erlang_absent.cpp has this function, and says so.
result<void, Why> talk_in_erlang_room(const Options& options, const ErlangRoom& room);

// What both have in common.

/// What came from elsewhere, without what a terminal would obey instead of showing it.
std::string harmless(std::string_view text);
/// What the room said, as the original prints it.
void print(const Options& options, std::string_view text);
/// The session's outcome, when everything of it has ended.
result<void, Why> outcome_of(boost::asio::io_context& loop, net::awaitable<result<void, Why>> session);

}  // namespace chat::client
