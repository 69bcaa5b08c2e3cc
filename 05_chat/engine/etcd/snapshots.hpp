#pragma once

#include "05_chat/engine/etcd/codec.hpp"
#include "05_chat/engine/etcd/keys.hpp"
#include "05_chat/engine/etcd/store.hpp"

#include <optional>
#include <string>

/// The rooms in etcd, as of some revision: so that a node that comes late need not read the log from its beginning, and
/// the log can be cut behind it. What `store` and `keys` refer to outlives the coroutines.
namespace chat::etcd {

/// Bytes of one part. etcd takes at most 1.5 MiB in one request.
inline constexpr std::size_t max_part = 512 * 1024;

/// The newest one; none where there is none, or none that can be read.
net::awaitable<Asked<std::optional<Snapshot>>> read_snapshot(Store& store, const Keys& keys, const House& house);

/// Writes one, removes those before it, and lets etcd forget the log up to the one before: a node that is a little late
/// still finds what it needs. Does nothing where there is a newer one. True: this is now the newest.
net::awaitable<Asked<bool>> write_snapshot(Store& store, const Keys& keys, Revision revision, std::string snapshot);

/// The value and the rest of this one key; none where there is none.
net::awaitable<Asked<std::optional<KeyValue>>> read_key(Store& store, const std::string& key);

}  // namespace chat::etcd
