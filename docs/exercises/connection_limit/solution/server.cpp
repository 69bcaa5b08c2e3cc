// A thread for each client, and at most max_clients of them.

#include "02_thread_per_client/threads.hpp"
#include "listening.hpp"

#include <memory>
#include <semaphore>

namespace {

constexpr int max_clients = 2;

using Permits = std::counting_semaphore<max_clients>;

/// The right to serve one client; given back when it is destroyed, however its client left.
class Permit {
public:
    /// Waits for a free one.
    explicit Permit(Permits& permits) : permits_(permits) { permits_.acquire(); }
    ~Permit() { permits_.release(); }
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;

private:
    Permits& permits_;
};

/// While a packet comes, send the reply.
void serve(net::Socket& client) {
    while (const auto line = client.recv()) {
        if (!client.send({"ECHO ", *line})) break;
    }
}

void accept_loop(net::Listener& listener, Threads& threads, Permits& permits) {
    for (;;) {
        // Before the client: one that is not accepted waits in the backlog, and costs us nothing.
        auto permit = std::make_shared<Permit>(permits);
        auto client = listener.accept();
        if (!client) break;
        threads.start(
            [permit = std::move(permit), client = std::make_shared<net::Socket>(std::move(*client))]() mutable {
                serve(*client);
                client.reset();  // closed first: the next one served must not be one too many
                permit.reset();
            });
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
