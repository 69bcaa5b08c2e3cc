#pragma once

#include "05_chat/operator/operator.hpp"
#include "app/options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

namespace chat {

/// A person who has started the program. SIGINT and SIGTERM stop it, SIGUSR1 shows what it is doing, SIGHUP ends
/// nothing. But a terminal that is closed says SIGHUP too: then nobody is left to stop us, and it does.
class Signals : public Operator {
public:
    /// `server` says where to listen. It lives as long as this does.
    Signals(boost::asio::io_context& loop, const app::ServerOptions& server);

    net::Listener listener() override;
    void last_words(const std::string& why) override;
    void comes_up(std::function<void()> stop) override;
    net::awaitable<void> ready(const net::Listener& listener) override;
    void obey(Orders orders) override;
    void cancel() override { signals_.cancel(); }
    /// Nobody retires it.
    void nobody_is_left() override {}
    int exit_status() const override { return EXIT_SUCCESS; }

private:
    void hear();
    void show() const;

    boost::asio::io_context& loop_;
    const app::ServerOptions& server_;
    boost::asio::signal_set signals_;
    Orders orders_;
    bool has_terminal_;
};

}  // namespace chat
