#include "support/server.hpp"

namespace support {

namespace {

Command command_of(const std::string& program, const std::vector<std::string>& options, Command conditions) {
    conditions.words = {path_of(program), "--port", "0"};
    conditions.words.insert(conditions.words.end(), options.begin(), options.end());
    return conditions;
}

std::uint16_t port_in(const std::string& first_line) {
    if (!first_line.starts_with("Listening on ")) throw Failure("not a server's first line: " + first_line);
    return static_cast<std::uint16_t>(std::stoul(first_line.substr(first_line.rfind(':') + 1)));
}

}  // namespace

Server::Server(const std::string& program, const std::vector<std::string>& options, Command conditions)
    : Program(command_of(program, options, std::move(conditions))),
      port_(port_in(wait_for_line([](std::string_view) { return true; }))) {}

}  // namespace support
