#include "chat_words.hpp"

#include <algorithm>

namespace bench::words {

std::string name(std::size_t member) {
    std::string digits = std::to_string(member);
    return "m" + std::string(6 - std::min<std::size_t>(6, digits.size()), '0') + digits;
}

std::string hello(Dialect dialect, std::size_t member) {
    return dialect == Dialect::text ? name(member) + "\n" : "*2\r\n$9\r\nSUBSCRIBE\r\n$5\r\nlobby\r\n";
}

std::string_view welcome(Dialect dialect) {
    return dialect == Dialect::text ? "You are in the room" : ":1";
}

// A string as redis frames it: its length in a line of its own before it.
static std::string framed(std::string_view text) {
    return "$" + std::to_string(text.size()) + "\r\n" + std::string(text) + "\r\n";
}

std::string say(Dialect dialect, std::string_view text) {
    if (dialect == Dialect::text) return std::string(text) + "\n";
    return "*3\r\n$7\r\nPUBLISH\r\n$5\r\nlobby\r\n" + framed(text);
}

std::string said(Dialect dialect, std::size_t sender, std::string_view text) {
    if (dialect == Dialect::text) return name(sender) + " says: " + std::string(text) + "\r\n";
    return "*3\r\n$7\r\nmessage\r\n$5\r\nlobby\r\n" + framed(text);
}

std::string joined(Dialect dialect, std::size_t member) {
    return dialect == Dialect::text ? name(member) + " has joined the room\r\n" : "";
}

std::string left(Dialect dialect, std::size_t member) {
    return dialect == Dialect::text ? name(member) + " has left the room" : "";
}

}  // namespace bench::words
