// A child for process_child_test: does what its first argument says.

#include "04_supervised/process/channel.hpp"

#include <boost/asio.hpp>

#include <csignal>
#include <filesystem>
#include <iostream>

#include <poll.h>
#include <sys/prctl.h>

using Kind = process::Message::Kind;

namespace {

std::string open_descriptors() {
    std::string numbers;
    for (int number = 0; number < 1024; ++number) {
        const auto path = "/proc/self/fd/" + std::to_string(number);
        if (std::filesystem::is_symlink(path)) numbers += std::to_string(number) + " ";
    }
    return numbers;
}

/// Ready, answers heartbeats, ends when asked to.
void behave(boost::asio::io_context& loop, process::Channel& parent) {
    boost::asio::signal_set asked(loop, SIGTERM);
    asked.async_wait([&](boost::system::error_code, int) { loop.stop(); });
    sigset_t none;
    sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
    parent.start(
        [&](const process::Message& message) {
            if (message.kind == Kind::heartbeat) parent.send(Kind::alive);
        },
        [&] { loop.stop(); });
    parent.send(Kind::ready);
    loop.run();
}

}  // namespace

int main(int, char** argv) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string descriptors = open_descriptors();  // before there are more of our own
    const std::string what = argv[1];
    boost::asio::io_context loop;
    process::Channel parent(loop, process::Descriptor(process::channel_descriptor));
    if (what == "fail") return 7;
    if (what == "never_ready") ::pause();
    if (what == "tell_descriptors") parent.send(Kind::tree, descriptors);
    if (what == "hang") {
        parent.send(Kind::ready);
        for (;;) ::pause();
    }
    if (what == "hang_and_ignore_abort") {
        std::signal(SIGABRT, SIG_IGN);
        parent.send(Kind::ready);
        for (;;) ::pause();
    }
    if (what == "refuse_to_stop") {
        parent.send(Kind::ready);  // SIGTERM stays blocked
        for (;;) ::pause();
    }
    if (what == "crash") {
        parent.send(Kind::ready);
        ::raise(SIGSEGV);
    }
    if (what == "finish") {
        parent.send(Kind::ready);
        return 0;
    }
    behave(loop, parent);
    return process::exit_shutdown;
}
