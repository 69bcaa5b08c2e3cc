#pragma once

#include "chat_words.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <vector>

/// The load on a server, with every byte of the answers checked. One thread, the caller's.
namespace bench {

inline constexpr std::size_t spare_files = 64;  ///< what a process has open besides connections

enum class Kind {
    echo,   ///< open all connections, keep `depth` messages in flight on each
    churn,  ///< connect, one message, close, over and over, on `connections` at a time
    idle,   ///< open all connections, one message each, and weigh the server
    chat,   ///< members of a room, or of several, some of whom speak; everybody must hear every line once, in one order
};

struct Plan {
    Kind kind = Kind::echo;
    std::uint16_t port = 0;       ///< on 127.0.0.1
    bool lines = true;            ///< line mode ("ECHO " precedes the line in its reply), else raw
    std::size_t connections = 1;  ///< 1 ... 60000, and no more than this process may have open files; chat: members
    std::size_t size = 64;        ///< bytes of a message, in line mode with its "\n": 10 ... 1 MiB
    std::size_t depth = 1;        ///< messages in flight on a connection, 1 ... 4096; chat: that not all have heard
    std::optional<pid_t> server;  ///< whose CPU time and memory are read; nobody's if empty
    std::chrono::milliseconds warm_up{200};
    std::chrono::milliseconds measured{1000};
    std::chrono::milliseconds patience{10000};  ///< how long nothing at all may come before the run has failed

    // Of a chat.
    Dialect dialect = Dialect::text;
    std::size_t senders = 1;  ///< members that speak, 1 ... connections; each has `depth` lines in flight
    std::size_t deaf = 0;     ///< members more, who join, never read, and need not hear anything
    std::size_t rooms = 1;    ///< that members are dealt out to, and senders with them; more than one: only in `text`,
                              ///< and without deaf ones
    /// A line is done when its speaker sees it, and counts once; otherwise when the last member does, and it counts
    /// once for each.
    bool acknowledged = false;
    std::uint64_t enough = 0;  ///< so many messages end the measured time early; 0: none do
    struct Node {
        std::uint16_t port;
        pid_t server;
    };
    std::vector<Node> more_nodes = {};  ///< besides `port` and `server`, with the same rooms: members take turns
    /// Called when the measured time begins, which then ends with the first line that is done after it. Lines that are
    /// no member's (that something is out of order) are passed over.
    std::function<void()> outage = {};

    // What is done to the server meanwhile. It must have been started with --faults.
    std::size_t throw_every = 0;             ///< churn: each so manieth session is ended by `!throw`; 0: none
    std::chrono::milliseconds abort_each{};  ///< echo: how often one sends `!abort`; whoever is thrown out comes again
};

struct Report {
    std::uint64_t messages = 0;  ///< answered while measured; churn: connections; idle: all; chat: lines heard, or
                                 ///< said, where Plan::acknowledged
    double seconds = 0;          ///< measured
    double server_cpu = 0;       ///< seconds of CPU the server used meanwhile
    double load_cpu = 0;         ///< seconds of CPU this process used meanwhile
    double median_us = 0;        ///< from a message's write to the end of its reply; churn: of a connection's life;
                                 ///< chat: until the last member has it, or its speaker, where Plan::acknowledged
    double p99_us = 0;
    double bytes_per_connection = 0;  ///< what the server's memory grew by for each; not in churn
    double silence = 0;               ///< seconds at the most between two lines done; only in chat
    double taken = 0;                 ///< the share of two processors that others had meanwhile, or a host took away
    double switches = 0;              ///< how often a thread of the server stopped running: to wait, or pushed away
    double bytes_grown = 0;           ///< how far the server's memory rose at the most while measured; only in chat
    std::uint64_t faults = 0;         ///< sessions thrown or processes aborted while measured
};

/// The server answered wrongly, or not at all: one line that says which connection, where, and what was there instead.
struct WrongAnswer : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// It closed the connection too early.
struct Closed : WrongAnswer {
    using WrongAnswer::WrongAnswer;
};

/// Somebody asked for an end: not a failure, but there is no report either.
struct Interrupted : std::runtime_error {
    Interrupted() : std::runtime_error("interrupted") {}
};

/// Runs the load: sets up, warms up, measures, waits for what is in flight, half-closes, and checks that the server
/// closes without another byte. Throws WrongAnswer, Interrupted within 100 ms of `stop`, std::invalid_argument for a
/// plan outside the limits above, std::system_error where the system refuses.
Report run(const Plan& plan, std::stop_token stop);

}  // namespace bench
