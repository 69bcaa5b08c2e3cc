#pragma once

#include <cstddef>
#include <string_view>

/// What the measuring sticks share. They are the floor under our servers' figures: plain system calls, no library,
/// and of the servers' contract only what a fair comparison needs (raw and line mode without telnet, TCP_NODELAY,
/// close-on-exec, bounded memory).
namespace bench::stick {

inline constexpr std::size_t max_line = 64 * 1024;  ///< bytes of a line, its ending included; a longer one is refused
inline constexpr std::size_t read_size =
    64 * 1024;                                     ///< bytes asked of one read: costs 4 times less than 16 KiB at depth
inline constexpr std::string_view echo = "ECHO ";  ///< what precedes a line in its reply
inline constexpr std::string_view too_long = "ERROR line too long\r\n";

/// A reader's buffer: what is left of the unfinished line, and one read behind it.
inline constexpr std::size_t in_size = max_line + read_size;
/// The replies to a full buffer of empty lines, the costliest there is: "\n" becomes "ECHO \n".
inline constexpr std::size_t out_size = in_size * (echo.size() + 1);

enum class Packet { raw, line };

struct Listening {
    int socket;     ///< bound to 127.0.0.1, listening, with TCP_NODELAY, which accepted sockets inherit
    Packet packet;  ///< from --packet
};

/// Reads --port and --packet, listens, and prints `Listening on 127.0.0.1:PORT`. Ends the process where it cannot:
/// 2 for wrong usage, 1 when the system refuses.
Listening start(int argc, char** argv, const char* description);

struct Answered {
    std::size_t consumed;  ///< bytes of `in` that were whole lines
    std::size_t written;   ///< bytes put into `out`
};

/// The replies to all whole lines of `in`, one after another. `out` has room for out_size bytes.
Answered answer_lines(std::string_view in, char* out);

/// Serves one client on a blocking socket until it closes, then closes the socket.
void serve_blocking(int socket, Packet packet);

}  // namespace bench::stick
