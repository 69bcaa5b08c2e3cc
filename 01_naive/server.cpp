// 01_naive: one thread, one client at a time.
//
// While it serves a client, nobody accepts. The next client is connected all the same, because the kernel finishes
// connections on its own; but it sits in the backlog, unheard, until the first one leaves.

#include "app/server.hpp"
#include "app/events.hpp"
#include "app/faults.hpp"

#include <thread>

namespace {

namespace events = app::events;

constexpr app::Who server{"server"};

/// While a packet comes, send the reply.
void serve(net::Socket& client, std::string_view prefix) {
    app::tell(server, events::waits_for_data);
    while (const auto packet = client.recv()) {
        app::tell_data(server, *packet);
        app::faults::obey(*packet);
        if (!client.send({prefix, *packet})) break;
        app::tell(server, events::waits_for_data);
    }
}

/// The next client. Where the system is short of descriptors, it stays in the backlog until one is free.
net::Socket accept(net::Listener& listener) {
    app::tell(server, events::waits_for_client);
    for (;;) {
        auto client = listener.accept();
        if (client) return std::move(*client);
        app::tell_shortage(server, client.error());
        std::this_thread::sleep_for(app::shortage_wait);
    }
}

void accept_loop(net::Listener& listener, std::string_view prefix) {
    for (;;) {
        auto client = accept(listener);
        app::tell_connected(server, client);
        serve(client, prefix);
        app::tell_closed(server, client.why_closed());
        client.close();
    }
}

}  // namespace

int main(int argc, char** argv) {
    app::CommandLine line("01_naive", "One thread that serves one client at a time; the next one waits.");
    app::ServerOptions options;
    options.declare(line);
    line.parse_or_exit(argc, argv);
    options.apply();

    boost::asio::io_context loop;  // Asio's sockets belong to one, even where nothing runs it
    auto listener = app::listen_or_exit(loop, options);
    app::announce(options, listener);
    // SIGINT and SIGTERM are left alone: they end the process in the middle of whatever it does. 02 does better.
    accept_loop(listener, options.reply_prefix());
}
