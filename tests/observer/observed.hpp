#pragma once

#include "support/client.hpp"
#include "support/program.hpp"

#include <gmock/gmock.h>
#include <boost/json.hpp>

#include <csignal>
#include <string>
#include <vector>

namespace observed {

namespace json = boost::json;
using support::Client;

/// The port at the end of `Listening on 127.0.0.1:1234`, or before the slash of an address.
inline std::uint16_t port_in(const std::string& line) {
    const auto end = line.find_last_of("0123456789");
    return static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':', end) + 1)));
}

/// An answer over HTTP.
struct Answer {
    int status = 0;
    std::string head, body;
};
inline Answer ask(std::uint16_t port, const std::string& request) {
    Client client(port);
    client.send(request);
    const auto all = client.recv_until_close();
    const auto end = all.find("\r\n\r\n");
    if (end == all.npos) throw support::Failure("no answer over HTTP: " + all);
    return {std::stoi(all.substr(all.find(' ') + 1)), all.substr(0, end), all.substr(end + 4)};
}
inline Answer get(std::uint16_t port, const std::string& target, const std::string& host = "localhost") {
    return ask(port, "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
}

/// The observer, and below it a server of ours.
class Observed : public support::Program {
public:
    explicit Observed(const std::string& server, const std::vector<std::string>& options = {},
                      const std::vector<std::string>& own = {})
        : Program(command(server, options, own)) {
        page_port_ = port_in(wait_for_line("Observing on http://"));
        server_port_ = port_in(wait_for_line("Listening on"));
    }

    std::uint16_t page_port() const { return page_port_; }
    std::uint16_t server_port() const { return server_port_; }

    json::value picture() const { return json::parse(get(page_port_, "/picture").body); }

    /// Waits until a place in the picture is as wanted; returns what it is in the end.
    json::value wait_until(const std::string& pointer, const std::function<bool(const json::value&)>& is_wanted) const {
        json::value seen;
        support::eventually([&] {
            const auto all = picture();
            boost::system::error_code error;
            const auto* found = all.find_pointer(pointer, error);
            seen = found == nullptr ? json::value() : *found;
            return is_wanted(seen);
        });
        return seen;
    }
    json::value wait_for(const std::string& pointer, const json::value& wanted) const {
        return wait_until(pointer, [&](const json::value& seen) { return seen == wanted; });
    }

private:
    static support::Command command(const std::string& server, const std::vector<std::string>& options,
                                    const std::vector<std::string>& own) {
        std::vector<std::string> words{support::path_of("observer"), "--port", "0"};
        words.insert(words.end(), own.begin(), own.end());
        words.insert(words.end(), {"--", support::path_of(server), "--port", "0"});
        words.insert(words.end(), options.begin(), options.end());
        return {words};
    }

    std::uint16_t page_port_ = 0, server_port_ = 0;
};

}  // namespace observed
