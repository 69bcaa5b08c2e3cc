#include "net/socket.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <thread>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

namespace net {

SocketBase::SocketBase(TcpSocket socket, const SocketOptions& options)
    : socket_(std::move(socket)), framer_(options.packet, options.max_packet) {
    // Programs that we start are not to hold our sockets open.
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
}

boost::system::error_code SocketBase::read(std::size_t size) {
    const auto space = in_.space(size);
    boost::system::error_code error;
    size = socket_.read_some(asio::buffer(space.data(), space.size()), error);
    if (error) {
        if (error == asio::error::eof) has_ended_ = true;
        if (error == asio::error::eof || error == asio::error::interrupted) return {};
        return error;
    }
    bytes_moved_ += size;
    std::string answers;
    in_.filled(framer_.mode() == Packet::line ? telnet_.run(space.first(size), answers) : size);
    framer_.escape(out_);
    if (out_.bytes().size() <= max_unsent) out_.append(answers);
    return {};
}

boost::system::error_code SocketBase::write() {
    framer_.escape(out_);
    boost::system::error_code error;
    while (!out_.empty()) {
        const std::size_t size = socket_.write_some(asio::buffer(out_.bytes()), error);
        if (error && error != asio::error::interrupted) break;
        out_.consume(size);
        bytes_moved_ += size;
    }
    if (error && error != asio::error::would_block) {
        error = keep_reason(error);
        out_.consume(out_.bytes().size());
    }
    out_.give_back();
    return error;
}

boost::system::error_code SocketBase::keep_reason(const boost::system::error_code& error) {
    // The first reason is the true one: after a reset the system calls every further write a broken pipe.
    if (!why_closed_ || why_closed_ == Error::closed) why_closed_ = error;
    return why_closed_;
}

void SocketBase::shutdown(tcp::socket::shutdown_type direction) {
    is_stopped_ = direction == tcp::socket::shutdown_receive;
    boost::system::error_code not_connected_any_more;
    socket_.shutdown(direction, not_connected_any_more);
}

void SocketBase::refuse(std::string_view why) {
    say_error(why);
    discard_arrived();
    boost::system::error_code ignored;
    socket_.close(ignored);
}

bool SocketBase::tell_if_too_long() {
    if (why_closed_ != Error::too_long) return false;
    say_error("line longer than " + std::to_string(framer_.max_packet()) + " bytes");
    return true;
}

/// The last words to a peer, as far as its protocol has words; then nothing more goes out. Does not wait: a peer that
/// reads nothing does not get them.
void SocketBase::say_error(std::string_view why) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    if (framer_.mode() == Packet::line) {
        socket_.write_some(asio::buffer("ERROR " + std::string(why) + "\r\n"), ignored);
    }
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

bool SocketBase::discard_arrived() {
    // No more than a system's buffer holds: a peer that sends as fast as we read must not keep this thread.
    constexpr int max_reads = 16;
    std::array<char, 16 * 1024> forgotten;
    boost::system::error_code error;
    for (int reads = 0; reads < max_reads && !error; ++reads) socket_.read_some(asio::buffer(forgotten), error);
    return error && error != asio::error::would_block;
}

// Closing with bytes unread, or bytes that arrive after it, reset the connection, and the system forgets what it has
// not sent. Once receiving has ended, ending the sending direction would do the same: so first the peer's system must
// have all.
bool SocketBase::is_owed() {
    if (!is_stopped_) return false;
    pollfd broken_or_cut_off{socket_.native_handle(), 0, 0};
    int on_its_way = 0;  // bytes that the peer's system has not acknowledged
    if (::poll(&broken_or_cut_off, 1, 0) != 0) return false;
    if (::ioctl(socket_.native_handle(), TIOCOUTQ, &on_its_way) != 0) return false;
    if (on_its_way > 0) {
        discard_arrived();
    } else {
        shutdown(tcp::socket::shutdown_send);
    }
    return on_its_way > 0;
}

std::string SocketBase::peername() const {
    boost::system::error_code error;
    const auto endpoint = socket_.remote_endpoint(error);
    return error ? "not connected" : to_string(endpoint);
}

using Clock = std::chrono::steady_clock;

result<std::string_view> Socket::recv(std::chrono::milliseconds within) {
    // In 02 each thread keeps its buffer while its client is idle, so it is small unless the client sends much.
    constexpr std::size_t little = 512, much = 64 * 1024;
    for (;;) {
        std::ignore = write();  // telnet's answers; what has arrived is delivered, although they are not taken
        const auto packet = framer_.next(in_, has_ended_);
        if (packet) return packet;
        if (packet.error() != Error::incomplete) return keep_reason(packet.error());
        if (within != for_ever && !becomes_readable(Clock::now() + within)) {
            return boost::system::error_code(asio::error::timed_out);
        }
        if (in_.empty()) in_.give_back();
        const auto before = bytes_moved_;
        if (const auto error = read(reads_much_ ? much : little)) return keep_reason(error);
        reads_much_ = bytes_moved_ - before >= little;
    }
}

result<void> Socket::send(std::initializer_list<std::string_view> pieces) {
    framer_.put(pieces, out_);
    if (const auto error = write()) return error;
    return {};
}

void Socket::close() {
    const auto deadline = Clock::now() + linger;
    if (tell_if_too_long()) {
        while (!discard_arrived() && becomes_readable(deadline)) continue;
    }
    while (is_owed() && Clock::now() < deadline) std::this_thread::sleep_for(look_again);
    boost::system::error_code ignored;
    socket_.close(ignored);
}

/// Whether there is something to read, or the end, before the deadline.
bool Socket::becomes_readable(Clock::time_point deadline) {
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (left.count() <= 0) return false;
        pollfd readable{socket_.native_handle(), POLLIN, 0};
        const auto longest = std::numeric_limits<int>::max();
        if (::poll(&readable, 1, static_cast<int>(std::min<std::int64_t>(left.count(), longest))) > 0) return true;
    }
}

result<Socket> connect(asio::io_context& loop, const std::string& host, std::uint16_t port,
                       const SocketOptions& options) {
    boost::system::error_code error;
    const auto addresses = tcp::resolver(loop).resolve(host, std::to_string(port), error);
    if (error) return error;
    TcpSocket socket(loop);
    asio::connect(socket, addresses, error);
    if (error) return error;
    socket.set_option(tcp::no_delay(true), error);
    if (error) return error;
    return Socket(std::move(socket), options);
}

std::string to_string(const tcp::endpoint& endpoint) {
    return host_and_port(endpoint.address().to_string(), endpoint.port());
}

std::string host_and_port(const std::string& host, std::uint16_t port) {
    const bool ipv6 = host.find(':') != host.npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace net
