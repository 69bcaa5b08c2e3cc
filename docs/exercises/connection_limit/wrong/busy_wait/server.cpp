// Wrong: it waits before accepting, but in a loop that burns a processor.
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
        while (clients >= max_clients) {
        }
        auto client = listener.accept();
        if (!client) break;
        ++clients;
        threads.start([&clients, client = std::make_shared<net::Socket>(std::move(*client))]() mutable {
            serve(*client);
            client.reset();
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
