#include "app/options.hpp"

#include "app/faults.hpp"
#include "app/text.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <system_error>
#include <tuple>

#include <fcntl.h>
#include <unistd.h>

namespace app {

namespace {

// Not CLI11's own reading of numbers, which takes 010 for 8.
std::optional<std::int64_t> read_whole(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

CLI::Validator whole_number(std::int64_t min, std::int64_t max) {
    return {[min, max](const std::string& text) -> std::string {
                const auto number = read_whole(text);
                if (number && *number >= min && *number <= max) return {};
                return text + ": a whole number from " + std::to_string(min) + " to " + std::to_string(max) +
                       " is allowed";
            },
            ""};
}

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : "|") + word;
    return all;
}

CLI::Validator one_of(const std::vector<std::string>& words) {
    return {[words](const std::string& text) -> std::string {
                for (const auto& word : words) {
                    if (word == text) return {};
                }
                return text + ": " + joined(words) + " is allowed";
            },
            ""};
}

}  // namespace

CommandLine::CommandLine(std::string name, const std::string& purpose)
    : cli_(std::make_unique<CLI::App>(purpose, name)), name_(std::move(name)) {
    cli_->set_help_flag();  // parse_or_exit() adds it, after all others
    // Said twice, the last one counts: people add to a command line what they want to change.
    cli_->option_defaults()->take_last();
}

CommandLine::~CommandLine() = default;

CLI::Option* CommandLine::describe(CLI::Option* option, const std::string& default_value,
                                   const std::string& placeholder, const std::string& help) {
    return option->group(group_)->description(help)->type_name(placeholder)->default_str(default_value);
}

void CommandLine::add_number(const std::string& option, std::function<void(std::int64_t)> receive, std::int64_t value,
                             std::int64_t min, std::int64_t max, const std::string& help) {
    const auto read = [receive = std::move(receive)](const std::string& text) { receive(*read_whole(text)); };
    describe(cli_->add_option_function<std::string>(option, read), std::to_string(value), "NUMBER", help)
        ->check(whole_number(min, max));
}

void CommandLine::add_choice(const std::string& option, std::function<void(std::size_t)> receive, std::size_t value,
                             std::vector<std::string> words, const std::string& help) {
    const auto read = [receive = std::move(receive), words](const std::string& word) {
        receive(static_cast<std::size_t>(std::find(words.begin(), words.end(), word) - words.begin()));
    };
    describe(cli_->add_option_function<std::string>(option, read), words[value], joined(words), help)
        ->check(one_of(words));
}

void CommandLine::seconds(const std::string& option, std::chrono::milliseconds& value, std::chrono::seconds max,
                          const std::string& help) {
    const std::string allowed = "a number of seconds from 0 to " + std::to_string(max.count()) + " is allowed";
    const auto read = [max](const std::string& text) -> std::optional<std::chrono::milliseconds> {
        double seconds = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
        if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
        const bool in_range = seconds >= 0 && seconds <= static_cast<double>(max.count());  // "nan" is not
        if (!in_range) return std::nullopt;
        return std::chrono::milliseconds(std::llround(seconds * 1000));
    };
    const auto check = [read, allowed](const std::string& text) {
        return read(text) ? std::string() : text + ": " + allowed;
    };
    const auto receive = [read, &value](const std::string& text) { value = *read(text); };
    std::string shown = std::to_string(value.count() / 1000);
    if (value.count() % 1000 != 0) shown += "." + std::to_string(1000 + value.count() % 1000).substr(1);
    describe(cli_->add_option_function<std::string>(option, receive), shown, "SECONDS", help)
        ->check(CLI::Validator(check, ""));
}

void CommandLine::text(const std::string& option, std::string& value, const std::string& placeholder,
                       const std::string& help) {
    const auto check = [placeholder](const std::string& given) {
        return given.empty() ? "empty: " + placeholder + " is allowed" : std::string();
    };
    describe(cli_->add_option(option, value), value, placeholder, help)->check(CLI::Validator(check, ""));
}

void CommandLine::any_text(const std::string& option, std::string& value, const std::string& placeholder,
                           const std::string& help) {
    describe(cli_->add_option(option, value), value, placeholder, help);
}

void CommandLine::flag(const std::string& option, bool& value, const std::string& help) {
    cli_->add_flag(option, value, help)->group(group_)->check(one_of({"true", "false"}));
}

void CommandLine::server(std::string& host, std::uint16_t& port) {
    const std::string allowed = "HOST:PORT is allowed";
    const auto check = [allowed](const std::string& text) {
        return parse_address(text) ? std::string() : text + ": " + allowed;
    };
    const auto receive = [&host, &port](const std::string& text) { std::tie(host, port) = *parse_address(text); };
    auto* const added = cli_->add_option_function<std::string>("--connect", receive);
    describe(added, host + ":" + std::to_string(port), "HOST:PORT", "The server")->check(CLI::Validator(check, ""));
    text("--host", host, "HOST", "The same in two words: an address or a name");
    number("--port", port, 1, 65535, "And a TCP port");
}

std::optional<std::pair<std::string, std::uint16_t>> parse_address(std::string_view text) {
    const auto colon = text.rfind(':');
    if (colon == text.npos) return std::nullopt;
    std::string_view host = text.substr(0, colon);
    const std::string_view digits = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (host.empty() || error != std::errc() || end != digits.data() + digits.size() || port == 0) return std::nullopt;
    return std::pair(std::string(host), port);
}

void CommandLine::require(const std::string& option) {
    cli_->get_option(option)->required();
}

void CommandLine::exclude(const std::string& one, const std::string& other) {
    cli_->get_option(one)->excludes(cli_->get_option(other));
}

bool CommandLine::was_given(const std::string& option) const {
    return cli_->count(option) > 0;
}

void CommandLine::parse_or_exit(int argc, char** argv) {
    cli_->set_help_flag("-h,--help", "Print this help and exit")->group("Help");
    cli_->set_version_flag("--version", name_ + " " FIVE_VERSION " (Five Servers)", "Print the version and exit")
        ->group("Help");
    try {
        cli_->parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << help() << std::flush;
        std::exit(0);
    } catch (const CLI::Success& version) {
        std::exit(cli_->exit(version));
    } catch (const CLI::ExtrasError&) {
        std::string known;
        for (const auto* option : cli_->get_options()) {
            if (!option->get_group().empty()) known += " " + option->get_name();  // without a group: not for people
        }
        std::string unknown;
        for (const auto& extra : cli_->remaining()) unknown += " " + extra;
        usage_error("unknown:" + unknown + "; allowed:" + known);
    } catch (const CLI::ParseError& error) {
        usage_error(error.what());
    }
}

std::string CommandLine::help() const {
    constexpr std::size_t explained_at = 30;  // the column
    std::string text = cli_->get_description() + "\nUsage: " + name_ + " [OPTIONS]\n";
    std::string heading;
    for (const auto* option : cli_->get_options()) {
        if (option->get_group().empty()) continue;  // not for people
        if (option->get_group() != heading) {
            heading = option->get_group();
            text += "\n" + heading + ":\n";
        }
        std::string line = "  " + option->get_name(false, true);
        const bool takes_value = option->get_type_size() != 0;
        if (takes_value) line += " " + option->get_type_name();
        if (takes_value && !option->get_default_str().empty()) line += "=" + option->get_default_str();
        if (option->get_required()) line += " REQUIRED";
        const bool fits = line.size() < explained_at;
        text += line + (fits ? "" : "\n") + std::string(explained_at - (fits ? line.size() : 0), ' ') +
                option->get_description() + "\n";
    }
    return text;
}

void CommandLine::usage_error(const std::string& what) const {
    constexpr std::size_t max_shown = 1000;
    std::cerr << name_ << ": " << app::text::visible(what, max_shown) << " (" << name_ << " --help explains)"
              << std::endl;
    constexpr int wrong_usage = 2;
    std::exit(wrong_usage);
}

void ServerOptions::declare(CommandLine& line, bool speaks_packets) {
    constexpr std::int64_t mebi = 1 << 20;
    line.group("Where it listens");
    line.text("--host", host, "HOST", "An address (::1 too) or a name");
    line.number("--port", port, 0, 65535, "A TCP port; 0 takes a free one");
    line.number("--backlog", socket.backlog, 1, 65535, "Clients that may wait for accept");
    if (speaks_packets) {
        line.group("What it speaks");
        line.choice("--packet", socket.packet, net::packet_names,
                    "Raw bytes, lines, or frames with a length of 1, 2, 4 bytes");
        line.number("--max-packet", socket.max_packet, 1, 1024 * mebi, "Longest line or frame, in bytes");
    }
    line.group("What it tells");
    line.choice("--log", log, std::array{"text", "json", "quiet"}, "The story as text, as JSON Lines, or not at all");
    line.flag("--faults", faults, "Obey lines that break the server: " + std::string(faults::commands));
}

namespace {

/// Whoever starts us may have closed one of these, and the next that we open, a socket say, would get its number: what
/// is meant for people would go to a client.
void open_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(stream, F_GETFD) < 0) ::open("/dev/null", O_RDWR);  // takes the smallest number that is free
    }
}

/// What the system says where it refuses us something; empty for any other exception.
std::string refusal(const std::exception_ptr& exception) {
    try {
        if (exception) std::rethrow_exception(exception);
    } catch (const boost::system::system_error& error) {
        return net::reason(error.code());
    } catch (const std::system_error& error) {
        return net::reason(error.code());
    } catch (const std::bad_alloc&) {
        return "no memory left";
    } catch (...) {
        return {};
    }
    return {};
}

/// For an exception that nobody has caught. Where the system refuses a server what it cannot be without, a descriptor
/// or a thread, that is one line for its operator; everything else is a mistake of ours, and a core is wanted.
std::terminate_handler terminate_as_usual = nullptr;
[[noreturn]] void say_what_is_missing() {
    const std::string why = refusal(std::current_exception());
    if (why.empty()) terminate_as_usual();
    std::cerr << "cannot go on: " << why << std::endl;
    std::_Exit(EXIT_FAILURE);  // not exit(): other threads may still use what that destroys
}

}  // namespace

void ServerOptions::apply() const {
    open_standard_streams();
    terminate_as_usual = std::set_terminate(say_what_is_missing);
    std::signal(SIGPIPE, SIG_IGN);
    story::open(log);
    if (faults) faults::switch_on();
}

std::string_view ServerOptions::reply_prefix() const {
    return socket.packet == net::Packet::line ? "ECHO " : "";
}

}  // namespace app
