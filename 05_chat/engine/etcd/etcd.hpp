#pragma once

#include "05_chat/base/addresses.hpp"
#include "05_chat/engine/engine.hpp"
#include "net/awaitable.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The engine of many machines, as the program sees it. Where it is not built (FIVE_ETCD=OFF), each function says so
/// (absent.cpp).
namespace chat::etcd {

/// Where etcd is, and who we are there.
struct Reach {
    std::vector<EtcdUrl> members;  // --etcd; one at least
    std::string prefix = "five";   // --etcd-prefix: of all our keys
    std::string node_name;         // --node-name
    /// Whether etcd may be away when the node starts, for however long.
    bool waits = false;
    // For https; empty: none.
    std::string ca;    // --etcd-ca: the file of who vouches for etcd; without it, those whom this computer trusts
    std::string cert;  // --etcd-cert: who we are,
    std::string key;   // --etcd-key: and the proof of it
};

/// The name of a node that was given none: this computer's and a process id.
std::string default_node_name(int process);

/// Whether this engine is here and cannot speak https.
bool lacks_tls();

/// `limits` and `lobby` are those of the house where this is its first node. `give_up` is called once, when the node
/// cannot go on, with the program's last line.
result<std::unique_ptr<Engine>, Why> make_engine(const net::Executor& executor, const Reach& reach,
                                                 const Limits& limits, std::string_view lobby,
                                                 std::function<void(const std::string&)> give_up);

}  // namespace chat::etcd
