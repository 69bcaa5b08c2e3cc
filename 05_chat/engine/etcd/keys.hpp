#pragma once

#include "05_chat/engine/etcd/store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace chat::etcd {

/// Which key holds what, below --etcd-prefix. Pure; any thread.
class Keys {
public:
    explicit Keys(std::string_view prefix) : prefix_(prefix) {}

    /// What the nodes have agreed on (codec.hpp: House).
    std::string house() const { return prefix_ + "/house"; }
    /// The log. A key for each node: it appears with the node's Hello, each batch is written over the one before, and
    /// it goes when the node ends. A watch sees all of that in one order.
    std::string nodes() const { return prefix_ + "/nodes/"; }
    std::string node(std::string_view name) const { return nodes().append(name); }
    /// The name of the node that this key is about.
    std::string name_of(std::string_view key) const { return std::string(key.substr(nodes().size())); }

    // Three more in the log, of no node: no node has a name with '/'.
    bool is_of_node(std::string_view key) const { return key.substr(nodes().size(), 1) != "/"; }
    /// Written together with each Hello.
    std::string last_hello() const { return nodes() + "/hello"; }
    /// Written by a node that needs a snapshot.
    std::string wish() const { return nodes() + "/snapshot"; }
    /// Written when no node lives and nobody knows how the rooms were: there they begin empty.
    std::string begin() const { return nodes() + "/begin"; }

    /// Where the newest snapshot is (codec.hpp: SnapshotHead).
    std::string snapshot_head() const { return prefix_ + "/snapshot/head"; }
    /// The rooms as of that revision, in parts. The keys of an older snapshot come before those of a newer one.
    std::string snapshot_parts(Revision revision) const { return prefix_ + "/snapshot/" + digits(revision, 19) + "/"; }
    std::string snapshot_part(Revision revision, std::size_t part) const {
        return snapshot_parts(revision) + digits(static_cast<std::int64_t>(part), 6);
    }
    /// Before all parts of all snapshots.
    std::string first_snapshot_part() const { return prefix_ + "/snapshot/0"; }

private:
    static std::string digits(std::int64_t number, std::size_t width) {
        std::string text = std::to_string(number);
        return text.insert(0, width - std::min(width, text.size()), '0');
    }

    std::string prefix_;
};

}  // namespace chat::etcd
