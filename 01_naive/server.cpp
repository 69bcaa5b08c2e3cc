// 01_naive: one thread, one client at a time.
//
// While it serves a client, nobody accepts. The next client is connected all the same, because the kernel finishes
// connections on its own; but it sits in the backlog, unheard, until the first one leaves.

#include "01_naive/server.hpp"

/// While a packet comes, send the reply.
void serve(app::Client& client, std::string_view prefix) {
    while (const auto packet = client.recv()) {
        if (!client.send({prefix, *packet})) break;
    }
}

/// One client, from its first packet to its last.
void session(app::Client& client, std::string_view prefix) {
    serve(client, prefix);
    client.close();
}

/// One client after the other: the next one is accepted when this one has left.
void accept_loop(net::Listener& listener, std::string_view prefix) {
    app::Door door(listener, server);
    while (auto socket = door.accept()) {
        app::Client client(std::move(*socket), server);
        session(client, prefix);
    }
}
