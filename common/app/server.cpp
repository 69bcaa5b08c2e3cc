#include "app/server.hpp"

#include "app/events.hpp"
#include "app/faults.hpp"
#include "app/port_owner.hpp"
#include "app/text.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

namespace app {

namespace {

constexpr Who server{"server"};

sigset_t shutdown_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    return signals;
}

/// What to do where somebody else has the port.
void advise(std::string_view option, std::uint16_t port) {
    const auto owner = owner_of(port);
    if (owner && !owner->program.empty()) {
        std::cerr << owner->program << " (process " << owner->pid << ") has the port: end it (kill " << owner->pid
                  << "), or choose another one";
    } else {
        std::cerr << "another program has the port (ss -ltnp may know which): end it, or choose another one";
    }
    // 65535 is the last.
    std::cerr << ": " << option << " " << (port < 65535 ? port + 1 : port - 1) << std::endl;
}

}  // namespace

net::Listener listen_or_exit(boost::asio::io_context& loop, const ServerOptions& options, std::string_view option) {
    auto listener = net::listen(loop, options.host, options.port, options.socket);
    if (!listener) {
        constexpr std::size_t max_shown = 256;
        const auto where = text::visible(net::host_and_port(options.host, options.port), max_shown);
        std::cerr << "cannot listen on " << where << ": " << net::reason(listener.error()) << std::endl;
        if (listener.error() == boost::system::errc::address_in_use) advise(option, options.port);
        std::exit(EXIT_FAILURE);
    }
    return std::move(*listener);
}

void announce(const ServerOptions& options, const net::Listener& listener) {
    announce(options, listener.sockname());
}

void announce(const ServerOptions& options, const net::tcp::endpoint& sockname) {
    const auto address = net::to_string(sockname);
    story::first_line(address);
    if (options.faults) tell(server, events::faults_are_on, faults::commands);
    if (options.faults && options.log == Log::quiet) std::cerr << "faults are on: " << faults::commands << std::endl;
    tell(server, events::started, ::getpid(), program_invocation_short_name, FIVE_VERSION);
    tell(server, events::got_listening_socket, address);
}

void block_shutdown_signals() {
    const auto signals = shutdown_signals();
    ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void wait_for_shutdown_signal() {
    const auto signals = shutdown_signals();
    int number = 0;
    ::sigwait(&signals, &number);
    tell(server, events::got_signal, number == SIGINT ? "SIGINT" : "SIGTERM");
}

}  // namespace app
