// Wrong: std::toupper gets a char, and each byte of a letter beyond ASCII is below 0.
// An upper-case service: every line comes back in capitals.

#include "listening.hpp"

#include <cctype>

namespace {

/// `line` with the letters a to z made capitals; every other byte as it is.
std::string reply_to(std::string_view line) {
    std::string reply(line);
    for (char& c : reply) {
        c = static_cast<char>(std::toupper(c));
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
