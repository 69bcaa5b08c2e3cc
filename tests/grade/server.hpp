#pragma once

#include "grade/keeper.hpp"
#include "grade/patience.hpp"
#include "grade/time_limit.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <poll.h>
#include <sys/socket.h>

namespace grade {

/// The server under test: one that we start, stop and start again on the same port, or one that runs somewhere.
/// One thread. Everything that waits goes through wait(), where what the server prints is read away: no server is ever
/// stuck because nobody reads its output.
class Server {
public:
    /// A running one, at a name or an address. CannotRun when there is no such host.
    Server(const std::string& host, const std::string& port, const Patience& patience, const TimeLimit& time_limit);
    /// One to be started with start(): in each word `{port}` stands for the port, which is chosen for each start and
    /// stays ours until the next: no other grader on this machine takes it.
    Server(std::vector<std::string> command, const Patience& patience, const TimeLimit& time_limit);
    ~Server();

    const Patience& patience() const { return patience_; }
    bool is_ours() const { return !words_.empty(); }

    /// HOST PORT, as one types them behind nc.
    const std::string& host() const { return host_; }
    const std::string& port() const { return port_; }
    /// The command as it is executed; HOST:PORT of a server that runs somewhere.
    std::string name() const;

    const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&address_); }
    socklen_t address_size() const { return address_size_; }

    /// What it says where "ECHO " should stand, once a step has failed for that: clients take it for the right word, as
    /// one wrong word is one mistake. Nothing where it says the right one.
    const std::optional<std::string>& own_prefix() const { return own_prefix_; }
    void note_prefix(const std::string& prefix) { own_prefix_ = prefix; }

    // ---- how long it gets for an answer ----

    /// For an answer that must come: patience().reply(); less once this server has let steps fail by not answering, but
    /// then still a multiple of the time that its slowest answer has taken.
    milliseconds reply() const;
    /// The same for a server that is working on it: patience().most(), or less.
    milliseconds most() const;
    /// An answer has come after so long, or none has come.
    void note_answer(milliseconds after) { slowest_answer_ = std::max(slowest_answer_, after); }
    void note_silence() { is_silent_ = true; }
    /// A step begins. Whether answers are missing in it counts only when it fails, and decides.
    void forget_silence() { is_silent_ = false; }
    void note_failure() { silent_failures_ += is_silent_ ? 1 : 0; }

    // ---- only where is_ours() ----

    /// Starts it and waits until somebody listens at the port. CannotRun, with its last words, when that does not
    /// come about. Does nothing while it runs. Each start after the first is on a new port: the old one may be held by
    /// old connections, which is a question of its own.
    void start();
    /// The same on the port that it has had.
    void start_again();
    /// Kills it with everything it has started.
    void stop();
    bool is_started() const { return keeper_ != nullptr; }  ///< start() was called, and not stop() since
    bool is_running() { return keeper_ && keeper_->ending().empty(); }
    /// How it ended; empty while it runs.
    std::string ending();
    std::optional<int> exit_code() { return keeper_ ? keeper_->exit_code() : std::nullopt; }
    /// Sends its first process a signal.
    void signal(int number);
    pid_t pid() const { return keeper_->pid(); }
    /// Its processes, the first one included as long as it runs.
    std::vector<pid_t> processes() const { return keeper_->processes(); }
    /// Their memory, where what several share counts as often.
    std::size_t resident_bytes() const;
    /// The threads of all of them.
    std::size_t threads() const;
    /// Children of theirs that have ended, and nobody has waited for them.
    std::size_t zombies() const { return zombies_of(processes()); }
    /// Waits until the first process has ended. False when it goes on.
    bool wait_end(milliseconds within);
    /// How long it may take to listen; otherwise patience().start().
    void bound_start(milliseconds most) { most_start_ = most; }
    /// From now on a server that prints more bytes, all its starts together, ends the run: CannotRun. 0: no bound.
    void bound_output(std::size_t most) { most_output_ = most; }
    /// The last lines that it has printed.
    std::string last_words();
    /// What it has printed, the last some thousand bytes of it.
    const std::string& output();
    /// What has become of another one, started with the same command, so at a port that is taken.
    struct Second {
        bool shares_port = false;      ///< it listens there, too
        std::string ending;            ///< empty: it went on, longer than a start may take
        std::optional<int> exit_code;  ///< nothing where a signal has ended it
        std::string output;
    };
    /// Starts it, waits until one of these is clear, and ends it.
    Second start_second();
    /// Whether somebody listens at the port, where we ask. Asks the kernel, not the server: nobody is connected for it.
    bool is_listened_at() const;
    /// The addresses at which somebody listens at the port: "127.0.0.1:1234", "[::1]:1234".
    std::vector<std::string> listened_at() const;
    /// Where its own processes listen at other ports; nowhere where we may not look.
    std::vector<std::string> at_other_ports() const;
    /// What to tell of a server that we cannot judge, because it goes on without the process that we have started;
    /// empty where it has not done so.
    std::string gone_to_background();

    // ---- only where not is_ours() ----

    /// Somebody was connected. Before that, nobody can say that there is no server *any more*.
    void note_reached() { was_reached_ = true; }
    bool was_reached() const { return was_reached_; }

    // ---- waiting ----

    /// Checked in every wait, and while bytes come: NotReached.
    const TimeLimit& time_limit() const { return time_limit_; }
    /// poll(2), and meanwhile the server's output is read. How many are ready; 0 when the time is over.
    int wait(std::span<pollfd> descriptors, milliseconds within);
    void sleep(milliseconds time) { wait({}, time); }
    /// Waits until all its threads sleep, or it has ended: what it was about to do, a crash among others, it has done
    /// then. One that goes on working gets a while of the processor's time; on a busy machine that may be most().
    void settle();
    /// Whether it has used the processor since the last call, or wants to: such a server is not hung, but busy.
    bool is_busy();

private:
    void read_output();
    void choose_port();
    void launch();

    Patience patience_;
    const TimeLimit& time_limit_;
    std::vector<std::string> words_;    // with {port}
    std::vector<std::string> command_;  // with the port
    std::optional<std::string> own_prefix_;
    milliseconds slowest_answer_{0};
    bool is_silent_ = false;
    int silent_failures_ = 0;
    bool was_reached_ = false;
    bool has_run_ = false;  // on this port
    std::string host_, port_;
    sockaddr_storage address_{};
    socklen_t address_size_ = 0;
    support::Descriptor port_lock_;
    std::unique_ptr<Keeper> keeper_;
    milliseconds most_start_{0}, start_took_{0};
    std::size_t most_output_ = 0, printed_ = 0;
    std::string output_;  // the end of what it has printed
    std::string ending_;  // of the last one, once stopped
    long ticks_ = 0;      // of processor time, when is_busy() looked last
};

}  // namespace grade
