#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

/// A room on an Erlang node, as --join and --room name it: chatroom@room1@host or chatroom@room1@host:port.
struct ErlangRoom {
    std::string name;        // it is registered under
    std::string node;        // name@host
    std::uint16_t port = 0;  // where the node listens; 0: its epmd knows

    std::string host() const { return node.substr(node.find('@') + 1); }
};

/// Where something listens: host:port, [::1]:port.
struct Address {
    std::string host;
    std::uint16_t port;
};

/// Where a member of etcd answers its clients: http://host:port, https://[::1]:port.
struct EtcdUrl {
    Address address;
    bool is_secure;    // https
    std::string text;  // as it was given, without a slash at its end
};

std::optional<ErlangRoom> parse_erlang_room(std::string_view text);
std::optional<Address> parse_address(std::string_view text);
/// One or more, with commas between.
std::optional<std::vector<EtcdUrl>> parse_etcd_urls(std::string_view text);

}  // namespace chat
