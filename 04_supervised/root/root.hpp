#pragma once

#include "04_supervised/options.hpp"
#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/process/descriptor.hpp"
#include "04_supervised/root/rolling_restart.hpp"
#include "04_supervised/root/tree_view.hpp"
#include "04_supervised/root/workers.hpp"

#include <boost/asio/signal_set.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The root process: it serves nobody, so that nothing a client sends can harm it. It holds the listening socket, which
/// therefore survives every worker, with the clients who wait in it; it supervises, and obeys signals. One thread.
class Root {
public:
    /// Listens; where that cannot be: app::listen_or_exit().
    explicit Root(const Options& options);

    /// The worker of that number, as a child. Numbers are never used again.
    supervision::ChildSpec worker(unsigned number);

    /// Supervises these children until SIGINT or SIGTERM, or until it has to give up; returns the exit code.
    int run(const supervision::SupFlags& flags, const std::vector<supervision::ChildSpec>& children);

private:
    std::shared_ptr<supervision::Life> start_worker(unsigned number, const supervision::ChildId& id,
                                                    const supervision::Link& link);
    void receive(const supervision::ChildId& id, const control::Message& message);
    void started();
    void reported(const supervision::Report& report);
    void progressed(const supervision::Progress& progress);
    void changed();
    void exited(const supervision::Reason& reason);
    void wait_for_signal();
    void obey(int signal);
    void stop();
    void stop_accepting();

    const Options& options_;
    boost::asio::io_context loop_{1};
    boost::asio::signal_set signals_;
    boost::asio::ip::tcp::endpoint address_;
    // A plain descriptor: registered with an event loop, it would wake this process for every client.
    Descriptor listener_;
    bool has_terminal_;  // that may go away
    unsigned last_number_ = 0;
    Workers workers_;
    Replacement replacement_;
    TreeView tree_view_;
    std::shared_ptr<supervision::Driver> supervisor_;
    bool is_announced_ = false;  // the first line is out
    bool is_stopping_ = false;
    std::vector<supervision::Progress> untold_;  // before the first line, which comes first
    std::string last_crash_;                     // in words
    std::optional<int> exit_code_;
};
