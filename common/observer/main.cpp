// The observer: runs a server, reads what it tells (--log json), and shows it as a live page.
//
//   told.cpp        one line of the story
//   model.cpp       the story folded into a picture
//   kernel.cpp      what the kernel knows besides
//   tcp_table.cpp   its list of connections
//   child.cpp       the server as a child process
//   recording.cpp   a story that was kept, and any moment of it
//   web.cpp         the page and its pictures, over HTTP
//   page.html       draws a picture

#include "app/options.hpp"
#include "net/error.hpp"
#include "observer/live.hpp"
#include "observer/recording.hpp"
#include "observer/web.hpp"

#include <boost/asio.hpp>
#include <boost/json.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>

namespace observer {

namespace asio = boost::asio;
using asio::ip::tcp;
using Clock = std::chrono::steady_clock;

namespace {

struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 8080;
    std::string record;
    std::string file;
    std::vector<std::string> command;

    void parse_or_exit(int argc, char** argv);
};

void Options::parse_or_exit(int argc, char** argv) {
    // What follows -- is another program's.
    int ours = 1;
    while (ours < argc && std::string_view(argv[ours]) != "--") ++ours;
    for (int i = ours + 1; i < argc; ++i) command.emplace_back(argv[i]);
    app::CommandLine line("observer",
                          "Shows what a server does as a live page: observer [OPTIONS] -- COMMAND...\n"
                          "or a recording of it, with a slider: observer FILE; a story from elsewhere: observer -\n"
                          "COMMAND gets `--log json` where it has no --log of its own. Ctrl-C ends both, and the exit\n"
                          "code is the server's; when the server has ended, its page stays until Ctrl-C.");
    line.group("Where the page is");
    line.text("--host", host, "HOST", "An address of this computer alone, ::1 too");
    line.number("--port", port, 0, 65535, "A TCP port; 0 takes a free one");
    line.group("What is shown");
    line.text("--record", record, "FILE", "Keep the story in this file");
    line.text("file", file, "FILE", "Play this recording; -: read the story from stdin");
    line.parse_or_exit(ours, argv);
    if (command.empty() && file.empty()) line.usage_error("what is to be observed? -- COMMAND..., or FILE, or -");
    if (!command.empty() && !file.empty()) line.usage_error("either a COMMAND or a FILE is allowed: " + file);
    if (!record.empty() && !file.empty() && file != "-")
        line.usage_error("--record: " + file + " is a recording already");
}

[[noreturn]] void fail(const std::string& what) {
    std::cerr << what << std::endl;
    std::exit(EXIT_FAILURE);
}

tcp::acceptor listen_or_exit(asio::io_context& loop, const Options& options) {
    const auto where = net::host_and_port(options.host, options.port);
    boost::system::error_code error;
    tcp::resolver resolver(loop);
    const auto found = resolver.resolve(options.host, std::to_string(options.port), error);
    if (error) fail("cannot observe on " + where + ": " + net::reason(error));
    const auto endpoint = found.begin()->endpoint();
    if (!endpoint.address().is_loopback()) {
        fail("cannot observe on " + where + ": the page is for this computer alone; 127.0.0.1 and ::1 are allowed");
    }
    tcp::acceptor acceptor(loop);
    acceptor.open(endpoint.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
    if (error) fail("cannot observe on " + where + ": " + net::reason(error));
    return acceptor;
}

/// The first line, before anything else.
void announce(const tcp::acceptor& acceptor) {
    app::story::show({"observer"}, "observing",
                     "Observing on http://" + net::to_string(acceptor.local_endpoint()) + "/");
}

/// A recording that plays in real time for whoever only looks, and shows any moment to whoever asks for it.
class Replay : public Pictures {
public:
    explicit Replay(std::string text) : recording_(std::move(text)) {}

    std::shared_ptr<const std::string> now() override {
        return at(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_).count());
    }
    std::shared_ptr<const std::string> at(std::int64_t after) override {
        return std::make_shared<std::string>(boost::json::serialize(recording_.picture(after)));
    }
    std::uint64_t version() const override { return 0; }

private:
    Recording recording_;
    Clock::time_point began_ = Clock::now();
};

int replay(const Options& options) {
    std::error_code error;
    const auto size = std::filesystem::file_size(options.file, error);
    std::ifstream file(options.file, std::ios::binary);
    if (error || !file) fail("cannot read " + options.file);
    if (size > Recording::max_size)
        fail(options.file + " is larger than " + std::to_string(Recording::max_size) + " bytes");
    Replay pictures(std::string(std::istreambuf_iterator<char>(file), {}));
    asio::io_context loop{1};
    auto acceptor = listen_or_exit(loop, options);
    announce(acceptor);
    const Web web(loop, std::move(acceptor), options.host, pictures);
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code, int) { loop.stop(); });
    loop.run();
    return EXIT_SUCCESS;
}

int live(const Options& options) {
    asio::io_context loop{1};
    auto acceptor = listen_or_exit(loop, options);
    Live pictures(loop, options.record);
    announce(acceptor);
    const Web web(loop, std::move(acceptor), options.host, pictures);
    return options.command.empty() ? pictures.read_stdin() : pictures.run(options.command);
}

}  // namespace
}  // namespace observer

int main(int argc, char** argv) {
    observer::Options options;
    options.parse_or_exit(argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    app::story::open(app::Log::text);
    const bool plays = !options.file.empty() && (options.file != "-" || std::filesystem::is_regular_file("/dev/stdin"));
    try {
        if (plays && options.file == "-") options.file = "/dev/stdin";
        return plays ? observer::replay(options) : observer::live(options);
    } catch (const std::system_error& error) {
        std::cerr << "observer: " << error.what() << std::endl;
        return EXIT_FAILURE;
    }
}
