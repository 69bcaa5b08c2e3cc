// Wrong: it looks for its name anywhere in the line, and answers what is not addressed to it.
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
    if (heard.starts_with(name)) return std::nullopt;
    const auto at = heard.find(std::string(name) + ": ");
    if (at == heard.npos) return std::nullopt;
    return std::string(heard.substr(at + name.size() + 2));
}

/// What the door says once we are in; before it come its question and what was said before our time.
bool is_welcome(std::string_view heard) {
    return heard.starts_with("You are in the room ");
}

/// A line without its end, which at the text door is CR LF.
std::string_view without_end(std::string_view line) {
    return line.substr(0, line.find_last_not_of("\r\n") + 1);
}

/// While a line comes, answer it.
void talk(net::Socket& room) {
    if (!room.send({name, "\n"})) return;
    bool is_in = false;
    while (const auto line = room.recv()) {
        const auto heard = without_end(*line);
        if (!is_in) {
            is_in = is_welcome(heard);
            continue;
        }
        const auto words = answer(heard);
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
