#include "05_chat/base/addresses.hpp"
#include "app/options.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace chat {

namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
    return port;
}

std::optional<EtcdUrl> parse_etcd_url(std::string_view text) {
    if (text.ends_with('/')) text.remove_suffix(1);
    const bool is_secure = text.starts_with("https://");
    if (!is_secure && !text.starts_with("http://")) return std::nullopt;
    auto address = parse_address(text.substr(text.find("//") + 2));
    if (!address) return std::nullopt;
    // Neither a path, nor somebody's name and password; and it becomes a line of HTTP's head.
    const auto is_foreign = [](unsigned char c) { return c <= ' ' || c == 0x7F || c == '/' || c == '@'; };
    if (std::ranges::any_of(address->host, is_foreign)) return std::nullopt;
    return EtcdUrl{std::move(*address), is_secure, std::string(text)};
}

}  // namespace

std::optional<Address> parse_address(std::string_view text) {
    auto parsed = app::parse_address(text);
    if (!parsed) return std::nullopt;
    return Address{std::move(parsed->first), parsed->second};
}

std::optional<std::vector<EtcdUrl>> parse_etcd_urls(std::string_view text) {
    std::vector<EtcdUrl> urls;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find(',', begin), text.size());
        auto url = parse_etcd_url(text.substr(begin, end - begin));
        if (!url) return std::nullopt;
        urls.push_back(std::move(*url));
        begin = end + 1;
    }
    return urls;
}

std::optional<ErlangRoom> parse_erlang_room(std::string_view text) {
    const auto first = text.find('@');
    if (first == text.npos || first == 0) return std::nullopt;
    ErlangRoom room{std::string(text.substr(0, first)), std::string(text.substr(first + 1))};
    if (const auto colon = room.node.rfind(':'); colon != room.node.npos) {
        const auto port = parse_port(std::string_view(room.node).substr(colon + 1));
        if (!port) return std::nullopt;
        room.port = *port;
        room.node.resize(colon);
    }
    const auto at = room.node.find('@');
    if (at == room.node.npos || at == 0 || at + 1 == room.node.size() ||
        room.node.find('@', at + 1) != room.node.npos) {
        return std::nullopt;
    }
    return room;
}

}  // namespace chat
