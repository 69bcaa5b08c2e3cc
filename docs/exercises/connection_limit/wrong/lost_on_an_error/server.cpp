// Wrong: a client that cannot be answered any more does not give its permit back.
// A thread for each client, and at most max_clients of them.

#include "02_thread_per_client/threads.hpp"
#include "listening.hpp"

#include <memory>
#include <semaphore>

namespace {

constexpr int max_clients = 2;

using Permits = std::counting_semaphore<max_clients>;

/// While a packet comes, send the reply.
void serve(net::Socket& client, Permits& permits) {
    while (const auto line = client.recv()) {
        if (!client.send({"ECHO ", *line})) return;
    }
    client.close();
    permits.release();
}

void accept_loop(net::Listener& listener, Threads& threads, Permits& permits) {
    for (;;) {
        // Before the client: one that is not accepted waits in the backlog, and costs us nothing.
        permits.acquire();
        auto client = listener.accept();
        if (!client) break;
        threads.start(
            [&permits, client = std::make_shared<net::Socket>(std::move(*client))] { serve(*client, permits); });
    }
}

}  // namespace

int main(int argc, char** argv) {
    boost::asio::io_context loop;
    auto listener = listen_or_exit(loop, argc, argv);
    Permits permits(max_clients);
    Threads threads;
    accept_loop(listener, threads, permits);
}
