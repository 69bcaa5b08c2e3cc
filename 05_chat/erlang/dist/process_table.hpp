#pragma once

#include "05_chat/erlang/dist/handshake.hpp"
#include "05_chat/erlang/dist/term.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace erlang {

/// The processes of our node, as other nodes see them: pids that exist, and the names they are registered under. A
/// process here is a room, or a person in another node's room. No code runs in it. Pure; one thread at a time.
class ProcessTable {
public:
    /// There is one process from the start, net_kernel. Connection answers for it. A node that pings monitors it.
    explicit ProcessTable(Identity identity) : identity_(std::move(identity)) { register_name("net_kernel", spawn()); }

    const Identity& identity() const { return identity_; }

    /// A new process.
    Pid spawn();
    /// The process is gone, and so are its names. Connection::exited tells those that monitor it.
    void exit(const Pid& pid);
    void register_name(std::string_view name, const Pid& pid) { names_[std::string(name)] = pid; }

    bool is_alive(const Pid& pid) const { return alive_.contains(pid); }
    std::optional<Pid> whereis(std::string_view name) const;

    /// A reference never made before, as a term.
    std::string make_reference();

private:
    Identity identity_;
    std::uint64_t last_pid_ = 0;
    std::uint64_t last_reference_ = 0;
    std::set<Pid> alive_;
    std::map<std::string, Pid, std::less<>> names_;
};

}  // namespace erlang
