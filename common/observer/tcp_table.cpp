#include "observer/tcp_table.hpp"

#include "observer/files.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace observer {

namespace {

// The kernel's numbers, in both of its answers.
constexpr unsigned established = 1, close_wait = 8, listening_state = 10;
constexpr std::uint32_t bit(unsigned state) {
    return 1U << state;
}

std::string shown(int family, const void* address, unsigned port) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    ::inet_ntop(family, address, text.data(), text.size());
    const bool is_6 = family == AF_INET6;
    return (is_6 ? "[" + std::string(text.data()) + "]" : std::string(text.data())) + ":" + std::to_string(port);
}

// ---- asked for --------------------------------------------------------------------------------------------------

class Netlink {
public:
    Netlink() : socket_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {
        const timeval patience{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    ~Netlink() {
        if (socket_ >= 0) ::close(socket_);
    }
    Netlink(const Netlink&) = delete;
    Netlink& operator=(const Netlink&) = delete;

    /// Those in these states, and with a port of ours from `lowest` to `highest`. False where the kernel does not
    /// answer.
    bool dump(int family, std::uint32_t states, std::uint16_t lowest, std::uint16_t highest,
              const std::function<void(const inet_diag_msg&)>& each) {
        return socket_ >= 0 && send(family, states, lowest, highest) && receive(each);
    }

private:
    bool send(int family, std::uint32_t states, std::uint16_t lowest, std::uint16_t highest) const {
        // A program for the kernel: each step says how far to go where it holds, and where it does not (past the end).
        struct Step {
            inet_diag_bc_op op, port;
        };
        struct {
            nlmsghdr header;
            inet_diag_req_v2 wanted;
            nlattr attribute;
            std::array<Step, 2> steps;
        } request{};
        constexpr auto step = sizeof(Step);
        static_assert(sizeof request == sizeof(nlmsghdr) + sizeof(inet_diag_req_v2) + sizeof(nlattr) + 2 * step);
        request.header = {sizeof request, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0};
        request.wanted.sdiag_family = static_cast<std::uint8_t>(family);
        request.wanted.sdiag_protocol = IPPROTO_TCP;
        request.wanted.idiag_states = states;
        request.attribute = {sizeof(nlattr) + 2 * step, INET_DIAG_REQ_BYTECODE};
        request.steps[0] = {{INET_DIAG_BC_S_GE, step, 2 * step + 4}, {0, 0, lowest}};
        request.steps[1] = {{INET_DIAG_BC_S_LE, step, step + 4}, {0, 0, highest}};
        return ::send(socket_, &request, sizeof request, 0) == sizeof request;
    }

    bool receive(const std::function<void(const inet_diag_msg&)>& each) {
        for (;;) {
            const auto size = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
            if (size < 0 && errno == EINTR) continue;
            if (size <= 0) return false;
            auto left = static_cast<std::size_t>(size);
            for (const char* at = buffer_.data(); left >= sizeof(nlmsghdr);) {
                nlmsghdr header;
                std::memcpy(&header, at, sizeof header);
                if (header.nlmsg_type == NLMSG_DONE) return true;
                if (header.nlmsg_type == NLMSG_ERROR || header.nlmsg_len < sizeof header || header.nlmsg_len > left)
                    return false;
                if (header.nlmsg_len >= sizeof header + sizeof(inet_diag_msg)) {
                    inet_diag_msg message;
                    std::memcpy(&message, at + sizeof header, sizeof message);
                    each(message);
                }
                const auto whole = std::min<std::size_t>(NLMSG_ALIGN(header.nlmsg_len), left);
                at += whole;
                left -= whole;
            }
        }
    }

    int socket_;
    std::vector<char> buffer_ = std::vector<char>(64 * 1024);
};

}  // namespace

/// Which sockets.
struct TcpTable::Wanted {
    std::uint32_t states;
    std::set<std::uint16_t> ports{};  // empty: any
    std::set<int> families{AF_INET, AF_INET6};

    bool has(std::uint16_t port) const { return ports.empty() || ports.contains(port); }
};

bool TcpTable::ask_netlink(const Wanted& wanted, const Each& each) {
    const auto& ports = wanted.ports;
    const std::uint16_t lowest = ports.empty() ? 0 : *ports.begin(), highest = ports.empty() ? 65535 : *ports.rbegin();
    Netlink kernel;
    for (const int family : wanted.families) {
        const bool is_answered = kernel.dump(family, wanted.states, lowest, highest, [&](const inet_diag_msg& found) {
            const auto port = ntohs(found.id.idiag_sport);
            if (!wanted.has(port)) return;
            TcpSocket socket{
                .port = port, .unread = found.idiag_rqueue, .unsent = found.idiag_wqueue, .inode = found.idiag_inode};
            if (found.idiag_state == listening_state) {
                socket.address = shown(found.idiag_family, found.id.idiag_src, port);
                socket.unsent = 0;  // there it is how many may wait
            } else {
                socket.peer = shown(found.idiag_family, found.id.idiag_dst, ntohs(found.id.idiag_dport));
            }
            each(std::move(socket));
        });
        if (!is_answered) return false;
    }
    return true;
}

namespace {

/// Whether the kernel would answer us about that process's network.
bool is_in_our_network(pid_t process) {
    std::array<char, 64> ours{}, theirs{};
    const auto is_read = ::readlink("/proc/self/ns/net", ours.data(), ours.size() - 1) > 0 &&
                         ::readlink(files::of(process, "ns/net").c_str(), theirs.data(), theirs.size() - 1) > 0;
    return is_read && ours == theirs;
}

// ---- read -----------------------------------------------------------------------------------------------------------

/// A line of /proc/net/tcp or tcp6, see proc(5).
struct Line {
    std::string_view local, remote;
    unsigned state;
    std::int64_t unsent, unread;
    std::uint64_t inode;
};
std::optional<Line> read_line(std::string_view line) {
    const auto words = files::words_of(line);
    constexpr std::size_t local = 1, remote = 2, state = 3, queues = 4, inode = 9;
    if (words.size() <= inode) return std::nullopt;
    const auto colon = words[queues].find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto hex = [](std::string_view text) { return files::number<std::int64_t>(text, 16).value_or(0); };
    return Line{words[local],
                words[remote],
                static_cast<unsigned>(hex(words[state])),
                hex(words[queues].substr(0, colon)),
                hex(words[queues].substr(colon + 1)),
                files::number<std::uint64_t>(words[inode]).value_or(0)};
}

std::uint16_t port_of(std::string_view address) {
    return files::number<std::uint16_t>(address.substr(std::min(address.find(':'), address.size() - 1) + 1), 16)
        .value_or(0);
}

/// `0100007F:5CEF` as `127.0.0.1:23791`: words of 32 bits, as they lie in memory.
std::string readable(std::string_view text) {
    const auto colon = std::min(text.find(':'), text.size());
    constexpr std::size_t word = 8;
    std::array<std::uint32_t, 4> bits{};
    for (std::size_t at = 0; at < 4 && (at + 1) * word <= colon; ++at) {
        bits[at] = files::number<std::uint32_t>(text.substr(at * word, word), 16).value_or(0);
    }
    return shown(colon > word ? AF_INET6 : AF_INET, bits.data(), port_of(text));
}

}  // namespace

void TcpTable::read_proc(pid_t process, const Wanted& wanted, const Each& each) {
    for (const auto* const file : {"net/tcp", "net/tcp6"}) {
        const auto text = files::contents(files::of(process, file));
        files::each_line_below_heading(text, [&](std::string_view line) {
            const auto found = read_line(line);
            if (!found || (wanted.states & bit(found->state)) == 0) return;
            const auto port = port_of(found->local);
            if (!wanted.has(port)) return;
            TcpSocket socket{.port = port, .unread = found->unread, .unsent = found->unsent, .inode = found->inode};
            if (found->state == listening_state) {
                socket.address = readable(found->local);
            } else {
                socket.peer = readable(found->remote);
            }
            each(std::move(socket));
        });
    }
}

void TcpTable::ask(const Wanted& wanted, const Each& each) const {
    if (way_ == Way::netlink && is_in_our_network(process_)) {
        std::vector<TcpSocket> all;  // all of it, or nothing
        if (ask_netlink(wanted, [&](TcpSocket&& socket) { all.push_back(std::move(socket)); })) {
            for (auto& socket : all) each(std::move(socket));
            return;
        }
    }
    read_proc(process_, wanted, each);
}

void TcpTable::listening(const Each& each) const {
    ask({.states = bit(listening_state)}, each);
}

void TcpTable::connections(const std::vector<TcpSocket>& at, const Each& each) const {
    if (at.empty()) return;
    Wanted wanted{.states = bit(established) | bit(close_wait), .families = {}};
    for (const auto& socket : at) {
        wanted.ports.insert(socket.port);
        // One that listens at :: gets clients of IPv4 as well, which are listed with it.
        wanted.families.insert(socket.address.starts_with('[') ? AF_INET6 : AF_INET);
    }
    ask(wanted, each);
}

}  // namespace observer
