// Echoes over a pair of sockets, with a send that takes little at a time.

#include "echo.hpp"

#include "checking.hpp"

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

using namespace checking;
using namespace std::string_literals;

namespace {

constexpr std::size_t most_at_once = 7;  // bytes
constexpr timeval patience{5, 0};        // for bytes that should come back
bool is_interrupted = false;             // the next send is, before it takes anything

}  // namespace

/// In place of the C library's: what a kernel may do at any time, done each time.
extern "C" ssize_t send(int socket, const void* bytes, std::size_t size, int flags) {
    if (is_interrupted) {
        is_interrupted = false;
        errno = EINTR;
        return -1;
    }
    return ::syscall(SYS_sendto, socket, bytes, std::min(size, most_at_once), flags, nullptr, 0);
}

namespace {

/// What comes back of `data`, up to the end of the stream.
std::string echoed(const std::string& data) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) wrong("a pair of sockets", strerror(errno));
    ::setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::write(ends[0], data.data(), data.size()) < 0) wrong("that the check can write", strerror(errno));
    ::shutdown(ends[0], SHUT_WR);
    echo(ends[1]);
    ::close(ends[1]);
    std::string back;
    char bytes[512];
    for (ssize_t size; (size = ::read(ends[0], bytes, sizeof bytes)) > 0;) {
        back.append(bytes, static_cast<std::size_t>(size));
    }
    ::close(ends[0]);
    return back;
}

}  // namespace

int main() {
    step("a short one comes back", [] { must_be("what comes back", echoed("hello\n"), "hello\n"s); });
    step("a long one comes back whole", [] {
        const std::string data = "a line that is longer than seven bytes\n";
        must_be("what comes back", echoed(data), data,
                "send returns how many bytes it has taken: the rest is still to be sent, from there on.");
    });
    step("bytes of any kind", [] {
        const std::string data("\0\xff\r\n\0 and more", 14);
        must_be("what comes back", echoed(data), data, "How long it is, recv has said.");
    });
    step("a signal interrupts send", [] {
        is_interrupted = true;
        must_be("what comes back", echoed("interrupted\n"), "interrupted\n"s, "EINTR: nothing was taken, ask again.");
    });
    step("a client that has gone", [] {
        std::signal(SIGPIPE, [](int) {
            wrong("that the program goes on", "SIGPIPE ends it",
                  "To send to somebody who has gone raises a signal; MSG_NOSIGNAL makes it an error.");
        });
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) wrong("a pair of sockets", strerror(errno));
        if (::write(ends[0], "goodbye\n", 8) < 0) wrong("that the check can write", strerror(errno));
        ::close(ends[0]);
        echo(ends[1]);
        ::close(ends[1]);
    });
}
