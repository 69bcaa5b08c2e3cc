#include "chat_words.hpp"

#include <algorithm>
#include <cstdlib>

namespace bench::words {

std::string name(std::size_t member) {
    std::string digits = std::to_string(member);
    return "m" + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

// Not verbose: NATS is not to answer each command with +OK.
#define NATS_HELLO "CONNECT {\"verbose\":false}\r\n"

std::string hello(Dialect dialect, std::size_t member) {
    switch (dialect) {
        case Dialect::text: return name(member) + "\n";
        case Dialect::redis: return "*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nlobby\r\n";
        case Dialect::nats: return NATS_HELLO "SUB lobby 1\r\nPING\r\n";
    }
    std::abort();
}

std::string_view welcome(Dialect dialect) {
    switch (dialect) {
        case Dialect::text: return "You are in the room";
        case Dialect::redis: return ":1";
        case Dialect::nats: return "PONG";
    }
    std::abort();
}

std::string go_to(std::size_t room) {
    return "/join room" + std::to_string(room) + "\n";
}

std::string hello_of_sender(Dialect dialect) {
    return dialect == Dialect::nats ? NATS_HELLO : "";
}

// A string as redis frames it: its length in a line of its own before it.
static std::string framed(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

// A text as NATS has it: behind a command, and its length.
static std::string sized(std::string command, std::string_view text) {
    command += std::to_string(text.size());
    command += "\r\n";
    command += text;
    command += "\r\n";
    return command;
}

std::string say(Dialect dialect, std::string_view text) {
    if (dialect == Dialect::text) return std::string(text) + "\n";
    if (dialect == Dialect::nats) return sized("PUB lobby ", text);
    return "*3\r\n$7\r\nPUBLISH\r\n$5\r\nlobby\r\n" + framed(text);
}

std::string said(Dialect dialect, std::size_t sender, std::string_view text) {
    if (dialect == Dialect::text) return name(sender) + " says: " + std::string(text) + "\r\n";
    if (dialect == Dialect::nats) return sized("MSG lobby 1 ", text);
    return "*3\r\n$7\r\nmessage\r\n$5\r\nlobby\r\n" + framed(text);
}

std::string joined(Dialect dialect, std::size_t member) {
    return dialect == Dialect::text ? name(member) + " has joined the room\r\n" : "";
}

std::string left(Dialect dialect, std::size_t member) {
    return dialect == Dialect::text ? name(member) + " has left the room" : "";
}

}  // namespace bench::words
