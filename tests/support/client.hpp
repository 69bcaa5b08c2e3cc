#pragma once

#include "support/deadline.hpp"
#include "support/descriptor.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace support {

/// A TCP client that tests drive byte by byte. Every call has a deadline, patience() where it takes none, and throws
/// Failure when that passes, or when the connection ends or breaks where it should not. Nagle's algorithm is off: what
/// one call sends leaves at once. One thread at a time.
class Client {
public:
    struct Options {
        std::string host = "127.0.0.1";  ///< an IPv4 or IPv6 address
        int receive_buffer = 0;          ///< SO_RCVBUF in bytes; 0: the system's own, which grows to megabytes
    };

    /// Connects. std::system_error with connect(2)'s errno where it cannot, ECONNREFUSED where nobody listens.
    explicit Client(std::uint16_t port);
    Client(std::uint16_t port, const Options& options);

    /// Sends all of it.
    void send(std::string_view bytes);

    /// Sends as much as the system takes without waiting; returns how much that was.
    std::size_t send_some(std::string_view bytes);

    /// Waits until the system takes more bytes. False when it does not within that time: the peer does not read.
    bool wait_until_it_takes_more(std::chrono::milliseconds within);

    /// Exactly so many bytes; what comes after them stays for the next call.
    std::string recv_exactly(std::size_t size);

    /// Up to and including the next line feed.
    std::string recv_line();

    /// Everything until the peer closes in order; a reset is a Failure.
    std::string recv_until_close();

    /// Sends `bytes` in pieces, each as long as `next_size` says, while it reads replies; returns as many bytes of them
    /// as were sent. Both directions at once, so that large amounts cannot get stuck.
    std::string exchange(std::string_view bytes, const std::function<std::size_t()>& next_size);

    /// How the peer ended the connection; what comes before is read and forgotten.
    enum class End { closed, reset };
    End wait_for_end(std::chrono::milliseconds within = patience());

    /// Whether bytes, or the connection's end, can be read now, or within that time.
    bool has_news(std::chrono::milliseconds within = {});

    /// Failure when anything comes within that time, be it the connection's end.
    void expect_silence(std::chrono::milliseconds within);

    /// Ends our stream; what the peer still sends can be read.
    void half_close();

    /// Closes with a reset: the peer's reads and writes fail.
    void reset();

    /// Closes. What has arrived and was not read makes the kernel reset the connection.
    void close();

    /// Our own address, as the server's story names it: 127.0.0.1:50514.
    std::string name() const;

private:
    bool wait(short events, std::chrono::milliseconds within) const;
    std::size_t receive();
    void receive_until(const std::function<bool()>& enough, const std::string& what);
    std::string take(std::size_t size);

    Descriptor socket_;
    std::string received_;    // not taken yet
    bool has_ended_ = false;  // the peer has closed
};

/// Whether nobody listens at that port: a client is refused.
bool refuses_clients(std::uint16_t port);

/// Lets this process, and those that it starts, open as many descriptors as the system allows it; returns how many.
std::size_t raise_open_files_limit();

}  // namespace support
