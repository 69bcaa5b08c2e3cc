#pragma once

#include "net/awaitable.hpp"
#include "net/error.hpp"
#include "net/packet.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <span>
#include <string>
#include <string_view>

namespace net {

/// What gen_tcp takes as options of listen and connect; accepted sockets inherit them.
struct SocketOptions {
    Packet packet = Packet::line;
    std::size_t max_packet = 65536;  ///< bytes, see Decoder
    int backlog = 1024;              ///< clients that may wait for accept; listen(2) cuts it to the system's own limit
};

/// How many packets of one connection are handed out before every other one of the same loop has its turn. One read may
/// hold 65536 empty lines: whoever sends those must not keep the loop for as long as they take.
inline constexpr unsigned packets_a_turn = 256;

/// The whole packets that one read has brought, decoded one by one while they are looked at; to be used at once. Of
/// more than packets_a_turn the rest comes with the next turn.
class Packets {
public:
    struct End {};
    class Iterator {
    public:
        Iterator(Decoder& decoder, std::string_view first, unsigned& left)
            : decoder_(&decoder), packet_(first), left_(&left) {}
        std::string_view operator*() const { return *packet_; }
        Iterator& operator++() {
            packet_ = *left_ > 0 ? decoder_->next() : result<std::string_view>(Error::incomplete);
            if (packet_) --*left_;
            return *this;
        }
        bool operator==(End) const { return !packet_; }

    private:
        Decoder* decoder_;
        result<std::string_view> packet_;
        unsigned* left_;
    };

    /// `left`: how many more than the first may come in this turn.
    Packets(Decoder& decoder, std::string_view first, unsigned& left)
        : decoder_(&decoder), first_(first), left_(&left) {}
    Iterator begin() { return {*decoder_, first_, *left_}; }
    static End end() { return {}; }

private:
    Decoder* decoder_;
    std::string_view first_;
    unsigned* left_;
};

/// A connected TCP socket that speaks in packets, in passive mode: nothing arrives unless it is asked for (gen_tcp's
/// {active, false}). Closed when it is destroyed, and in programs that this one starts. Nagle's algorithm is off; never
/// raises SIGPIPE.
///
/// Each call comes twice: blocking, and as an awaitable that lets the thread do other things meanwhile. Use one kind
/// for one socket. One thread at a time, except for shutdown(), which any thread may call while the socket is open.
class Socket {
public:
    static constexpr std::chrono::milliseconds for_ever{-1};

    /// Takes over a connected socket.
    Socket(TcpSocket socket, const SocketOptions& options);

    /// The next packet; valid until the next call. Error::closed when the peer has ended its stream and everything
    /// before that was delivered; else Error::too_long, Error::cut_short or the system's error. Answers telnet
    /// meanwhile. asio::error::timed_out where nothing has come for `within`; then it may be called again.
    result<std::string_view> recv(std::chrono::milliseconds within = for_ever);
    awaitable<result<std::string_view>> async_recv();

    /// All whole packets of one read, but at most packets_a_turn: at least one. Errors as in recv(). Valid until the
    /// next call of either.
    awaitable<result<Packets>> async_recv_many() { return async_recv_packets(false); }
    /// The same, to be used at once: the packets lie in memory that all sockets of a thread share. They, and what was
    /// put() of them, last until the coroutine waits for anything else than this socket.
    awaitable<result<Packets>> async_recv_at_once() { return async_recv_packets(true); }

    /// Sends one packet, given in pieces, whole. Returns when the system has taken it over.
    result<void> send(std::initializer_list<std::string_view> pieces);

    /// Adds one packet to what flush() will send. Pieces of Outbox::reference_from bytes or more are not copied: keep
    /// them until flush() is done.
    void put(std::initializer_list<std::string_view> pieces) {
        // What telnet asked before this packet is answered before it.
        if (!in_.answers().empty()) put_answers();
        out_.put(pieces);
    }
    /// Sends everything that was put (and telnet's answers), in as few writes as the system allows.
    result<void> flush();
    awaitable<result<void>> async_flush();
    /// Sends what the system takes without waiting. True when that was everything, as it mostly is; then there is no
    /// need for async_flush(), which is a coroutine and costs as much as one. Else async_flush() goes on, or fails.
    bool try_flush();

    /// Sends as much of bytes that are framed already as the system takes without waiting: how many. Where that is
    /// none: asio::error::would_block, and async_writable() says when to try again. Between the two nothing holds the
    /// bytes, so they may change or go away.
    result<std::size_t> send_some(std::span<const asio::const_buffer> bytes);
    awaitable<result<void>> async_writable();

    /// Waits for the timer, with an eye on the connection: false, and at once, when it breaks meanwhile (the peer has
    /// reset it, or it has ended in both directions). An end of the peer's stream alone is no break: what came before
    /// it is still to be read.
    awaitable<bool> async_pause(Timer& timer);

    /// Why recv or send failed last: what "closed" was.
    boost::system::error_code why_closed() const { return why_closed_; }

    /// Bytes that have gone through in either direction: as long as it stays the same, the connection is idle.
    std::uint64_t bytes_moved() const { return bytes_moved_; }

    /// Ends one direction, or both. Of the receiving one: what has arrived is still delivered, then recv says closed,
    /// as if the peer had done it. Wakes whoever waits in that direction. Any thread.
    void shutdown(tcp::socket::shutdown_type direction);

    /// Closes. A peer that sent too long a packet is told so first (in line mode), and what it is still sending is read
    /// away for up to `linger`: closing with bytes unread would reset the connection and could destroy the message.
    void close();
    awaitable<void> async_close();
    static constexpr std::chrono::milliseconds linger{1000};

    /// Closes a client that is not served, at once: says why in line mode (`ERROR …`); never waits for the peer.
    void refuse(std::string_view why);

    /// The addresses of the two ends, as `127.0.0.1:1234` or `[::1]:1234`; "not connected" where there is none.
    std::string peername() const;
    std::string sockname() const;

    /// The executor of the loop the socket belongs to.
    Executor get_executor() { return socket_.get_executor(); }

private:
    awaitable<result<Packets>> async_recv_packets(bool at_once);
    boost::system::error_code read_without_waiting();
    bool arrived(const boost::system::error_code& error, std::size_t size);
    result<void> failed(const boost::system::error_code& error);
    boost::system::error_code write_once();
    boost::system::error_code write_without_waiting();
    void put_answers();
    bool becomes_readable(std::chrono::milliseconds within);
    void never_block();
    bool is_broken();
    void say_error(std::string_view why);
    bool read_away();

    TcpSocket socket_;
    SocketOptions options_;
    Decoder in_;
    Outbox out_;
    std::uint64_t bytes_moved_ = 0;
    unsigned left_of_turn_ = packets_a_turn;
    boost::system::error_code why_closed_;
};

/// Connects to the first address of `host` that answers. Blocking. Errors: the resolver's, or connect(2)'s.
result<Socket> connect(asio::io_context& loop, const std::string& host, std::uint16_t port,
                       const SocketOptions& options);

/// The same, without holding the thread; gives up after `within` (asio::error::timed_out). Run it in `loop`'s thread.
awaitable<result<Socket>> async_connect(asio::io_context& loop, std::string host, std::uint16_t port,
                                        SocketOptions options, std::chrono::milliseconds within);

/// `host:port` for messages, with brackets around an IPv6 address.
std::string host_and_port(const std::string& host, std::uint16_t port);

/// `127.0.0.1:1234` or `[::1]:1234`.
std::string to_string(const tcp::endpoint& endpoint);

}  // namespace net
