// Leaves SIGPIPE alone: writing to a client that has gone ends the process.
#include <cstdlib>
#include <string>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int, char** argv) {
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<unsigned short>(std::atoi(argv[1])));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(server, 128) != 0) return 1;
    for (;;) {
        const int client = accept(server, nullptr, nullptr);
        std::string buffer;
        char bytes[4096];
        ssize_t size = 0;
        while ((size = read(client, bytes, sizeof bytes)) > 0) {
            buffer.append(bytes, static_cast<std::size_t>(size));
            std::size_t end = 0;
            while ((end = buffer.find('\n')) != std::string::npos) {
                usleep(200);  // its work: time enough for a client to leave
                // Nobody looks whether it worked: the first write after a reset fails, the second one kills.
                (void)!write(client, "ECHO ", 5);
                (void)!write(client, buffer.data(), end + 1);
                buffer.erase(0, end + 1);
            }
        }
        if (size == 0 && !buffer.empty()) buffer.insert(0, "ECHO ");
        if (size == 0 && write(client, buffer.data(), buffer.size()) < 0) _exit(1);
        close(client);
    }
}
