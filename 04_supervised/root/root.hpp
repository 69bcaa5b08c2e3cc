#pragma once

#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/process/descriptor.hpp"
#include "04_supervised/root/rolling_restart.hpp"
#include "04_supervised/root/tree_view.hpp"
#include "04_supervised/root/workers.hpp"
#include "app/options.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace supervised {

/// The root process. It serves nobody, so nothing that a client sends can harm it. It holds the listening socket, which
/// therefore survives every worker, with the clients that wait in its backlog. It supervises, and obeys signals. One
/// thread.
class Root {
public:
    struct Settings {
        std::string program;        ///< its name in what it says
        app::ServerOptions server;  ///< where it listens, and what is told of that
        /// The command line that makes this program worker `number`. `again`: that worker has been up before, and the
        /// server is running.
        std::function<std::vector<std::string>(unsigned number, bool again)> arguments_of_worker;
        std::chrono::milliseconds start_timeout{10'000};  ///< a worker that is not ready by then is killed
        std::chrono::milliseconds shutdown_timeout{};     ///< how long workers let their clients finish
        std::chrono::milliseconds watchdog{};             ///< ProcessChild::Options
        bool tree = false;                                ///< print the tree after each change
    };

    /// Listens; where that cannot be: app::listen_or_exit().
    explicit Root(Settings settings);

    /// The worker of that number, as a child. No number is used again.
    otp::ChildSpec worker(unsigned number);

    /// Supervises these children until SIGINT or SIGTERM, or until it has to give up; returns the exit status.
    int run(const otp::SupFlags& flags, const std::vector<otp::ChildSpec>& children);

private:
    std::shared_ptr<otp::Child> start_worker(unsigned number, const otp::ChildId& id, const otp::ReportTo& report_to);
    void worker_is_ready(const otp::ChildId& id);
    void worker_answers(const otp::ChildId& id, std::chrono::milliseconds after);
    void receive(const otp::ChildId& id, const process::Message& message);

    // What the supervisor calls.
    void started();
    void exited(const otp::Reason& reason);
    void reported(const otp::Report& report);
    void progressed(const otp::Progress& progress);
    void changed();

    void wait_for_signal();
    void obey(int signal);
    void hang_up();
    void stop();
    void stop_accepting();
    bool is_serving() const { return is_announced_ && !is_stopping_; }

    const Settings settings_;
    boost::asio::io_context loop_{1};
    boost::asio::signal_set signals_;
    boost::asio::ip::tcp::endpoint address_;
    // A plain descriptor: registered with an event loop, it would wake this process for every client.
    process::Descriptor listener_;
    bool has_terminal_;  // at the start; a terminal may be closed
    unsigned last_number_ = 0;
    Workers workers_;
    RollingRestart rolling_restart_;
    TreeView tree_view_;
    std::shared_ptr<otp::Runtime> supervisor_;
    bool is_announced_ = false;  // the first line is out
    bool is_stopping_ = false;
    std::vector<otp::Progress> untold_;  // until the first line is out
    std::string last_crash_;             // in words
    std::string why_it_cannot_start_;
    std::optional<int> exit_status_;
};

}  // namespace supervised
