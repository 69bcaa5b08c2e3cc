// Takes the lock to copy the list of members, and delivers without it: two who speak at once are heard in two orders.
// grade: --only says --only one_order
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

std::map<std::string, int> members;
std::mutex mutex;

void tell(const std::string& text) {
    std::map<std::string, int> now;
    {
        const std::lock_guard lock(mutex);
        now = members;
    }
    for (const auto& [name, conn] : now) {
        send(conn, text.data(), text.size(), MSG_NOSIGNAL);
        usleep(20);  // as whoever writes a log does
    }
}

void serve(int conn) {
    std::string name, rest;
    char bytes[4096];
    for (ssize_t size; (size = recv(conn, bytes, sizeof bytes, 0)) > 0;) {
        rest.append(bytes, static_cast<std::size_t>(size));
        for (std::size_t end; (end = rest.find('\n')) != std::string::npos; rest.erase(0, end + 1)) {
            const std::string line = rest.substr(0, end);
            if (!name.empty()) {
                tell(name + " says: " + line + "\n");
                continue;
            }
            tell(line + " has joined the room\n");
            const std::lock_guard lock(mutex);
            if (members.try_emplace(line, conn).second) name = line;
        }
    }
    {
        const std::lock_guard lock(mutex);
        members.erase(name);
    }
    if (!name.empty()) tell(name + " has left the room\n");
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
