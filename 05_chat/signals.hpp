#pragma once

#include "app/events.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <functional>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace chat {

/// SIGINT and SIGTERM stop the program, SIGUSR1 shows what it is doing, SIGHUP ends nothing. But a terminal that is
/// closed says SIGHUP too: then nobody is left to stop us, and it does. The loop's thread only.
class Signals {
public:
    Signals(boost::asio::io_context& loop, std::function<void()> stop, std::function<void()> show)
        : signals_(loop), stop_(std::move(stop)), show_(std::move(show)) {
        for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) signals_.add(signal);
    }

    /// From now on until cancel(). Those that have come meanwhile are heard too.
    void hear() {
        signals_.async_wait([this](boost::system::error_code cancelled, int number) {
            if (cancelled) return;
            app::tell({"server"}, app::events::got_signal, name_of(number));
            if (number == SIGUSR1) {
                show_();
            } else if (number != SIGHUP || (has_terminal_ && !can_open_terminal())) {
                return stop_();
            }
            hear();
        });
    }
    void cancel() { signals_.cancel(); }

private:
    static std::string_view name_of(int signal) {
        switch (signal) {
            case SIGINT: return "SIGINT";
            case SIGTERM: return "SIGTERM";
            case SIGHUP: return "SIGHUP";
            default: return "SIGUSR1";
        }
    }
    static bool can_open_terminal() {
        const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (terminal >= 0) ::close(terminal);
        return terminal >= 0;
    }

    boost::asio::signal_set signals_;
    std::function<void()> stop_;
    std::function<void()> show_;
    bool has_terminal_ = can_open_terminal();
};

}  // namespace chat
