#pragma once

#include "net/awaitable.hpp"
#include "net/buffer.hpp"
#include "net/error.hpp"
#include "net/packet.hpp"
#include "net/telnet.hpp"

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace net {

/// What gen_tcp takes as options of listen and connect; accepted sockets inherit them.
struct SocketOptions {
    Packet packet = Packet::line;
    std::size_t max_packet = 65536;  ///< bytes, see Framer
    int backlog = 1024;              ///< clients that may wait for accept; listen(2) cuts it to the system's own limit
};

/// For recv(): without a limit.
inline constexpr auto for_ever = std::chrono::milliseconds::max();

/// How long close() reads away what comes from a peer that is told an error.
inline constexpr std::chrono::milliseconds linger{1000};

/// With more bytes than this still to be sent, telnet gets no answers: a peer that asks on and on and reads nothing
/// must not fill our memory.
inline constexpr std::size_t max_unsent = 64 * 1024;

/// What the two kinds of socket have in common, the blocking Socket and the AsyncSocket: a connected TCP socket that
/// speaks in packets, in passive mode: nothing arrives unless it is asked for (gen_tcp's {active, false}). In line mode
/// it answers telnet by itself. Nagle's algorithm is off. It is closed when it is destroyed, and in programs that this
/// one starts; it never raises SIGPIPE. One thread at a time, except for shutdown().
class SocketBase {
public:
    /// Why recv or send failed: what "closed" was. The first reason is kept. Where sending has failed, recv still
    /// delivers what has arrived, and says why only then.
    boost::system::error_code why_closed() const { return why_closed_; }

    /// Ends one direction, or both. Of the receiving one: what has arrived is still delivered, then recv says closed,
    /// as if the peer had done it. Wakes whoever waits in that direction. Any thread, while the socket is open.
    void shutdown(tcp::socket::shutdown_type direction);

    /// Closes a client that is not served, at once: says why in line mode (`ERROR …`); never waits for the peer.
    void refuse(std::string_view why);

    /// The peer's address, as `127.0.0.1:1234` or `[::1]:1234`; "not connected" where there is none.
    std::string peername() const;

protected:
    SocketBase(TcpSocket socket, const SocketOptions& options);

    /// One read, of `size` bytes at the most. The end of the stream, or a signal, is no error: it just brings nothing.
    boost::system::error_code read(std::size_t size);
    /// Writes what out_ holds, all of it, or as much as the system takes now (would_block, where the socket does not
    /// block). After any other error nobody will take it: it is dropped, and the reason kept. What has arrived can
    /// still be read.
    boost::system::error_code write();
    /// Keeps the reason, and returns the one that counts.
    boost::system::error_code keep_reason(const boost::system::error_code& error);
    /// Tells a peer that sent too long a packet. Whether it did: then what it still sends has to be read away, because
    /// closing with bytes unread would reset the connection and could destroy the message.
    bool tell_if_too_long();
    /// Reads and forgets what has arrived, without waiting. True when nothing more will come.
    bool discard_arrived();
    /// Whether close() must wait, since shutdown() has ended receiving and the peer's system has not taken all that was
    /// sent. To be asked again after `look_again`: nothing tells when it has. What still arrives is forgotten.
    bool is_owed();
    static constexpr std::chrono::milliseconds look_again{10};

    TcpSocket socket_;
    Framer framer_;
    telnet::Filter telnet_;
    Buffer in_;                // what has arrived and was not handed out; without telnet's commands
    Buffer out_;               // what was put, and telnet's answers
    bool has_ended_ = false;   // the peer's stream has
    bool is_stopped_ = false;  // receiving was ended from here, and sending was not
    std::uint64_t bytes_moved_ = 0;
    boost::system::error_code why_closed_;

private:
    void say_error(std::string_view why);
};

/// The blocking socket. There is one rule: a packet is valid until the next recv. All that you pass in is copied or
/// written before the call returns.
class Socket : public SocketBase {
public:
    /// Takes over a connected socket.
    Socket(TcpSocket socket, const SocketOptions& options) : SocketBase(std::move(socket), options) {}

    /// The next packet, without its header; a line with its ending. Error::closed when the peer has ended its stream
    /// and everything before that was delivered, an unfinished line, too; else Error::too_long, Error::cut_short or the
    /// system's error. asio::error::timed_out where nothing has come for `within`; then it may be called again.
    result<std::string_view> recv(std::chrono::milliseconds within = for_ever);

    /// Sends one packet, given in pieces (Erlang's iodata), whole. Returns when the system has taken it over. A frame
    /// that is longer than its header can say is a std::length_error.
    result<void> send(std::initializer_list<std::string_view> pieces);

    /// Closes. A peer that sent too long a packet is told so first (in line mode), and what it is still sending is read
    /// away for up to `linger`. After shutdown(shutdown_receive) the peer has as long to take what was sent.
    void close();

private:
    bool becomes_readable(std::chrono::steady_clock::time_point deadline);

    bool reads_much_ = false;  // the last read brought much, so the next one asks for much
};

/// Connects to the first address of `host` that answers. Blocking. Errors: the resolver's, or connect(2)'s.
result<Socket> connect(asio::io_context& loop, const std::string& host, std::uint16_t port,
                       const SocketOptions& options);

/// `host:port` for messages, with brackets around an IPv6 address.
std::string host_and_port(const std::string& host, std::uint16_t port);

/// `127.0.0.1:1234` or `[::1]:1234`.
std::string to_string(const tcp::endpoint& endpoint);

}  // namespace net
