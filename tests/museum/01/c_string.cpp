// Treats the line as a C string: it ends at the first NUL.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <csignal>

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
    for (;;) {
        FILE* const stream = fdopen(accept(server, nullptr, nullptr), "r+");
        char* line = nullptr;
        std::size_t size = 0;
        while (getline(&line, &size, stream) > 0) {
            dprintf(fileno(stream), "ECHO %s", line);
        }
        std::free(line);
        std::fclose(stream);
    }
}
