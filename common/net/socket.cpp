#include "net/socket.hpp"

#include <boost/asio.hpp>
#include <boost/asio/experimental/parallel_group.hpp>

#include <array>
#include <memory>
#include <tuple>

#include <fcntl.h>
#include <poll.h>

namespace net {

Socket::Socket(TcpSocket socket, const SocketOptions& options)
    : socket_(std::move(socket)), options_(options), in_(options.packet, options.max_packet), out_(options.packet) {
    // Programs that we start are not to hold our sockets open.
    ::fcntl(socket_.native_handle(), F_SETFD, FD_CLOEXEC);
}

// ---- receiving ------------------------------------------------------------------------------------------------------

// The two twins differ in how they wait, and in nothing else.

result<std::string_view> Socket::recv(std::chrono::milliseconds within) {
    for (;;) {
        const auto packet = in_.next();
        if (packet) return packet;
        if (!in_.goes_on()) return why_closed_ = packet.error();
        if (const auto sent = flush(); !sent) return sent.error();
        if (within != for_ever && !becomes_readable(within)) return boost::system::error_code(asio::error::timed_out);
        const auto space = in_.space();
        boost::system::error_code error;
        const std::size_t size = socket_.read_some(asio::buffer(space.data(), space.size()), error);
        if (!arrived(error, size)) return why_closed_ = error;
    }
}

/// Whether there is something to read, or the end, before the time is over.
bool Socket::becomes_readable(std::chrono::milliseconds within) {
    const auto deadline = std::chrono::steady_clock::now() + within;
    for (;;) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        pollfd readable{socket_.native_handle(), POLLIN, 0};
        if (::poll(&readable, 1, static_cast<int>(left.count())) > 0) return true;  // else a signal, perhaps
    }
}

awaitable<result<std::string_view>> Socket::async_recv() {
    auto packets = co_await async_recv_many();
    if (!packets) co_return packets.error();
    co_return *packets->begin();
}

awaitable<result<Packets>> Socket::async_recv_packets(bool at_once) {
    if (left_of_turn_ == 0) {
        in_.keep();
        co_await next_turn(socket_.get_executor());
        left_of_turn_ = packets_a_turn;
    }
    for (;;) {
        const auto packet = in_.next();
        if (packet) {
            --left_of_turn_;
            co_return Packets(in_, *packet, left_of_turn_);
        }
        if (!in_.goes_on()) co_return why_closed_ = packet.error();
        in_.keep();
        if (!in_.answers().empty()) {
            if (const auto sent = co_await async_flush(); !sent) co_return sent.error();
        }
        // The others first: right after an answer, reading is mostly in vain; a turn later, on a busy server, the next
        // packet is there.
        co_await next_turn(socket_.get_executor());
        left_of_turn_ = packets_a_turn;
        while (const auto error = read_without_waiting()) {
            in_.keep();
            if (error != asio::error::would_block) co_return why_closed_ = error;
            const auto [broken] = co_await socket_.async_wait(TcpSocket::wait_read, outcome);
            if (broken) co_return why_closed_ = broken;
        }
        if (!at_once) in_.keep();
    }
}

/// One read, into memory that this thread lends to all its sockets: while it is used, nobody waits.
boost::system::error_code Socket::read_without_waiting() {
    static thread_local const auto lent = std::make_unique_for_overwrite<char[]>(lent_size);
    never_block();
    const std::span<char> space = in_.space_in({lent.get(), lent_size});
    boost::system::error_code error;
    const std::size_t size = socket_.read_some(asio::buffer(space.data(), space.size()), error);
    return arrived(error, size) ? boost::system::error_code() : error;
}

/// Notes what a read has brought. False when it has brought neither bytes nor the end.
bool Socket::arrived(const boost::system::error_code& error, std::size_t size) {
    if (!error) {
        in_.filled(size);
        bytes_moved_ += size;
        return true;
    }
    if (error == asio::error::eof) in_.end();
    // Or a signal has interrupted it, which is no concern of this connection.
    return error == asio::error::eof || error == asio::error::interrupted;
}

// ---- sending --------------------------------------------------------------------------------------------------------

result<void> Socket::send(std::initializer_list<std::string_view> pieces) {
    put(pieces);
    return flush();
}

void Socket::put_answers() {
    out_.put_bytes(in_.answers());
    in_.answers().clear();
}

/// One write of what the outbox holds. Not part of the coroutine below: the array of buffers would be in its frame,
/// which is allocated and cleared for every reply.
boost::system::error_code Socket::write_once() {
    boost::system::error_code error;
    std::size_t size = 0;
    if (const auto bytes = out_.in_one_piece(); !bytes.empty()) {
        size = socket_.write_some(asio::buffer(bytes), error);
    } else {
        Outbox::Buffers buffers;
        size = socket_.write_some(std::span(buffers).first(out_.gather(buffers)), error);
    }
    if (error) return error;
    out_.written(size);
    bytes_moved_ += size;
    return {};
}

result<void> Socket::flush() {
    put_answers();
    while (!out_.empty()) {
        const auto error = write_once();
        if (error && error != asio::error::interrupted) return failed(error);
    }
    return {};
}

/// Writes until nothing is left, or the system takes no more (would_block), or worse.
boost::system::error_code Socket::write_without_waiting() {
    put_answers();
    if (!out_.empty()) never_block();
    boost::system::error_code error;
    while (!error && !out_.empty()) error = write_once();
    if (error && error != asio::error::would_block) failed(error);
    return error;
}

bool Socket::try_flush() {
    return !write_without_waiting();
}

awaitable<result<void>> Socket::async_flush() {
    while (const auto error = write_without_waiting()) {
        if (error != asio::error::would_block) co_return why_closed_;
        // Rare: the peer does not read as fast as it asks. Everything else waits here, and nobody else does.
        in_.keep();
        out_.keep();
        const auto [broken] = co_await socket_.async_wait(TcpSocket::wait_write, outcome);
        if (broken) co_return failed(broken);
    }
    co_return result<void>();
}

result<void> Socket::failed(const boost::system::error_code& error) {
    // The first reason is the true one: after a reset the system calls every further write a broken pipe.
    if (!why_closed_ || why_closed_ == Error::closed) why_closed_ = error;
    return why_closed_;
}

void Socket::never_block() {
    if (!socket_.non_blocking()) socket_.non_blocking(true);
}

result<std::size_t> Socket::send_some(std::span<const asio::const_buffer> bytes) {
    boost::system::error_code error;
    if (!socket_.non_blocking()) socket_.non_blocking(true, error);
    // A gathered write costs more, even of one buffer.
    const std::size_t size =
        bytes.size() == 1 ? socket_.write_some(bytes.front(), error) : socket_.write_some(bytes, error);
    if (!error) {
        bytes_moved_ += size;
        return size;
    }
    if (error == asio::error::would_block) return error;
    return why_closed_ = error;
}

awaitable<result<void>> Socket::async_writable() {
    const auto [broken] = co_await socket_.async_wait(TcpSocket::wait_write, outcome);
    if (broken) co_return failed(broken);
    co_return result<void>();
}

// ---- pausing --------------------------------------------------------------------------------------------------------

awaitable<bool> Socket::async_pause(Timer& timer) {
    const auto [order, broken, over] =
        co_await asio::experimental::make_parallel_group(socket_.async_wait(TcpSocket::wait_error, asio::deferred),
                                                         timer.async_wait(asio::deferred))
            .async_wait(asio::experimental::wait_for_one(), asio::deferred);
    if (is_broken()) co_return false;
    // It was telnet's urgent data, which would wake us for ever: no eye on the connection for the rest of this time.
    if (order.front() == 0) co_await timer.async_wait(outcome);
    co_return !is_broken();
}

bool Socket::is_broken() {
    pollfd connection{socket_.native_handle(), 0, 0};
    if (::poll(&connection, 1, 0) <= 0 || (connection.revents & (POLLERR | POLLHUP)) == 0) return false;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) failed({error, boost::system::system_category()});
    return true;
}

// ---- ending ---------------------------------------------------------------------------------------------------------

void Socket::shutdown(tcp::socket::shutdown_type direction) {
    boost::system::error_code not_connected_any_more;
    socket_.shutdown(direction, not_connected_any_more);
}

void Socket::close() {
    boost::system::error_code ignored;
    if (why_closed_ == Error::too_long) {
        say_error("line longer than " + std::to_string(options_.max_packet) + " bytes");
        const auto deadline = std::chrono::steady_clock::now() + linger;
        while (!read_away()) {
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
            if (!becomes_readable(left)) break;
        }
    }
    socket_.close(ignored);
}

awaitable<void> Socket::async_close() {
    boost::system::error_code ignored;
    if (why_closed_ == Error::too_long) {
        say_error("line longer than " + std::to_string(options_.max_packet) + " bytes");
        Timer deadline(socket_.get_executor(), linger);
        while (!read_away() && std::chrono::steady_clock::now() < deadline.expiry()) {
            // Whichever comes first; the other is over, too, when we go on: nothing may come to a socket that is gone.
            co_await asio::experimental::make_parallel_group(socket_.async_wait(TcpSocket::wait_read, asio::deferred),
                                                             deadline.async_wait(asio::deferred))
                .async_wait(asio::experimental::wait_for_one(), asio::deferred);
        }
    }
    socket_.close(ignored);
}

void Socket::refuse(std::string_view why) {
    say_error(why);
    read_away();
    boost::system::error_code ignored;
    socket_.close(ignored);
}

/// The last words to a peer, as far as its protocol has words; then nothing more goes out. Does not wait: a peer that
/// reads nothing does not get them.
void Socket::say_error(std::string_view why) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
    if (options_.packet == Packet::line) {
        socket_.write_some(asio::buffer("ERROR " + std::string(why) + "\r\n"), ignored);
    }
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
}

/// Reads and forgets what has arrived, without waiting. True when nothing more will come.
bool Socket::read_away() {
    // No more than a system's buffer holds: who sends as fast as we read must not keep this thread.
    constexpr int max_reads = 16;
    std::array<char, 16 * 1024> forgotten;
    boost::system::error_code error;
    for (int reads = 0; reads < max_reads && !error; ++reads) socket_.read_some(asio::buffer(forgotten), error);
    return error && error != asio::error::would_block;
}

// ---- names ----------------------------------------------------------------------------------------------------------

std::string Socket::peername() const {
    boost::system::error_code error;
    const auto endpoint = socket_.remote_endpoint(error);
    return error ? "not connected" : to_string(endpoint);
}

std::string Socket::sockname() const {
    boost::system::error_code error;
    const auto endpoint = socket_.local_endpoint(error);
    return error ? "not connected" : to_string(endpoint);
}

std::string to_string(const tcp::endpoint& endpoint) {
    return host_and_port(endpoint.address().to_string(), endpoint.port());
}

std::string host_and_port(const std::string& host, std::uint16_t port) {
    const bool ipv6 = host.find(':') != host.npos;
    return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
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

awaitable<result<Socket>> async_connect(asio::io_context& loop, std::string host, std::uint16_t port,
                                        SocketOptions options, std::chrono::milliseconds within) {
    // Shared with the deadline, which may come when this coroutine has just ended.
    struct Attempt {
        explicit Attempt(asio::io_context& loop) : resolver(loop), socket(loop), deadline(loop) {}
        asio::ip::basic_resolver<tcp, Executor> resolver;
        TcpSocket socket;
        Timer deadline;
        bool is_late = false;
    };
    const auto attempt = std::make_shared<Attempt>(loop);
    attempt->deadline.expires_after(within);
    attempt->deadline.async_wait([attempt](boost::system::error_code cancelled) {
        if (cancelled) return;
        attempt->is_late = true;
        attempt->resolver.cancel();
        boost::system::error_code ignored;
        attempt->socket.close(ignored);
    });
    auto [error, addresses] = co_await attempt->resolver.async_resolve(host, std::to_string(port), outcome);
    if (!error && !attempt->is_late) {
        std::tie(error, std::ignore) = co_await asio::async_connect(attempt->socket, addresses, outcome);
    }
    attempt->deadline.cancel();
    if (attempt->is_late) co_return boost::system::error_code(asio::error::timed_out);
    if (!error) attempt->socket.set_option(tcp::no_delay(true), error);
    if (error) co_return error;
    co_return Socket(std::move(attempt->socket), options);
}

}  // namespace net
