#include "app/options.hpp"

#include "app/faults.hpp"
#include "app/text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <csignal>
#include <iostream>

namespace app {

CommandLine::CommandLine(std::string name, const std::string& purpose) : cli_(purpose, name), name_(std::move(name)) {
    cli_.set_help_flag();  // parse_or_exit() adds it, after all others
    // Said twice, the last one counts: people add to a command line what they want to change.
    cli_.option_defaults()->take_last();
}

CLI::Option* CommandLine::describe(CLI::Option* option, const std::string& default_value,
                                   const std::string& placeholder, const std::string& help) {
    return option->group(group_)->description(help)->type_name(placeholder)->default_str(default_value);
}

CLI::Option* CommandLine::seconds(const std::string& option, std::chrono::milliseconds& value, std::chrono::seconds max,
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
    return describe(cli_.add_option_function<std::string>(option, receive), shown, "SECONDS", help)
        ->check(CLI::Validator(check, ""));
}

CLI::Option* CommandLine::text(const std::string& option, std::string& value, const std::string& placeholder,
                               const std::string& help) {
    return describe(cli_.add_option(option, value), value, placeholder, help);
}

CLI::Option* CommandLine::flag(const std::string& option, bool& value, const std::string& help) {
    return cli_.add_flag(option, value, help)->group(group_);
}

// Not CLI11's own reading of numbers, which takes 010 for 8.
std::optional<std::int64_t> CommandLine::read_whole(const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

CLI::Validator CommandLine::whole_number(std::int64_t min, std::int64_t max) {
    return {[min, max](const std::string& text) -> std::string {
                const auto number = read_whole(text);
                if (number && *number >= min && *number <= max) return {};
                return text + ": a whole number from " + std::to_string(min) + " to " + std::to_string(max) +
                       " is allowed";
            },
            ""};
}

CLI::Validator CommandLine::one_of(std::vector<std::string> words) {
    return {[words = std::move(words)](const std::string& text) -> std::string {
                for (const auto& word : words) {
                    if (word == text) return {};
                }
                return text + ": " + joined(words) + " is allowed";
            },
            ""};
}

std::string CommandLine::joined(const std::vector<std::string>& words) {
    std::string all;
    for (const auto& word : words) all += (all.empty() ? "" : "|") + word;
    return all;
}

void CommandLine::parse_or_exit(int argc, char** argv) {
    cli_.set_help_flag("-h,--help", "Print this help and exit")->group("Help");
    cli_.set_version_flag("--version", name_ + " " FIVE_VERSION " (Five Servers)", "Print the version and exit")
        ->group("Help");
    try {
        cli_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        std::cout << help() << std::flush;
        std::exit(0);
    } catch (const CLI::Success& version) {
        std::exit(cli_.exit(version));
    } catch (const CLI::ExtrasError&) {
        std::string known;
        for (const auto* option : cli_.get_options()) {
            if (!option->get_group().empty()) known += " " + option->get_name();  // without a group: not for people
        }
        std::string unknown;
        for (const auto& extra : cli_.remaining()) unknown += " " + extra;
        usage_error("unknown:" + unknown + "; allowed:" + known);
    } catch (const CLI::ParseError& error) {
        usage_error(error.what());
    }
}

std::string CommandLine::help() const {
    constexpr std::size_t explained_at = 30;  // the column
    std::string text = cli_.get_description() + "\nUsage: " + name_ + " [OPTIONS]\n";
    std::string heading;
    for (const auto* option : cli_.get_options()) {
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

void ServerOptions::apply() const {
    std::signal(SIGPIPE, SIG_IGN);
    story::open(log);
    if (faults) faults::switch_on();
}

std::string_view ServerOptions::reply_prefix() const {
    return socket.packet == net::Packet::line ? "ECHO " : "";
}

}  // namespace app
