// Wrong: it answers what it is shown of the time before it came.
// Parrot: a member of the chat room that repeats what it is told. bot PORT

#include "net/socket.hpp"

#include <boost/asio.hpp>

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view name = "Parrot";

/// What to say when this was heard; nothing when we are not meant.
std::optional<std::string> answer(std::string_view heard) {
    // A name has no spaces: the first " says: " ends it, whatever is said after that.
    constexpr std::string_view says = " says: ";
    const auto end = heard.find(says);
    if (end == heard.npos || heard.find(' ') != end) return std::nullopt;
    const auto speaker = heard.substr(0, end);
    auto words = heard.substr(end + says.size());
    if (speaker == name || !words.starts_with(name)) return std::nullopt;
    words.remove_prefix(name.size());
    if (!words.starts_with(": ")) return std::nullopt;
    return std::string(words.substr(2));
}

/// A line without its end, which at the text door is CR LF.
std::string_view without_end(std::string_view line) {
    return line.substr(0, line.find_last_not_of("\r\n") + 1);
}

/// While a line comes, answer it.
void talk(net::Socket& room) {
    if (!room.send({name, "\n"})) return;
    while (const auto line = room.recv()) {
        const auto words = answer(without_end(*line));
        if (words && !room.send({*words, "\n"})) break;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 1234);
    boost::asio::io_context loop;
    auto room = net::connect(loop, "127.0.0.1", port, {});
    if (!room) {
        std::cerr << "cannot connect: " << net::reason(room.error()) << std::endl;
        return EXIT_FAILURE;
    }
    talk(*room);
}
