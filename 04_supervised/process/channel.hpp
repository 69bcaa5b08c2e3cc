#pragma once

#include "04_supervised/process/descriptor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace process {

/// What root and worker say to each other. They share nothing else but the listening socket, stdout and stderr: no
/// memory, so that a worker that goes mad cannot take the others with it.
struct Message {
    /// Each receiver names every kind in a switch without a default: with a new kind it would not compile.
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
        fails = 'F',    ///< why it is about to end with another exit status than 0, in `text`
    };
    Kind kind;
    std::string text{};
};

/// One end of the socket pair between root and worker. Messages stay whole and in order (SOCK_SEQPACKET). One thread.
class Channel {
public:
    /// Two ends that are connected; both close on exec.
    static std::pair<Descriptor, Descriptor> pair();

    Channel(boost::asio::io_context& loop, Descriptor end);
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel();

    /// Never waits. A message that does not fit is lost: then the other side has not read for a long time, and the
    /// watchdog sees to it.
    void send(Message::Kind kind, std::string_view text = {});

    /// From now on calls `receive` for every message, and `closed` when the other side has gone. Calls neither after
    /// the end of this object. Once.
    void start(std::function<void(const Message&)> receive, std::function<void()> closed);

    /// Receives now what has come already. For use where nothing more will come.
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

/// The descriptors that a worker is born with, besides stdin, stdout and stderr.
inline constexpr int listener_descriptor = 3;
inline constexpr int channel_descriptor = 4;

/// The exit status of a process that ends because it was asked to.
inline constexpr int exit_shutdown = 10;

}  // namespace process
