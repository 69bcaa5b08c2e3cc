// A thread for each client, until the descriptors are used up.

#include "02_thread_per_client/threads.hpp"
#include "listening.hpp"

#include <chrono>
#include <memory>
#include <thread>

namespace {

/// Until the next try: short enough for the client that waits, long enough to cost nothing.
constexpr std::chrono::milliseconds shortage_wait{100};

/// While a packet comes, send the reply.
void serve(net::Socket& client) {
    while (const auto line = client.recv()) {
        if (!client.send({"ECHO ", *line})) break;
    }
}

void accept_loop(net::Listener& listener, Threads& threads) {
    bool is_short = false;
    for (;;) {
        auto client = listener.accept();
        if (!client) {
            // Said once for each shortage: the log is a file, too, and may be what fills the disk.
            if (!is_short) std::cerr << "cannot accept: " << net::reason(client.error()) << std::endl;
            is_short = net::is_shortage(client.error());
            if (!is_short) return;
            std::this_thread::sleep_for(shortage_wait);
            continue;
        }
        is_short = false;
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
