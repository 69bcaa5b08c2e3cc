// Serves one client and ends, but not at once: at its end it waits for its disk, as servers of a busy machine do.
#include <cstdlib>
#include <string>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

/// The system takes whoever waits for a vfork() for somebody who waits for a disk.
void wait_as_for_a_disk() {
    if (::vfork() == 0) {
        ::usleep(700'000);
        ::_exit(0);
    }
}

}  // namespace

int main(int, char** argv) {
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(std::atoi(argv[1])));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return 1;
    if (::listen(listener, 8) != 0) return 1;
    const int client = ::accept(listener, nullptr, nullptr);
    std::string line = "ECHO ";
    for (char byte = 0; ::recv(client, &byte, 1, 0) == 1;) {
        line += byte;
        if (byte != '\n') continue;
        if (::send(client, line.data(), line.size(), MSG_NOSIGNAL) < 0) break;
        line = "ECHO ";
    }
    wait_as_for_a_disk();
}
