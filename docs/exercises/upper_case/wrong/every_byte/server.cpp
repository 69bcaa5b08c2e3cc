// Wrong: 32 is taken from everything that is above 'Z', not from letters alone.
// An upper-case service: every line comes back in capitals.

#include "listening.hpp"

namespace {

/// `line` with the letters a to z made capitals; every other byte as it is.
std::string reply_to(std::string_view line) {
    std::string reply(line);
    for (char& c : reply) {
        if (c > 'Z') c = static_cast<char>(c - 32);
    }
    return reply;
}

/// While a packet comes, send the reply.
void serve(net::Socket& client) {
    while (const auto line = client.recv()) {
        if (!client.send({reply_to(*line)})) break;
    }
}

}  // namespace

int main(int argc, char** argv) {
    boost::asio::io_context loop;
    auto listener = listen_or_exit(loop, argc, argv);
    while (auto client = listener.accept()) serve(*client);
}
