#pragma once

#include "app/story.hpp"
#include "net/socket.hpp"

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Only options.cpp includes CLI11, which takes seconds to compile. Who does more with an option than declare it
// includes <CLI/CLI.hpp> too.
namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace app {

/// A program's command line, on top of CLI11: options in groups, bounds with every number, and one clear line for every
/// mistake. Options are declared with their default in the variable that receives them.
class CommandLine {
public:
    /// `name` is the program's, as typed; `purpose` one sentence.
    CommandLine(std::string name, const std::string& purpose);
    ~CommandLine();

    /// The heading in --help for the options that follow. Those without one are not for people, and not shown.
    void group(std::string heading) { group_ = std::move(heading); }

    /// A whole number from `min` to `max`.
    template <std::integral Number>
    void number(const std::string& option, Number& value, std::int64_t min, std::int64_t max, const std::string& help) {
        const auto receive = [&value](std::int64_t read) { value = static_cast<Number>(read); };
        add_number(option, receive, static_cast<std::int64_t>(value), min, max, help);
    }

    /// A time in seconds from 0 to `max`; parts of a second are written as decimals.
    void seconds(const std::string& option, std::chrono::milliseconds& value, std::chrono::seconds max,
                 const std::string& help);

    /// Text. Not an empty one: that is what a script's unset variable becomes, and a server that took it for "any
    /// host", or for no password, would be open to everybody.
    void text(const std::string& option, std::string& value, const std::string& placeholder, const std::string& help);

    /// Any text, be it empty.
    void any_text(const std::string& option, std::string& value, const std::string& placeholder,
                  const std::string& help);

    /// Whom a client talks to: --connect HOST:PORT, or --host and --port.
    void server(std::string& host, std::uint16_t& port);

    /// One of a few words; `value` receives its place among them.
    template <class Enum, class Words>
    void choice(const std::string& option, Enum& value, const Words& words, const std::string& help) {
        const auto receive = [&value](std::size_t place) { value = static_cast<Enum>(place); };
        add_choice(option, receive, static_cast<std::size_t>(value), {std::begin(words), std::end(words)}, help);
    }

    void flag(const std::string& option, bool& value, const std::string& help);

    /// It must be among the arguments. Declared before, as those of exclude() and was_given() are.
    void require(const std::string& option);

    /// Only one of the two may be among them.
    void exclude(const std::string& one, const std::string& other);

    /// Reads the arguments. --help and --version answer and exit 0; a mistake gets one line on stderr, which says what
    /// is wrong and what is allowed, and exit 2.
    void parse_or_exit(int argc, char** argv);

    /// Whether it was among the arguments, be it with the value it has without.
    bool was_given(const std::string& option) const;

    /// For a mistake that shows only when options are seen together: as a mistake in parse_or_exit().
    [[noreturn]] void usage_error(const std::string& what) const;

    /// What --help prints. Laid out here, since CLI11's own layout changes with its version and our pages show this
    /// one.
    std::string help() const;

private:
    void add_number(const std::string& option, std::function<void(std::int64_t)> receive, std::int64_t value,
                    std::int64_t min, std::int64_t max, const std::string& help);
    void add_choice(const std::string& option, std::function<void(std::size_t)> receive, std::size_t value,
                    std::vector<std::string> words, const std::string& help);
    CLI::Option* describe(CLI::Option* option, const std::string& default_value, const std::string& placeholder,
                          const std::string& help);

    std::unique_ptr<CLI::App> cli_;
    std::string name_;
    std::string group_ = "Options";
};

/// `127.0.0.1:1234`, `[::1]:1234`, `host.example:1234`; nothing where it is none of these, or the port is 0.
std::optional<std::pair<std::string, std::uint16_t>> parse_address(std::string_view text);

/// The options that every server has.
struct ServerOptions {
    std::string host = "127.0.0.1";
    std::uint16_t port = 1234;
    net::SocketOptions socket;
    Log log = Log::text;
    bool faults = false;

    /// Declares them; after the stage's own, so that --help shows those first. A server whose clients always speak in
    /// the same way leaves --packet and --max-packet out.
    void declare(CommandLine& line, bool speaks_packets = true);

    /// What every server does between reading its options and serving: opens the story, switches faults on, makes sure
    /// that a reader who has gone (of stdout, say) is an error and not SIGPIPE, that stdin, stdout and stderr are open,
    /// and that a refusal of the system which nobody has caught ends us with one line and exit 1. Before the first
    /// thread.
    void apply() const;

    /// What goes before each reply: in line mode the originals' "ECHO ", so that a reply is not taken for an echo of
    /// the terminal; else nothing (RFC 862).
    std::string_view reply_prefix() const;
};

}  // namespace app
