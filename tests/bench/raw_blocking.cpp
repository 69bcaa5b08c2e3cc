// The measuring stick for 01: one client at a time.
#include "stick.hpp"

#include <sys/socket.h>

int main(int argc, char** argv) {
    using namespace bench::stick;
    const auto [listener, packet] = start(argc, argv, "Echo, blocking, one client at a time");
    for (;;) {
        const int client = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) serve_blocking(client, packet);
    }
}
