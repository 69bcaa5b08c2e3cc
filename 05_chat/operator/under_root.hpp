#pragma once

#include "04_supervised/process/channel.hpp"
#include "05_chat/base/notify.hpp"
#include "05_chat/operator/operator.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <optional>
#include <string>
#include <thread>

namespace chat {

/// The root of which this node is a worker. What it says is heard in a thread of its own, which does nothing but hand
/// it on to the loop: so the root hears of a loop that hangs, the end of the root ends a worker that hangs, and the
/// loop comes to its end as soon as the node has nothing to do.
class UnderRoot : public Operator {
public:
    struct Settings {
        std::string name;           ///< of this process: "worker-2"
        net::SocketOptions socket;  ///< of the clients
        /// It was up before, in another process, and the server is running. So it need not be what it is to be before
        /// it is ready: the root would give a worker up that waits for long, and an etcd may be away for long.
        bool again;
    };

    /// Throws boost::system::system_error where no root has started this process. In the program's first thread.
    UnderRoot(boost::asio::io_context& loop, const Settings& settings);
    ~UnderRoot() override;

    net::Listener listener() override { return std::move(listener_); }
    void last_words(const std::string& why) override;
    void comes_up(std::function<void()>) override {}
    net::awaitable<void> ready(const net::Listener& listener) override;
    void obey(Orders orders) override;
    /// What the root wants then, it wants of a node that ends already.
    void cancel() override { is_ending_ = true; }
    void nobody_is_left() override;
    int exit_status() const override;

private:
    void receive(const process::Message& message);
    void wait_for_sigterm();
    void stop();
    void retire();
    void send(process::Message::Kind kind, std::string text = {});
    /// Runs `what` in the loop's thread.
    void in_loop(std::function<void()> what);

    boost::asio::io_context& loop_;
    net::Listener listener_;
    bool is_up_;  // the root has been told
    Notify may_accept_;
    std::optional<Orders> orders_;
    bool is_ending_ = false;

    // The other thread's.
    boost::asio::io_context root_loop_{1};
    process::Channel root_;
    boost::asio::signal_set sigterm_;
    std::thread thread_;
};

}  // namespace chat
