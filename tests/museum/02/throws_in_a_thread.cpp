// An exception leaves a thread, and with it the whole process ends.
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

void serve(int client) {
    std::string buffer;
    char bytes[4096];
    for (;;) {
        const ssize_t size = read(client, bytes, sizeof bytes);
        if (size < 0) throw std::runtime_error("cannot read");
        if (size == 0) break;
        buffer.append(bytes, static_cast<std::size_t>(size));
        std::size_t end = 0;
        while ((end = buffer.find('\n')) != std::string::npos) {
            const std::string reply = "ECHO " + buffer.substr(0, end + 1);
            buffer.erase(0, end + 1);
            for (std::size_t sent = 0; sent < reply.size();) {
                const ssize_t more = write(client, reply.data() + sent, reply.size() - sent);
                if (more < 0) throw std::runtime_error("cannot write");
                sent += static_cast<std::size_t>(more);
            }
        }
    }
    const std::string last = buffer.empty() ? "" : "ECHO " + buffer;
    if (write(client, last.data(), last.size()) < 0) throw std::runtime_error("cannot write");
    close(client);
}

int main(int, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<unsigned short>(std::atoi(argv[1])));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(server, 128) != 0) return 1;
    for (;;) std::thread(serve, accept(server, nullptr, nullptr)).detach();
}
