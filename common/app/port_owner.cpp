#include "app/port_owner.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>

namespace app {

namespace {

namespace fs = std::filesystem;

template <class Number>
std::optional<Number> number_in(std::string_view text, int base = 10) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// What links to listening sockets look like: `socket:[4711]`, with their inodes. proc(5), /proc/net/tcp.
std::set<std::string> sockets_that_listen(std::uint16_t port) {
    constexpr std::string_view listening = "0A";
    std::set<std::string> sockets;
    for (const auto* const table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::ifstream file(table);
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            std::string number, local, remote, state, queues, timer, retransmits, user, timeout, inode;
            words >> number >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >> inode;
            const auto colon = local.find(':');
            if (state != listening || colon == local.npos) continue;
            if (number_in<std::uint16_t>(local.substr(colon + 1), 16) == port) sockets.insert("socket:[" + inode + "]");
        }
    }
    return sockets;
}

bool has_one_of(const fs::path& process, const std::set<std::string>& sockets) {
    std::error_code ignored;
    for (const auto& descriptor : fs::directory_iterator(process / "fd", ignored)) {
        if (sockets.contains(fs::read_symlink(descriptor, ignored).string())) return true;
    }
    return false;
}

}  // namespace

std::optional<PortOwner> owner_of(std::uint16_t port) {
    const auto sockets = sockets_that_listen(port);
    std::optional<PortOwner> owner;
    if (sockets.empty()) return owner;
    std::error_code ignored;
    for (const auto& process : fs::directory_iterator("/proc", ignored)) {
        const auto pid = number_in<int>(process.path().filename().string());
        if (!pid || (owner && owner->pid < *pid) || !has_one_of(process, sockets)) continue;
        owner = PortOwner{*pid, fs::read_symlink(process.path() / "exe", ignored).filename().string()};
    }
    return owner;
}

}  // namespace app
