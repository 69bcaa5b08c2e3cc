#pragma once

#include "04_supervised/process/descriptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

/// What root and worker say to each other. Everything else that they share is the listening socket, stdout and stderr:
/// no memory, so that a worker that goes mad cannot take the others with it.
namespace control {

/// The descriptors a worker is born with, besides stdin, stdout and stderr.
inline constexpr int listener_descriptor = 3;
inline constexpr int control_descriptor = 4;

/// Exit statuses of a worker, as reasons: 0 is normal, this one `shutdown`, any other abnormal.
inline constexpr int exit_shutdown = 10;

struct Message {
    enum class Kind : char {
        // From the root.
        start_accepting = 's',
        heartbeat = 'h',
        stop = 'x',    ///< stop accepting; sessions that owe no reply end now, the others may finish
        retire = 'r',  ///< stop accepting; sessions go on until their clients leave, or the time for it is over
        get_tree = 't',
        // From the worker.
        ready = 'R',    ///< set up, and waits for start_accepting
        alive = 'H',    ///< the answer to a heartbeat: each of its event loops has moved since the last one
        drained = 'D',  ///< no client any more; it waits to be told to exit (SIGTERM)
        tree = 'T',     ///< the answer to get_tree, in `text`
        changed = 'C',  ///< its tree is not what it was (with --tree only)
    };
    Kind kind;
    std::string text{};
};

/// One end of the socket pair between the two. Messages stay whole and in order (SOCK_SEQPACKET). One thread.
class Socket {
public:
    /// Two ends that are connected; both close on exec.
    static std::pair<Descriptor, Descriptor> pair();

    Socket(boost::asio::io_context& loop, Descriptor end);
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    ~Socket();

    /// Never waits. What does not fit is lost: the other side has not read for a long time, and the watchdog sees to
    /// it.
    void send(Message::Kind kind, std::string_view text = {});

    /// From now on calls `receive` for every message, and `closed` when the other side has gone; never after this
    /// object has. Once.
    void start(std::function<void(const Message&)> receive, std::function<void()> closed);

    /// Receives now what has come already, for whoever knows that nothing more will.
    void receive_rest();

    /// The longest message that is received, in bytes: a tree of a thousand lines.
    static constexpr std::size_t max_size = 128 * 1024;

private:
    struct State;
    enum class Read { message, nothing, end };
    static Read read(State& state);
    static void wait(const std::shared_ptr<State>& state);

    std::shared_ptr<State> state_;  // shared with a wait under way
};

}  // namespace control
