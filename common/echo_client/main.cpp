// echo_client: options, and which of its ways to talk is wanted.

#include "app/options.hpp"
#include "echo_client/echo_client.hpp"

#include <boost/asio.hpp>

#include <csignal>
#include <cstdlib>
#include <iostream>

void echo_client::fail(const std::string& what) {
    std::cerr << "echo_client: " << what << std::endl;
    std::exit(EXIT_FAILURE);
}

void echo_client::fail_to_connect(const Options& options, const boost::system::error_code& why) {
    fail("cannot connect to " + net::host_and_port(options.host, options.port) + ": " + net::reason(why));
}

void echo_client::print(std::string_view packet) {
    std::cout << packet;
    if (!packet.ends_with('\n')) std::cout << '\n';
    std::cout.flush();
}

int main(int argc, char** argv) {
    echo_client::Options options;
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
    const bool one = line.was_given("--send");
    const bool file = line.was_given("--from");
    if (one + file + options.active > 1) line.usage_error("only one of --send, --from, --active at a time is allowed");

    if (options.active) {
        echo_client::talk_actively(options);
        return EXIT_SUCCESS;
    }
    boost::asio::io_context loop;
    auto socket = net::connect(loop, options.host, options.port, options.socket);
    if (!socket) echo_client::fail_to_connect(options, socket.error());
    if (one) {
        echo_client::send_one(*socket, options);
    } else if (file) {
        echo_client::compare_file(*socket, options);
    } else {
        echo_client::talk(*socket, options);
    }
}
