// --handoff: the acceptor starts the next acceptor, and becomes the client's handler itself. The client stays where it
// is, and nobody shares it.

#include "02_thread_per_client/server.hpp"

void accept_and_hand_off(Server& server, std::uint64_t number) {
    app::Door door(server.listener, {"acceptor", number});
    app::name_thread(door.who());
    while (auto socket = door.accept()) {
        app::Client client(std::move(*socket), {"handler", number});
        const auto next = [&server, number] { accept_and_hand_off(server, number + 1); };
        if (start_thread(server, door.who(), client, next)) return session(server, client);
    }
}
