// The original's client: it joins a room under a name, prints what the room says, and posts what is typed.
//
//     Michael's client: Mikey says: Hello!
//
// The room is on an Erlang node (--room), ours or one in Elixir, or behind a text door (--connect).
// Whatever the room says, nothing but text reaches our terminal. A client that is not let in ends with exit code 1.

#include "05_chat/client/session.hpp"
#include "05_chat/room/names.hpp"
#include "app/options.hpp"

#include <csignal>
#include <iostream>

int main(int argc, char** argv) {
    app::CommandLine line("chat_client", "Joins a room, prints what it says, posts what is typed.");
    chat::client::Options options;
    std::string room_text, cookie_text;
    line.group("Who and where");
    line.text("--name", options.name, "NAME", "Who you are");
    line.require("--name");
    line.text("--room", room_text, "ROOM", "A room on an Erlang node: chatroom@room1@host[:port]");
    line.server(options.host, options.port);
    for (const char* const door : {"--connect", "--host", "--port"}) line.exclude(door, "--room");
    line.seconds("--join-timeout", options.join_timeout, std::chrono::hours(24),
                 "How long the server may take to let you in; 0: as long as it likes");
    line.text("--cookie", cookie_text, "TEXT", "What the node wants to hear; else ~/.erlang.cookie has it");
    line.parse_or_exit(argc, argv);
    if (line.was_given("--cookie")) options.cookie = cookie_text;
    if (const auto wrong = chat::check_name(options.name)) {
        line.usage_error("--name: " + std::string(chat::reason(*wrong)));
    }
    const auto where = chat::parse_erlang_room(room_text);
    if (line.was_given("--room") && !where) {
        line.usage_error("--room: " + room_text + ": chatroom@room1@host[:port] is allowed");
    }
    std::signal(SIGPIPE, SIG_IGN);
    const auto outcome = where ? talk_in_erlang_room(options, *where) : talk_at_text_door(options);
    if (outcome) return EXIT_SUCCESS;
    std::cerr << "chat_client: " << outcome.error().words << std::endl;
    return EXIT_FAILURE;
}
