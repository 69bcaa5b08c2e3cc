// An echo server that makes one mistake on each connection, so that the tests see the load notice it.
#include "stick.hpp"

#include <sys/socket.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <string>
#include <thread>

using namespace bench;

namespace {

struct Mistake {
    std::string kind;
    std::size_t at;  // the reply it happens at, counted from 0 on each connection
};

// One message, or nothing when the client has closed.
bool receive(int socket, std::string& message) {
    return recv(socket, message.data(), message.size(), MSG_WAITALL) == static_cast<ssize_t>(message.size());
}

void answer(int socket, const std::string& bytes) {
    send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void serve(int socket, stick::Packet packet, Mistake mistake, std::size_t size) {
    const std::string prefix(packet == stick::Packet::line ? stick::echo : "");
    std::string message(size, '\0');
    for (std::size_t number = 0; receive(socket, message); ++number) {
        std::string reply = prefix + message;
        const std::size_t middle = reply.size() / 2;
        if (number == mistake.at) {
            const std::string& kind = mistake.kind;
            if (kind == "close") break;
            if (kind == "silent") continue;
            if (kind == "drop byte") reply.erase(middle, 1);
            if (kind == "change byte") reply[middle] ^= 1;
            if (kind == "double byte") reply.insert(middle, 1, reply[middle]);
            if (kind == "swap bytes")
                std::rotate(reply.begin() + middle, reply.begin() + middle + 1, reply.begin() + middle + 4);
            if (kind == "double message") reply += reply;
            if (kind == "swap messages" && receive(socket, message)) reply = prefix + message + reply;
            if (kind == "drop message" && receive(socket, message)) reply = prefix + message;
        }
        answer(socket, reply);
    }
    if (mistake.kind == "extra") answer(socket, "x");
    if (mistake.kind == "stay") pause();
    close(socket);
}

}  // namespace

int main(int argc, char** argv) {
    Mistake mistake{"none", 3};
    std::size_t size = 64;
    CLI::App app;
    app.allow_extras();  // --port and --packet, which are read by the sticks' own code
    app.add_option("--mistake", mistake.kind);
    app.add_option("--at", mistake.at);
    app.add_option("--size", size);
    CLI11_PARSE(app, argc, argv);
    std::vector<std::string> rest = app.remaining();
    std::vector<char*> arguments{argv[0]};
    for (std::string& word : rest) arguments.push_back(word.data());
    const auto [listener, packet] = stick::start(static_cast<int>(arguments.size()), arguments.data(), "wrong");
    for (;;) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) std::thread(serve, client, packet, mistake, size).detach();
    }
}
