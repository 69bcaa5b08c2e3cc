#pragma once

#include "05_chat/erlang/dist/control.hpp"
#include "05_chat/erlang/dist/handshake.hpp"
#include "05_chat/erlang/dist/process_table.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace erlang {

using Clock = std::chrono::steady_clock;

/// What one peer may cost us.
struct Bounds {
    std::chrono::seconds handshake{5};  // --handshake-timeout: from the connection to the end of the handshake
    std::chrono::seconds tick{15};      // we send something at least so often (a BEAM's net_ticktime / 4)
    std::chrono::seconds silence{60};   // and a peer that sends nothing for so long is gone
    std::size_t max_frame = 1 << 20;    // bytes of one frame after the handshake
    std::size_t max_output = 1 << 20;   // --max-backlog: bytes that wait because the peer does not read
    std::size_t max_monitors = 20000;   // of the peer's processes on ours, links counted too; some 100 bytes each, and
                                        // never more than 2 KiB, for names and references have a bound of their own
};

// What a connection tells its owner.

/// In the handshake: answer with Connection::decide.
struct NameGiven {
    std::string node;
};
/// The handshake is done.
struct Up {
    std::string node;
};
/// A message for a process of ours. One to a name or pid that does not exist is dropped, as in a BEAM.
struct Message {
    Pid to;
    std::string term;  // not checked
};
/// Somebody there monitors this process of ours from now on.
struct Monitored {
    Pid process;
};
/// The process we monitor under this reference has ended. Where there was none: the reason is noproc.
struct Down {
    std::string reference;
    std::string reason;  // a term
};
/// Somebody there wants this process of ours to end, or one it was linked to has ended.
struct ExitSignal {
    Pid from;
    Pid to;
    std::string reason;  // a term
};
/// The peer did something wrong that does no harm. It is worth a line in the story.
struct Ignored {
    std::string what;
};
/// The last event. The output, if any, is still to be sent.
struct Closed {
    std::string why;
};
using Event = std::variant<NameGiven, Up, Message, Monitored, Down, ExitSignal, Ignored, Closed>;

/// One connection to another Erlang node. Bytes and moments go in; bytes and events come out. It frames, shakes hands,
/// ticks, and answers pings and monitors. It checks that the peer speaks only for its own processes, because a frame
/// carries no sender that one could trust. A connection knows no socket. One thread at a time.
///
/// The owner, after each call: sends take_output(), handles next_event() until there is none, and calls time() at
/// deadline().
class Connection {
public:
    /// A node called us. `processes` must outlive the connection; `challenge` must be unpredictable.
    Connection(const ProcessTable& processes, const Bounds& bounds, std::uint32_t challenge, Clock::time_point now);
    /// We call the node `peer`.
    Connection(const ProcessTable& processes, const Bounds& bounds, std::uint32_t challenge, Clock::time_point now,
               std::string_view peer);

    /// Bytes came, split anywhere. After Closed they are dropped.
    void receive(std::string_view bytes, Clock::time_point now);
    /// The answer to NameGiven.
    void decide(Status status, Clock::time_point now);
    /// It is `now`: sends a tick if one is due, gives up on a silent peer or a slow handshake.
    void time(Clock::time_point now);
    /// When time() is to be called next.
    Clock::time_point deadline() const;
    /// The stream has ended, with this reason.
    void lost(std::string why) { close(std::move(why)); }

    std::string take_output(Clock::time_point now);
    std::size_t output_size() const { return output_.size(); }
    std::optional<Event> next_event();

    bool is_up() const { return up_; }
    bool is_closed() const { return closed_; }
    /// Empty until NameGiven, when the peer called us.
    const std::string& peer() const { return handshake_.peer(); }

    // These are dropped unless up. Terms are without the version byte. None of them waits: a peer that does not read is
    // closed when more than max_output waits.

    void send(const Pid& from, std::string_view name, std::string_view message);
    void send(const Pid& to, std::string_view message);
    /// The same with a prefix from send_prefix(to).
    void send_prepared(std::string_view prefix, std::string_view message);
    /// From now on a Down with this reference will come once, when the target has ended or if there is none.
    void monitor(const Pid& from, const Target& target, std::string_view reference);
    void demonitor(const Pid& from, const Target& target, std::string_view reference);
    /// Our process has ended (ProcessTable::exit): tells those who monitor it or are linked to it.
    void exited(const Pid& pid, std::string_view reason);

private:
    void shake_hands();
    std::size_t take_frame(std::string_view bytes);
    void handle(std::string_view frame);
    void handle(SendToName&& send);
    void handle(SendToPid&& send);
    void handle(Link&& link);
    void handle(Unlink&& unlink);
    void handle(Monitor&& monitor);
    void handle(Demonitor&& demonitor);
    void handle(MonitorExit&& exit);
    void handle(Exit&& exit);
    void handle(Other&& other);
    void answer_net_kernel(std::string_view message);
    bool is_theirs(const Pid& pid);
    void ignore(std::string what) { events_.push_back(Ignored{std::move(what)}); }
    void check_output();
    void close(std::string why);

    // Somebody there watches a process of ours.
    struct Watch {
        Target target;  // as they named it: the answer names it so, too
        Pid from;
    };

    const ProcessTable& processes_;
    Bounds bounds_;
    Handshake handshake_;
    bool up_ = false;
    bool closed_ = false;
    Clock::time_point opened_;
    Clock::time_point last_heard_;
    Clock::time_point last_sent_;
    std::string input_;  // what came and is no whole frame yet
    std::string output_;
    std::deque<Event> events_;
    std::map<std::string, std::pair<Pid, Watch>, std::less<>> monitors_;  // by their reference: of which process
    std::map<std::pair<Pid, Pid>, bool> links_;                           // ours, theirs
};

}  // namespace erlang
