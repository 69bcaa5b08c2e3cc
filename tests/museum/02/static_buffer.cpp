// Collects the line in a static buffer, which all threads share.
// grade: --only second_client --only five_at_once
#include <cstdlib>
#include <string>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

char answer[4096];

void serve(int conn) {
    char bytes[4096];
    std::string line;
    for (ssize_t size; (size = recv(conn, bytes, sizeof bytes, 0)) > 0;) {
        for (ssize_t i = 0; i < size; ++i) {
            line += bytes[i];
            if (bytes[i] != '\n') continue;
            const std::string text = "ECHO " + line;
            text.copy(answer, sizeof answer);
            usleep(20);  // as whoever writes a log does
            send(conn, answer, text.size(), MSG_NOSIGNAL);
            line.clear();
        }
    }
    close(conn);
}

int main(int, char** argv) {
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<in_port_t>(atoi(argv[1])));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(server, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(server, 128) != 0) return 1;
    for (;;) {
        const int conn = accept(server, nullptr, nullptr);
        if (conn >= 0) std::thread(serve, conn).detach();
    }
}
