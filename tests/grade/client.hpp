#pragma once

#include "grade/server.hpp"
#include "grade/verdict.hpp"

#include "support/descriptor.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace grade {

/// A TCP client of the server under test, driven byte by byte. Every call ends within the server's patience, takes a
/// bounded amount of memory whatever comes, and throws Wrong, with what was sent until then, when something else comes
/// about than is asked for. Nagle's algorithm is off: what one call sends leaves at once. One thread.
class Client {
public:
    struct Options {
        int receive_buffer = 0;  ///< SO_RCVBUF in bytes; 0: the system's own, which grows to megabytes
        int send_buffer = 0;     ///< SO_SNDBUF
        int segment = 0;         ///< TCP_MAXSEG: with small segments the server's send buffer stays small, too
        milliseconds within{0};  ///< to connect; 0: as long as for a reply
    };

    /// Connects.
    explicit Client(Server& server);
    Client(Server& server, const Options& options);

    /// Sends all of it.
    Client& send(std::string_view bytes);
    /// Sends what the system takes without waiting; returns how much that was.
    std::size_t send_some(std::string_view bytes);
    /// Waits until the server's system has all that was sent. False when it does not take it.
    bool all_delivered();
    /// The server's end of the connection, as the system has it (proc(5), /proc/net/tcp).
    struct ServerEnd {
        bool is_established;
        unsigned long unread;  ///< bytes that the server has not taken yet
        std::string inode;
    };
    /// Nothing where this system does not have that end: the server runs elsewhere, or has closed it.
    std::optional<ServerEnd> server_end() const;

    /// Waits until the server itself has taken what was sent, or a pause where this system cannot tell: what is sent
    /// next does not come in the same recv(). No longer than for a reply: whether the server reads is asked by others.
    void await_read();
    /// Lets more arrive before it is read than Options said.
    void widen(int receive_buffer);
    /// Whether the system takes more bytes within that time. If not, the server does not read.
    bool takes_more(milliseconds within);

    /// Receives exactly these bytes. What differs is noticed with the first byte that does.
    void expect(std::string_view bytes, const std::string& hint = "");
    /// Receives exactly so many bytes.
    std::string take(std::size_t size, const std::string& awaited);
    /// Receives the next line, with its line feed. `awaited` says what for, in a message.
    std::string line(const std::string& awaited);
    /// The server closes in order, having sent nothing more.
    void expect_end(const std::string& hint = "");
    /// Nothing comes, nor the end, for a while (patience().a_while()).
    void expect_silence(const std::string& why, const std::string& hint = "");
    /// Whether anything, or the end, has come or comes within that time.
    bool has_news(milliseconds within);
    /// Whether a whole line, or the end, has come. Does not wait.
    bool has_line();
    /// All that comes until the server closes, in whatever way, or `max` bytes. Wrong when it does not close.
    std::string rest(std::size_t max, const std::string& hint = "");

    /// Sends all `bytes` in pieces, each as long as `next_size` says, while it receives what is `expected`; what comes
    /// after that is left for later. Both directions at once, so that large amounts cannot get stuck.
    void exchange(std::string_view bytes, std::string_view expected, const std::function<std::size_t()>& next_size);

    void half_close();
    /// Closes with a reset: the server's reads and writes fail.
    void reset();
    void close() { socket_.close(); }
    /// Whether the server's system did not answer when we first asked to be connected: its queue was full.
    bool was_ignored() const;
    bool is_open() const { return socket_.get() >= 0; }
    /// Whether anything has ever come.
    bool has_heard() const { return heard_ > 0; }
    /// Whether nothing more can come: the server has closed, or the connection broke.
    bool has_ended() const { return has_ended_ || !broken_.empty(); }
    /// Throws it, with what was sent until now.
    [[noreturn]] void fail(Wrong wrong) const;
    int descriptor() const { return socket_.get(); }

private:
    bool wait(short events, milliseconds within);
    bool wait_for_reply(short events);
    bool receive();
    std::string in_right_words(std::string_view bytes);
    std::string after_what_agreed() const;
    std::string what_came() const;
    [[noreturn]] void fail_to_connect(int error);
    void note_sent(std::string_view bytes);

    Server& server_;
    support::Descriptor socket_;
    std::string received_;     // not taken yet
    std::string line_begin_;   // of the server's own prefix, what has come of it; empty elsewhere
    bool is_in_line_ = false;  // behind where the prefix stands
    std::string broken_;       // why nothing can be received any more, in words; "": it can
    bool has_ended_ = false;   // closed in order
    std::size_t heard_ = 0;    // bytes, in all
    std::size_t agreed_ = 0;   // bytes that exchange() has compared and forgotten
    std::string sent_;         // for messages: the last writes
    std::size_t writes_ = 0;
};

}  // namespace grade
