// The originals' client: connects, sends packets, prints what comes back. Talks like telnet, so that nobody needs it.
//
// Passive mode (the default) asks for each reply: send, recv, print. Until it asks, it hears nothing: not even that the
// server has gone. With --active the socket delivers: whatever comes is printed when it comes.

#include "app/options.hpp"
#include "net/async_socket.hpp"

#include <boost/asio.hpp>

#include <csignal>
#include <fstream>
#include <iostream>

#include <unistd.h>

namespace {

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

[[noreturn]] void fail(const std::string& what) {
    std::cerr << "echo_client: " << what << std::endl;
    std::exit(EXIT_FAILURE);
}

void print(std::string_view packet) {
    std::cout << packet;
    if (!packet.ends_with('\n')) std::cout << '\n';
    std::cout.flush();
}

/// The reply to what was just sent.
std::string_view reply_or_fail(net::Socket& socket, const Options& options) {
    const auto packet = socket.recv(options.patience.count() > 0 ? options.patience : net::for_ever);
    if (packet.error() == asio::error::timed_out) {
        fail("no reply within " + std::to_string(options.patience.count()) + " ms: is the server's --packet " +
             std::string(net::to_string(options.socket.packet)) + ", too?");
    }
    if (!packet) fail("no reply: " + net::reason(packet.error()));
    return *packet;
}

void send_or_fail(net::Socket& socket, std::initializer_list<std::string_view> pieces) {
    if (const auto sent = socket.send(pieces); !sent) fail("cannot send: " + net::reason(sent.error()));
}

void send_one(net::Socket& socket, const Options& options) {
    send_or_fail(socket, {options.send, options.line_end()});
    print(reply_or_fail(socket, options));
}

/// Passive: while the person types a line, send it, wait for the reply.
void talk(net::Socket& socket, const Options& options) {
    for (std::string line; std::getline(std::cin, line);) {
        send_or_fail(socket, {line, options.line_end()});
        print(reply_or_fail(socket, options));
    }
    socket.shutdown(net::tcp::socket::shutdown_send);
    while (const auto packet = socket.recv()) print(*packet);
}

/// Sends a file packet by packet, and compares each reply with what was sent.
void compare_file(net::Socket& socket, const Options& options) {
    constexpr std::size_t piece = 16 * 1024;  // small enough that both directions' buffers hold it: nobody waits for us
    std::ifstream file(options.from, std::ios::binary);
    if (!file) fail("cannot read " + options.from);
    const std::size_t header = net::header_size(options.socket.packet);
    const std::size_t most = header == 1 ? 255 : std::min(piece, options.socket.max_packet);
    std::size_t bytes = 0;
    std::size_t packets = 0;
    for (std::string sent; file; ++packets) {
        if (options.is_line()) {
            if (!std::getline(file, sent)) break;
            if (!file.eof()) sent += '\n';
            if (sent.ends_with("\r\n")) sent.erase(sent.size() - 2) += '\n';
        } else {
            sent.resize(most);
            file.read(sent.data(), static_cast<std::streamsize>(most));
            sent.resize(static_cast<std::size_t>(file.gcount()));
        }
        if (sent.empty()) break;
        send_or_fail(socket, {sent});
        if (file.eof()) socket.shutdown(net::tcp::socket::shutdown_send);  // or an unfinished last line has no reply
        const std::string expected = (options.is_line() ? "ECHO " : "") + sent;
        std::string got(reply_or_fail(socket, options));
        while (options.is_raw() && got.size() < expected.size()) got += reply_or_fail(socket, options);
        if (got != expected) {
            const auto differs = std::mismatch(got.begin(), got.end(), expected.begin(), expected.end()).first;
            fail("packet " + std::to_string(packets + 1) + ", which starts at byte " + std::to_string(bytes) +
                 " of the file, came back changed from its byte " + std::to_string(differs - got.begin()) + " on");
        }
        bytes += sent.size();
    }
    if (file.bad()) fail("cannot read " + options.from);
    std::cout << bytes << " bytes in " << packets << " packets came back unchanged" << std::endl;
}

// ---- active mode ----------------------------------------------------------------------------------------------------

/// The socket delivers: on_packet for each packet, when it comes; on_closed once, at the end.
net::awaitable<void> deliver(net::AsyncSocket& socket, auto on_packet, auto on_closed) {
    while (const auto packet = co_await socket.recv()) on_packet(*packet);
    on_closed(socket.why_closed());
}

/// Sends what is typed, when it is typed; at its end, tells the server that no more will come.
net::awaitable<void> type(net::AsyncSocket& socket, const Options& options, asio::posix::stream_descriptor& keyboard) {
    std::string typed;
    for (;;) {
        // Only waits: reading through Asio would make the terminal non-blocking for everybody who shares it. A file
        // cannot be waited for, and need not be.
        co_await keyboard.async_wait(asio::posix::stream_descriptor::wait_read, net::outcome);
        char some[4096];
        const auto size = ::read(STDIN_FILENO, some, sizeof some);
        typed.append(some, static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (size <= 0 && !typed.empty()) typed += '\n';  // the last line may have no end
        for (auto end = typed.find('\n'); end != typed.npos; end = typed.find('\n')) {
            const std::string line = typed.substr(0, end);
            typed.erase(0, end + 1);
            socket.put({line, options.line_end()});
            if (!co_await socket.flush()) co_return;
        }
        if (size <= 0) break;
    }
    socket.shutdown(net::tcp::socket::shutdown_send);
}

[[noreturn]] void fail_to_connect(const Options& options, const boost::system::error_code& why) {
    fail("cannot connect to " + net::host_and_port(options.host, options.port) + ": " + net::reason(why));
}

net::awaitable<void> connect(asio::io_context& loop, const Options& options, std::optional<net::AsyncSocket>& socket) {
    constexpr std::chrono::minutes longest{5};
    auto connected = co_await net::async_connect(loop, options.host, options.port, options.socket, longest);
    if (!connected) fail_to_connect(options, connected.error());
    socket.emplace(std::move(*connected));
}

void talk_actively(asio::io_context& loop, const Options& options) {
    const auto ended = [&](const std::exception_ptr& exception) {
        if (exception) std::rethrow_exception(exception);
    };
    std::optional<net::AsyncSocket> connected;
    asio::co_spawn(loop, connect(loop, options, connected), ended);
    loop.run();
    loop.restart();
    net::AsyncSocket& socket = *connected;
    asio::posix::stream_descriptor keyboard(loop, ::dup(STDIN_FILENO));
    bool typed_all = false;
    const auto on_closed = [&](const boost::system::error_code& why) {
        if (why != net::Error::closed) fail("connection lost: " + net::reason(why));
        if (!typed_all) fail("the server has closed the connection");
        keyboard.close();
    };
    asio::co_spawn(loop, deliver(socket, print, on_closed), ended);
    asio::co_spawn(loop, type(socket, options, keyboard), [&](const std::exception_ptr& exception) {
        typed_all = true;
        ended(exception);
    });
    loop.run();
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    app::CommandLine line("echo_client",
                          "Sends packets to a server and prints what comes back; reads lines from stdin.");
    line.group("What it does");
    line.any_text("--send", options.send, "TEXT", "Send one packet, print the reply, and end");
    line.text("--from", options.from, "FILE", "Send a file, and check that it comes back unchanged");
    line.flag("--active", options.active, "Print what comes when it comes, not only when a reply is due");
    line.group("Whom it talks to");
    line.server(options.host, options.port);
    line.choice("--packet", options.socket.packet, net::packet_names, "As the server's");
    line.seconds("--timeout", options.patience, std::chrono::hours(24), "How long a reply may take; 0: for ever");
    line.number("--max-packet", options.socket.max_packet, 1, 1 << 30, "Longest reply, in bytes");
    line.parse_or_exit(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    const bool one = line.cli().count("--send") > 0;
    const bool file = line.cli().count("--from") > 0;
    if (one + file + options.active > 1) line.usage_error("only one of --send, --from, --active at a time is allowed");

    asio::io_context loop;
    if (options.active) {
        talk_actively(loop, options);
        return EXIT_SUCCESS;
    }
    auto socket = net::connect(loop, options.host, options.port, options.socket);
    if (!socket) fail_to_connect(options, socket.error());
    if (one) {
        send_one(*socket, options);
    } else if (file) {
        compare_file(*socket, options);
    } else {
        talk(*socket, options);
    }
}
