#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/process/channel.hpp"
#include "04_supervised/process/spawn.hpp"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace supervision {

/// A child that is an operating system's process: it contains everything. It gets one end of a control::Socket, says
/// when it is ready, answers heartbeats, and may say more.
///
/// How it ends: by SIGTERM when it is asked to stop, by SIGKILL when it is killed. Its exit status becomes its reason:
/// 0 normal, control::exit_shutdown shutdown, another one abnormal; so does the signal that ended it: SIGKILL killed,
/// SIGTERM shutdown where we sent it, any other abnormal with its name, "SIGSEGV".
///
/// It is started and held by one loop's thread, which must be the process's first: the kernel ends such children with
/// the thread that started them, if they wish so (PR_SET_PDEATHSIG).
class Process : public Life, public std::enable_shared_from_this<Process> {
public:
    struct Options {
        std::string name;  ///< for the story
        std::string program;
        std::vector<std::string> arguments;               ///< the first is its own name
        std::vector<int> descriptors;                     ///< become its 3, 4, …; the control socket comes after them
        std::chrono::milliseconds start_timeout{10'000};  ///< for its `ready`; else it is killed, and has failed
        /// For the answer to a heartbeat: then SIGABRT, which leaves a core to look at, and after as long again
        /// SIGKILL. 0: it may take as long as it likes.
        std::chrono::milliseconds watchdog{0};
        std::function<void()> on_ready{};
        std::function<void(const control::Message&)> on_message{};  ///< what it says besides ready and alive
    };

    /// Throws std::system_error where it cannot be started.
    static std::shared_ptr<Process> start(boost::asio::io_context& loop, Options options, const Link& link);

    Process(boost::asio::io_context& loop, Options options, Link link, std::pair<Descriptor, Descriptor> control_ends);

    void stop() override;
    void kill() override;

    void send(control::Message::Kind kind) { control_.send(kind); }
    pid_t pid() const { return pid_; }
    bool is_ready() const { return is_ready_; }

private:
    void wait_for_end();
    void ended();
    Reason why_ended(int code, int status) const;
    void receive(const control::Message& message);
    void limit_start();
    void watch();
    void look();
    void signal(int number);

    Options options_;
    Link link_;
    control::Socket control_;
    pid_t pid_;
    boost::asio::posix::stream_descriptor pidfd_;
    boost::asio::steady_timer timer_;  // for the start first, then for heartbeats
    bool is_ready_ = false, has_ended_ = false;
    bool was_asked_ = false;  // by SIGTERM
    bool was_too_slow_ = false, was_hung_ = false;
    bool has_answered_ = true;  // a heartbeat, since the last look
    int looks_in_vain_ = 0;     // since it did
};

}  // namespace supervision
