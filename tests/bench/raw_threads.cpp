// The measuring stick for 02: a blocking thread for each client.
#include "stick.hpp"

#include <sys/socket.h>

#include <unistd.h>
#include <system_error>
#include <thread>

int main(int argc, char** argv) {
    using namespace bench::stick;
    const auto [listener, packet] = start(argc, argv, "Echo, a blocking thread for each client");
    for (;;) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client < 0) continue;
        try {
            std::thread(serve_blocking, client, packet).detach();
        } catch (const std::system_error&) {
            close(client);
        }
    }
}
