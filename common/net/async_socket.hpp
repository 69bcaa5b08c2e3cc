#pragma once

#include "net/socket.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace net {

/// How many packets of one connection are handed out before every other one of the same loop has its turn. One read may
/// hold 65536 empty lines: a client that sends those must not keep the loop for as long as they take.
inline constexpr std::size_t packets_a_turn = 256;

/// The whole packets that one read has brought, or the first packets_a_turn of them.
using Packets = std::span<const std::string_view>;

/// The socket of a coroutine: while it waits, its thread does other things. There are two rules.
///
/// Packets are valid until the next recv. All that you pass in is copied or written before the call returns.
/// recv first sends all that was put, then waits.
///
/// Use it from coroutines of its own loop. (A coroutine of another loop may have it to itself for a while, as an
/// acceptor does that sets a client up: each wait ends in the coroutine's loop.) One coroutine may receive while
/// another one sends. A connection with nothing under way costs no buffers.
class AsyncSocket : public SocketBase {
public:
    /// Takes over a connected socket.
    AsyncSocket(TcpSocket socket, const SocketOptions& options);

    /// All whole packets of one read, but at most packets_a_turn: at least one. Valid until the next call of recv_all()
    /// or recv(). Sends what was put first, and waits until the system has taken it all: a peer that does not read its
    /// replies is not read either. Errors as Socket::recv has them.
    awaitable<result<Packets>> recv_all() { return receive(packets_a_turn); }

    /// One packet, likewise.
    awaitable<result<std::string_view>> recv();

    /// Adds one packet, given in pieces, to what is sent next. The pieces are copied. A frame that is longer than its
    /// header can say is a std::length_error.
    void put(std::initializer_list<std::string_view> pieces) { framer_.put(pieces, out_); }

    /// Sends what was put, for a coroutine that does not receive. While it waits, recv leaves the sending to it.
    awaitable<result<void>> flush();

    /// Sends as much of it as the system takes now, where no coroutine is sending; false: there is a rest, of unsent()
    /// bytes.
    bool send_now() { return out_.empty() || is_flushing_ || write() != boost::asio::error::would_block; }
    std::size_t unsent() const { return out_.bytes().size(); }

    /// For a writer that has a queue of its own. Sends what was put; then writes as many of these bytes, which are
    /// framed already, as the system takes now, and says how many. It keeps none, so afterwards they may change. Where
    /// the system takes none: asio::error::would_block, and writable() says when to try again. Lines must hold no byte
    /// 255: between two calls, even within a line, recv may send telnet's answers.
    result<std::size_t> write_some(std::span<const asio::const_buffer> bytes);
    awaitable<result<void>> writable();

    /// Waits for the timer, with an eye on the connection: false, and at once, when it breaks meanwhile (the peer has
    /// reset it, or it has ended in both directions). An end of the peer's stream alone is no break: what came before
    /// it is still to be read.
    awaitable<bool> pause(Timer& timer);

    /// Closes. What was put is sent as far as the system takes it at once. A peer that sent too long a packet is told
    /// so (in line mode), and what it is still sending is read away for up to `linger`. After
    /// shutdown(shutdown_receive) the peer has as long to take what was sent.
    awaitable<void> close();

    /// Bytes that have gone through in either direction: as long as it stays the same, the connection is idle.
    std::uint64_t bytes_moved() const { return bytes_moved_; }

    /// The executor of the loop the socket belongs to.
    Executor executor() { return socket_.get_executor(); }

private:
    awaitable<result<Packets>> receive(std::size_t most);

    std::vector<std::string_view> packets_;  // handed out last; lent by the thread, as the bytes are
    std::uint32_t left_of_turn_ = packets_a_turn;
    bool is_flushing_ = false;  // a coroutine waits in flush()
};

/// Connects to the first address of `host` that answers; gives up after `within` (asio::error::timed_out), but not
/// while the system looks up a name: getaddrinfo(3) cannot be interrupted. Run it in `loop`'s thread. Errors: the
/// resolver's, or connect(2)'s.
awaitable<result<AsyncSocket>> async_connect(asio::io_context& loop, std::string host, std::uint16_t port,
                                             SocketOptions options, std::chrono::milliseconds within);

}  // namespace net
