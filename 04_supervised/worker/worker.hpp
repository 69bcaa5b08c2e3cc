#pragma once

#include "03_acceptor_pool/pool.hpp"
#include "04_supervised/options.hpp"
#include "04_supervised/otp/runtime/runtime.hpp"
#include "04_supervised/process/channel.hpp"
#include "04_supervised/worker/sessions_child.hpp"

#include <boost/asio/signal_set.hpp>

#include <cstdint>
#include <map>
#include <memory>

namespace supervised {

/// A worker process: stage 03's pool, started and stopped by a tree of supervisors of its own, and the channel to the
/// root. The main thread talks with the root. The pool's loops have threads of their own, and the tree lives in the
/// first of these.
class Worker {
public:
    /// Throws std::system_error where this process does not have the descriptors that a root gives to its workers.
    explicit Worker(const Options& options);

    /// Serves until the root wants it to end, or its own tree has given up; returns the exit status. `flags` and `tree`
    /// are those of its supervisor. Where the root has gone, the process ends at once.
    int run(const otp::SupFlags& flags, const std::vector<otp::ChildSpec>& tree);

    // What its tree is made of.
    otp::Start sessions();
    otp::Start acceptor(std::uint64_t number);
    otp::Start supervisor(const std::string& name, const otp::SupFlags& flags,
                          const std::vector<otp::ChildSpec>& children);

private:
    void run_loops();
    void sigterm();
    void receive(const process::Message& message);
    void answer_heartbeat();
    void send_tree();
    void drain(std::chrono::milliseconds patience);
    void tree_is_over();
    void leave();
    void tell_root_of_change();
    /// Runs `what` in the thread of the tree.
    void in_tree(std::function<void()> what);
    /// Runs `what` in the main thread.
    void in_main(std::function<void()> what);

    const Options& options_;
    const std::string name_;
    boost::asio::io_context main_loop_{1};
    process::Channel root_;
    boost::asio::signal_set sigterm_;
    pool::Pool pool_;

    // The tree's thread only.
    std::shared_ptr<otp::Runtime> tree_;
    std::weak_ptr<SessionsChild> sessions_;
    std::chrono::milliseconds patience_{0};  // for clients, when the tree ends

    // The main thread only.
    bool is_asked_to_exit_ = false;  // by SIGTERM
    bool is_draining_ = false, is_drained_ = false;
    std::map<const pool::Loop*, std::uint64_t> turns_seen_;  // by the last heartbeat
};

}  // namespace supervised
