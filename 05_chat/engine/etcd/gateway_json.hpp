#pragma once

#include "05_chat/base/why.hpp"
#include "05_chat/engine/etcd/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What etcd's gateway is asked and what it answers, as JSON. Keys and values are base64 there, and numbers of 64 bits
/// are strings. Each `read_` has one error: what came is not what etcd answers there. Pure.
/// Source: https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/ and etcd's rpc.proto.
namespace chat::etcd::json {

std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

std::string write(const Transaction& transaction);
result<TransactionAnswer, Why> read_transaction(std::string_view text);

/// The first key that does not begin with this one: where the keys end that do.
std::string end_of_prefix(std::string_view prefix);

/// Keys from `first` up to and without `end`, so many at most, as they were at `at` (0: as they are).
std::string write_range(std::string_view first, std::string_view end, std::size_t most, Revision at);
struct RangePage {
    std::vector<KeyValue> keys;
    Revision revision;
    bool has_more;
};
result<RangePage, Why> read_range(std::string_view text);

std::string write_grant(std::chrono::seconds time_to_live);
result<Lease, Why> read_grant(std::string_view text);
/// For keepalive and revoke.
std::string write_lease(Lease lease);
/// Whether the lease was there.
result<bool, Why> read_keep_alive(std::string_view text);

std::string write_compaction(Revision revision);

std::string write_watch(std::string_view prefix, Revision from);
/// One line of a watch.
struct WatchLine {
    std::vector<Event> events;
    bool goes_on = false;            // the events of its last revision are not all here: the next line has the rest
    std::optional<Failure> is_over;  // and why
};
result<WatchLine, Why> read_watch(std::string_view line);

/// An answer whose status is not 200. The error: nothing that etcd says.
result<Failure, Why> read_refusal(std::string_view text);

}  // namespace chat::etcd::json
