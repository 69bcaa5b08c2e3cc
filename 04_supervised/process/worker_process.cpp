#include "04_supervised/process/worker_process.hpp"

#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

namespace process {

net::Listener adopt_listener(boost::asio::io_context& loop, const net::SocketOptions& options) {
    net::tcp::endpoint address;
    auto size = static_cast<socklen_t>(address.capacity());
    if (::getsockname(listener_descriptor, address.data(), &size) != 0) {
        throw boost::system::system_error(errno, boost::system::system_category(), "the listening socket");
    }
    net::TcpAcceptor acceptor(loop, address.protocol(), listener_descriptor);
    ::fcntl(listener_descriptor, F_SETFD, FD_CLOEXEC);
    return {std::move(acceptor), options};
}

void become_worker(const std::string& name) {
    std::signal(SIGINT, SIG_IGN);
    std::signal(SIGHUP, SIG_IGN);
    // The kernel's own promise that nobody outlives the root; the end of the channel is the portable one.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::prctl(PR_SET_NAME, name.c_str());
    sigset_t none;
    sigemptyset(&none);
    ::pthread_sigmask(SIG_SETMASK, &none, nullptr);  // spawn() has blocked these signals
}

}  // namespace process
