#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace observer {

/// A TCP socket as the kernel sees it.
struct TcpSocket {
    std::uint16_t port = 0;   ///< its own
    std::string address{};    ///< its own, `127.0.0.1:1234`; only of one that listens
    std::string peer{};       ///< likewise the other side's; only of a connection
    std::int64_t unread = 0;  ///< bytes that have arrived; of one that listens: connections that wait for accept
    std::int64_t unsent = 0;  ///< bytes that the peer has not confirmed
    std::uint64_t inode = 0;  ///< 0: nobody has accepted it yet, or nobody has it any more
};

/// The sockets of the network that a process is in, asked of the kernel. It is asked to pick out what is wanted
/// (sock_diag(7)): a machine may remember a hundred thousand connections that are over, and /proc lists them all, page
/// by page, while they change. Where that cannot be asked, /proc has to do. Linux only. One thread.
class TcpTable {
public:
    using Each = std::function<void(TcpSocket&&)>;

    enum class Way { netlink, proc };

    /// Its ways in their order of preference; tests take one.
    explicit TcpTable(pid_t process, Way way = Way::netlink) : process_(process), way_(way) {}

    /// Those that listen.
    void listening(const Each& each) const;
    /// Connections that are open, or that the peer has ended, at the ports of these, which listen.
    void connections(const std::vector<TcpSocket>& at, const Each& each) const;

private:
    struct Wanted;
    static bool ask_netlink(const Wanted& wanted, const Each& each);
    static void read_proc(pid_t process, const Wanted& wanted, const Each& each);
    void ask(const Wanted& wanted, const Each& each) const;

    pid_t process_;
    Way way_;
};

}  // namespace observer
