// 02_thread_per_client: a thread for each client.
//
// The acceptor only accepts; whoever it accepts gets a thread, which may wait for its client as long as it likes. The
// price is the thread: its stack, and a switch of threads for each message.

#include "02_thread_per_client/server.hpp"

/// While a packet comes, send the reply.
void serve(app::Client& client, std::string_view prefix) {
    while (const auto packet = client.recv()) {
        if (!client.send({prefix, *packet})) break;
    }
}

/// One client, in a thread of its own. An exception that left a thread would end the whole process.
void session(Server& server, app::Client& client) try {
    app::name_thread({"client", client.who().number});
    {
        const OpenSockets::Entry entry(server.sockets, client.socket());
        serve(client, server.prefix);
    }
    client.close();
} catch (const std::exception& error) {
    app::tell(client.who(), app::events::crashed, error.what());
}

/// A thread for each client. Shared, because the client must live until its thread is done with it.
void accept_loop(Server& server) {
    app::Door door(server.listener, {"acceptor", 1});
    app::name_thread(door.who());
    for (std::uint64_t number = 1; auto socket = door.accept(); ++number) {
        try {
            const auto client = std::make_shared<app::Client>(std::move(*socket), app::Who{"handler", number});
            start_thread(server, door.who(), *client, [&server, client] { session(server, *client); });
        } catch (const std::bad_alloc& no_memory) {  // this client pays: its socket is closed, and we go on
            app::tell_seldom(door.who(), app::events::cannot_start_thread, no_memory.what());
        }
    }
}
