#pragma once

#include "02_thread_per_client/open_sockets.hpp"
#include "02_thread_per_client/threads.hpp"
#include "app/client.hpp"
#include "app/door.hpp"
#include "app/events.hpp"
#include "app/thread_name.hpp"

#include <cstdint>
#include <exception>
#include <utility>

/// What the threads of this server share.
struct Server {
    net::Listener listener;
    std::string_view prefix;
    OpenSockets sockets;
    Threads threads;
};

/// Starts a thread for a client's sake. A system that refuses one costs this client, and nobody else: then it is
/// closed, and false.
template <class Body>
bool start_thread(Server& server, app::Who acceptor, app::Client& client, Body body) try {
    server.threads.start(std::move(body));
    return true;
} catch (const std::exception& refused) {
    app::tell_seldom(acceptor, app::events::cannot_start_thread, refused.what());
    client.socket().refuse("no thread for you, try again later");
    return false;
}

/// What server.cpp shows.
void serve(app::Client& client, std::string_view prefix);
void session(Server& server, app::Client& client);
void accept_loop(Server& server);

/// What handoff.cpp shows: the other shape. `number` is the acceptor's.
void accept_and_hand_off(Server& server, std::uint64_t number);
