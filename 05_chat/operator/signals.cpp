#include "05_chat/operator/signals.hpp"

#include "app/events.hpp"
#include "app/server.hpp"

#include <csignal>
#include <iostream>

#include <fcntl.h>
#include <unistd.h>

namespace chat {

namespace {

std::string_view name_of(int signal) {
    switch (signal) {
        case SIGINT: return "SIGINT";
        case SIGTERM: return "SIGTERM";
        case SIGHUP: return "SIGHUP";
        default: return "SIGUSR1";
    }
}

bool can_open_terminal() {
    const int terminal = ::open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal >= 0) ::close(terminal);
    return terminal >= 0;
}

}  // namespace

Signals::Signals(boost::asio::io_context& loop, const app::ServerOptions& server)
    : loop_(loop), server_(server), signals_(loop), has_terminal_(can_open_terminal()) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) signals_.add(signal);
}

net::Listener Signals::listener() {
    return app::listen_or_exit(loop_, server_);
}

void Signals::last_words(const std::string& why) {
    std::cerr << why << std::endl;
}

net::awaitable<void> Signals::ready(const net::Listener& listener) {
    app::announce(server_, listener);
    if (server_.faults) app::tell({"server"}, app::events::faults_are_on, "!throw door !throw room");
    co_return;
}

void Signals::comes_up(std::function<void()> stop) {
    orders_ = {std::move(stop), [] {}, [] { return "    comes up\n"; }};
    hear();
}

/// It hears already.
void Signals::obey(Orders orders) {
    orders_ = std::move(orders);
}

void Signals::hear() {
    signals_.async_wait([this](boost::system::error_code cancelled, int number) {
        if (cancelled) return;
        app::tell({"server"}, app::events::got_signal, name_of(number));
        if (number == SIGUSR1) {
            show();
        } else if (number != SIGHUP || (has_terminal_ && !can_open_terminal())) {
            return orders_.stop();
        }
        hear();
    });
}

void Signals::show() const {
    app::story::show({"server"}, "tree", "chat  " + std::to_string(::getpid()) + "\n" + orders_.tree());
}

}  // namespace chat
