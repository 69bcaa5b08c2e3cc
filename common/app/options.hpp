#pragma once

#include "app/story.hpp"
#include "net/socket.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace app {

/// A program's command line, on top of CLI11: options in groups, bounds with every number, and one clear line for every
/// mistake. Options are declared with their default in the variable that receives them.
class CommandLine {
public:
    /// `name` is the program's, as typed; `purpose` one sentence.
    CommandLine(std::string name, const std::string& purpose);

    /// The heading in --help for the options that follow.
    void group(std::string heading) { group_ = std::move(heading); }

    /// A whole number from `min` to `max`.
    template <std::integral Number>
    CLI::Option* number(const std::string& option, Number& value, std::int64_t min, std::int64_t max,
                        const std::string& help) {
        const auto receive = [&value](const std::string& text) { value = static_cast<Number>(*read_whole(text)); };
        auto* const added = cli_.add_option_function<std::string>(option, receive);
        return describe(added, std::to_string(value), "NUMBER", help)->check(whole_number(min, max));
    }

    /// A time in seconds from 0 to `max`; parts of a second are written as decimals.
    CLI::Option* seconds(const std::string& option, std::chrono::milliseconds& value, std::chrono::seconds max,
                         const std::string& help);

    /// Text. Not an empty one: that is what a script's unset variable becomes, and a server that took it for "any
    /// host", or for no password, would be open to everybody.
    CLI::Option* text(const std::string& option, std::string& value, const std::string& placeholder,
                      const std::string& help);

    /// Any text, be it empty.
    CLI::Option* any_text(const std::string& option, std::string& value, const std::string& placeholder,
                          const std::string& help);

    /// Whom a client talks to: --connect HOST:PORT, or --host and --port.
    void server(std::string& host, std::uint16_t& port);

    /// One of a few words; `value` receives its place among them.
    template <class Enum, class Words>
    CLI::Option* choice(const std::string& option, Enum& value, const Words& words, const std::string& help) {
        const std::vector<std::string> allowed(std::begin(words), std::end(words));
        const auto receive = [&value, allowed](const std::string& word) {
            for (std::size_t i = 0; i < allowed.size(); ++i) {
                if (allowed[i] == word) value = static_cast<Enum>(i);
            }
        };
        auto* const added = cli_.add_option_function<std::string>(option, receive);
        return describe(added, allowed[static_cast<std::size_t>(value)], joined(allowed), help)->check(one_of(allowed));
    }

    CLI::Option* flag(const std::string& option, bool& value, const std::string& help);

    /// Reads the arguments. --help and --version answer and exit 0; a mistake gets one line on stderr, which says what
    /// is wrong and what is allowed, and exit 2.
    void parse_or_exit(int argc, char** argv);

    /// For a mistake that shows only when options are seen together: as a mistake in parse_or_exit().
    [[noreturn]] void usage_error(const std::string& what) const;

    /// CLI11's own object, for what is not covered here.
    CLI::App& cli() { return cli_; }

private:
    CLI::Option* describe(CLI::Option* option, const std::string& default_value, const std::string& placeholder,
                          const std::string& help);
    static std::string joined(const std::vector<std::string>& words);
    static std::optional<std::int64_t> read_whole(const std::string& text);
    static CLI::Validator whole_number(std::int64_t min, std::int64_t max);
    static CLI::Validator one_of(std::vector<std::string> words);

    CLI::App cli_;
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
