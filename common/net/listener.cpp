#include "net/listener.hpp"

#include <boost/asio.hpp>

#include <fcntl.h>
#include <sys/socket.h>

namespace net {

namespace {

/// accept(2) reports the network's errors of a connection that is not there any more; they say nothing of the listener.
/// EOPNOTSUPP, which its page lists with them, does: nobody can be accepted there, ever.
bool concerns_one_client(const boost::system::error_code& error) {
    namespace errc = boost::system::errc;
    return error == errc::connection_aborted || error == errc::protocol_error || error == errc::network_down ||
           error == errc::no_protocol_option || error == errc::host_unreachable || error == errc::network_unreachable ||
           error == errc::timed_out || error == errc::interrupted || error == errc::operation_not_permitted ||
           error.value() == EHOSTDOWN || error.value() == ENONET;
}

result<TcpAcceptor> listen_at(asio::io_context& loop, const tcp::endpoint& address, const SocketOptions& options) {
    TcpAcceptor acceptor(loop);
    boost::system::error_code error;
    acceptor.open(address.protocol(), error);
    if (error) return error;
    ::fcntl(acceptor.native_handle(), F_SETFD, FD_CLOEXEC);
    acceptor.set_option(TcpAcceptor::reuse_address(true), error);
    // Accepted sockets inherit these two (Linux, BSD), which saves two calls for each client.
    if (!error) acceptor.set_option(tcp::no_delay(true), error);
    // Telnet sends parts of its commands as urgent data; out of line they would leave a hole in the stream.
    if (!error) acceptor.set_option(asio::socket_base::out_of_band_inline(true), error);
    if (!error) acceptor.bind(address, error);
    if (!error) acceptor.listen(options.backlog, error);
    if (error) return error;
    return acceptor;
}

}  // namespace

result<Listener> listen(asio::io_context& loop, const std::string& host, std::uint16_t port,
                        const SocketOptions& options) {
    boost::system::error_code error;
    const auto addresses = tcp::resolver(loop).resolve(host, std::to_string(port), tcp::resolver::passive, error);
    for (const auto& address : addresses) {
        auto acceptor = listen_at(loop, address, options);
        if (acceptor) return Listener(std::move(*acceptor), options);
        error = acceptor.error();
    }
    return error;
}

Listener::Listener(TcpAcceptor acceptor, const SocketOptions& options)
    : acceptor_(std::move(acceptor)), options_(options) {}

result<Socket> Listener::accept() {
    for (;;) {
        TcpSocket socket(acceptor_.get_executor());
        boost::system::error_code error;
        acceptor_.accept(socket, error);
        if (concerns_one_client(error)) continue;
        if (error) return is_listening() ? error : Error::stopped;
        return Socket(std::move(socket), options_);
    }
}

awaitable<result<AsyncSocket>> Listener::async_accept(asio::io_context& loop) {
    for (;;) {
        if (!acceptor_.is_open()) co_return Error::stopped;
        auto [error, socket] = co_await acceptor_.async_accept(loop, outcome);
        if (concerns_one_client(error)) continue;
        if (error) co_return is_listening() ? error : Error::stopped;
        co_return AsyncSocket(std::move(socket), options_);
    }
}

void Listener::stop() {
    // On Linux this, and only this, wakes a thread out of accept(2); closing the descriptor under it would not.
    ::shutdown(acceptor_.native_handle(), SHUT_RD);
}

/// Asks the system, so that every thread hears of stop(). accept(2) itself may say that descriptors are short, for it
/// looks for one first.
bool Listener::is_listening() {
    int listens = 0;
    socklen_t size = sizeof listens;
    return ::getsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
}

void Listener::close() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

int Listener::release() {
    boost::system::error_code ignored;
    return acceptor_.release(ignored);
}

tcp::endpoint Listener::sockname() const {
    boost::system::error_code error;
    return acceptor_.local_endpoint(error);
}

}  // namespace net
