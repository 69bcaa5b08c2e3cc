#pragma once

#include "05_chat/engine/etcd/log.hpp"
#include "05_chat/room/room.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What stands in etcd, as JSON: people can read it (`etcdctl get --prefix five/`), and other programs, too. Whatever
/// cannot be read is nothing: std::nullopt. Pure functions; any thread.
namespace chat::etcd {

/// Which programs understand each other. A change of what follows from a request, in any room, is a change of this.
inline constexpr std::int64_t house_version = 1;

/// What all nodes have agreed on: the first one has written it.
struct House {
    std::int64_t version = house_version;
    Limits limits;
    std::string lobby;
};
std::string encode(const House& house);
/// Of a House of another version, only that version.
std::optional<House> decode_house(std::string_view json);

/// What the key of a node holds first.
struct Hello {
    std::string process;  // which program that is, and on which computer: process.hpp
    Lease lease = 0;      // that of the key; no other Hello has the same
};
std::string encode(const Hello& hello);

/// What it holds after that: what is wanted, in its order. Hello's words stay in it, so that whoever finds the key
/// knows whose it is.
/// {"process":…,"lease":…,"requests":[{"room":"lobby","say":{"person":4026531841,"text":"Hello!"}},…]}
std::string begin_batch(const Hello& hello);
void append_request(const Submission& submission, std::string& batch);
void end_batch(std::string& batch);

/// The value of a node's key.
struct NodeValue {
    Hello hello;
    std::vector<Submission> requests;
};
std::optional<NodeValue> decode_node(std::string_view json);

/// What the log's other keys hold: who has written them.
std::string encode_writer(std::string_view node);

struct SnapshotHead {
    Revision revision = 0;
    std::size_t parts = 0;
};
std::string encode(const SnapshotHead& head);
std::optional<SnapshotHead> decode_head(std::string_view json);

/// Everything that follows from the log up to a revision.
struct Snapshot {
    Log log;
    Rooms rooms;
};
std::string encode_snapshot(const Log& log, const Rooms& rooms);
std::optional<Snapshot> decode_snapshot(std::string_view json, const House& house);

}  // namespace chat::etcd
