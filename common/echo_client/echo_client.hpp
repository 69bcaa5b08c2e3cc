#pragma once

#include "net/socket.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

/// The originals' client: connects, sends packets, prints what comes back. Talks like telnet, so that nobody needs it.
namespace echo_client {

namespace asio = boost::asio;

struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 1234;
    net::SocketOptions socket;
    std::string send, from;
    bool active = false;
    std::chrono::milliseconds patience{10'000};  ///< for a reply; 0: without end

    bool is_line() const { return socket.packet == net::Packet::line; }
    bool is_raw() const { return socket.packet == net::Packet::raw; }
    /// What one typed line becomes: a line and raw bytes keep its end, a frame has its own.
    std::string_view line_end() const { return is_line() || is_raw() ? "\n" : ""; }
};

/// Says why on stderr, and ends with exit code 1.
[[noreturn]] void fail(const std::string& what);

/// The same, where there is no connection.
[[noreturn]] void fail_to_connect(const Options& options, const boost::system::error_code& why);

/// On stdout, in a line of its own.
void print(std::string_view packet);

// passive.cpp: the program asks for each reply: send, recv, print. Until it asks, it hears nothing: not even that the
// server has gone.

/// One packet, and its reply.
void send_one(net::Socket& socket, const Options& options);

/// While the person types a line, sends it, and waits for the reply.
void talk(net::Socket& socket, const Options& options);

/// Sends a file packet by packet, and compares each reply with what was sent.
void compare_file(net::Socket& socket, const Options& options);

// active.cpp: the socket delivers. Whatever comes is printed when it comes.

/// Connects, and sends what the person types, until either side has ended.
void talk_actively(const Options& options);

}  // namespace echo_client
