// Wrong: it accepts one too many, and then has to do something with that client: it sends it away.
// A thread for each client, and at most max_clients of them.

#include "02_thread_per_client/threads.hpp"
#include "listening.hpp"

#include <atomic>
#include <memory>

namespace {

constexpr int max_clients = 2;

/// While a packet comes, send the reply.
void serve(net::Socket& client) {
    while (const auto line = client.recv()) {
        if (!client.send({"ECHO ", *line})) break;
    }
}

void accept_loop(net::Listener& listener, Threads& threads) {
    std::atomic<int> clients = 0;
    for (;;) {
        auto client = listener.accept();
        if (!client) break;
        if (clients >= max_clients) {
            client->close();
            continue;
        }
        ++clients;
        threads.start([&clients, client = std::make_shared<net::Socket>(std::move(*client))] {
            serve(*client);
            --clients;
        });
    }
}

}  // namespace

int main(int argc, char** argv) {
    boost::asio::io_context loop;
    auto listener = listen_or_exit(loop, argc, argv);
    Threads threads;
    accept_loop(listener, threads);
}
