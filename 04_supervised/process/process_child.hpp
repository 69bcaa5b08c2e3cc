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

namespace process {

/// A child that is an operating system's process: it contains everything. The process gets one end of a Channel, says
/// when it is ready, answers heartbeats, and may say more.
///
/// How it ends: by SIGTERM when it is asked to stop, by SIGKILL when it is killed. The reason is:
/// - normal after exit status 0, shutdown after exit_shutdown, abnormal after any other ("exit status 7", or what the
///   process said of it);
/// - killed after SIGKILL, shutdown after a SIGTERM that we sent, abnormal after any other signal ("SIGSEGV").
///
/// One thread starts and holds it. That must be the first thread of this process: the kernel ends a child that wishes
/// so (PR_SET_PDEATHSIG) together with the thread that started it.
class ProcessChild : public otp::Child, public std::enable_shared_from_this<ProcessChild> {
public:
    struct Options {
        std::string name;  ///< for the story
        std::string program;
        std::vector<std::string> arguments;               ///< the first is the program's own name
        std::vector<int> descriptors;                     ///< become 3, 4, … there; the channel comes after them
        std::chrono::milliseconds start_timeout{10'000};  ///< not ready by then: killed, and the start has failed
        /// How long an answer to heartbeats may take: then comes SIGABRT, which leaves a core to look at, and after as
        /// long again SIGKILL. 0: for ever.
        std::chrono::milliseconds watchdog{0};
        std::function<void()> on_ready{};
        std::function<void(const Message&)> on_message{};  ///< what the process says besides ready and alive
    };

    /// Throws std::system_error where the process cannot be started.
    static std::shared_ptr<ProcessChild> start(boost::asio::io_context& loop, Options options,
                                               const otp::ReportTo& report_to);

    ProcessChild(boost::asio::io_context& loop, Options options, otp::ReportTo report_to,
                 std::pair<Descriptor, Descriptor> ends);

    void stop() override;
    void kill() override;

    void send(Message::Kind kind) { channel_.send(kind); }
    pid_t pid() const { return pid_; }
    bool is_ready() const { return is_ready_; }

private:
    void wait_for_end();
    void ended();
    otp::Reason why_ended(int code, int status) const;
    void receive(const Message& message);
    void became_ready();
    void limit_start();
    void watch();
    void look();
    void answered();
    void end_hung(int signal_number, std::chrono::milliseconds after);
    void signal(int number);

    Options options_;
    otp::ReportTo report_to_;
    Channel channel_;
    pid_t pid_;
    boost::asio::posix::stream_descriptor pidfd_;
    boost::asio::steady_timer timer_;  // for the start first, then for heartbeats
    bool is_ready_ = false, has_ended_ = false;
    bool was_asked_ = false;  // by SIGTERM
    bool was_too_slow_ = false, was_hung_ = false;
    std::string last_words_;
    bool has_answered_ = true;  // since the last look
    std::chrono::steady_clock::time_point asked_{};
    int looks_in_vain_ = 0;  // since the last answer
};

}  // namespace process
