#pragma once

#include <atomic>
#include <cerrno>

#include <sys/socket.h>

/// What the next accept(2) fails with; 0: nothing.
inline std::atomic<int> accept_error = 0;

/// Stands in for the system's, some of whose errors cannot be brought about. A program includes this once.
extern "C" int accept(int descriptor, sockaddr* address, socklen_t* size) {
    if (const int error = accept_error.exchange(0)) {
        errno = error;
        return -1;
    }
    return ::accept4(descriptor, address, size, 0);
}
