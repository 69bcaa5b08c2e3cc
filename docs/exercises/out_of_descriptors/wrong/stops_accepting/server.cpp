// Wrong: it serves those whom it has, but accepts nobody any more.
// A thread for each client, until the descriptors are used up.

#include "02_thread_per_client/threads.hpp"
#include "listening.hpp"

#include <chrono>
#include <memory>

namespace {

/// While a packet comes, send the reply.
void serve(net::Socket& client) {
    while (const auto line = client.recv()) {
        if (!client.send({"ECHO ", *line})) break;
    }
}

void accept_loop(net::Listener& listener, Threads& threads) {
    for (;;) {
        auto client = listener.accept();
        if (!client) {
            std::cerr << "cannot accept: " << net::reason(client.error()) << std::endl;
            threads.join_all(std::chrono::hours(1));
            return;
        }
        threads.start([client = std::make_shared<net::Socket>(std::move(*client))] { serve(*client); });
    }
}

}  // namespace

int main(int argc, char** argv) {
    boost::asio::io_context loop;
    auto listener = listen_or_exit(loop, argc, argv);
    Threads threads;
    accept_loop(listener, threads);
}
