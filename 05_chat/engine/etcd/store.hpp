#pragma once

#include "net/awaitable.hpp"
#include "net/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What the engine asks of etcd, and no more. gateway.hpp asks a real one; the tests have one in memory.
///
/// etcd keeps keys with values on several machines at once. Each change has a number, the *revision*; all machines make
/// the same changes in the same order, and a change counts when a majority of them has it on disk. Source: etcd's API
/// reference (https://etcd.io/docs/v3.4/learning/api/).
namespace chat::etcd {

/// The number of a change. The next change has the next number, whatever key it is about.
using Revision = std::int64_t;

/// A promise of etcd to remove some keys when nobody has asked for more time (keep_alive) for as long as was agreed.
using Lease = std::int64_t;

struct KeyValue {
    std::string key;
    std::string value;
    Revision created = 0;      // the change that made the key
    Revision modified = 0;     // the last change of it
    std::int64_t version = 0;  // how often it was written since it was made: 1 when it is new
};

/// One change of a key.
struct Event {
    enum class Kind { written, removed } kind;
    KeyValue key_value;  // removed: only the key, and `modified`
};

/// A condition about a key, for Transaction. Of a key that does not exist both are 0.
struct Condition {
    enum class About { created, version } about;
    std::string key;
    std::int64_t is;
};

struct Write {
    std::string key;
    std::string value;
    Lease lease = 0;  // 0: none
};
struct Remove {
    std::string key;
    std::string until = {};  // with it: every key from `key` on that comes before this one. Empty: only `key`
};
using Change = std::variant<Write, Remove>;

/// All changes at once, in one revision, if all conditions hold; nothing otherwise.
struct Transaction {
    std::vector<Condition> conditions;
    std::vector<Change> changes;  // no key twice
};
struct TransactionAnswer {
    bool succeeded;  // the conditions held
    Revision revision;
};

struct RangeAnswer {
    std::vector<KeyValue> keys;  // in the order of their names
    Revision revision;           // the store's when it answered
};

/// Why there is no answer.
struct Failure {
    enum class Kind {
        no_answer,  // nobody answered in time: nobody knows whether it was done. Ask again
        refused,    // etcd said no, and will again: `words` say why ("database space exceeded")
        compacted,  // what was asked for is older than what etcd still knows
        stopped,    // stop() was called
    } kind;
    std::string words;  // the end of a sentence
};
template <class Answer>
using Asked = boost::system::result<Answer, Failure>;

/// The loop's thread only. Every call ends within a bound of its own, but a watch.
class Store {
public:
    virtual ~Store() = default;

    virtual net::awaitable<Asked<TransactionAnswer>> transact(Transaction transaction) = 0;
    /// The keys that begin with this. What it answers is not older than any answer before.
    virtual net::awaitable<Asked<RangeAnswer>> range(std::string prefix) = 0;

    virtual net::awaitable<Asked<Lease>> grant(std::chrono::seconds time_to_live) = 0;
    /// Whether the lease was still there; then its time begins anew.
    virtual net::awaitable<Asked<bool>> keep_alive(Lease lease) = 0;
    /// Ends a lease now, and removes its keys.
    virtual net::awaitable<Asked<void>> revoke(Lease lease) = 0;

    using OnEvents = std::function<void(std::vector<Event>)>;
    /// Tells every change since `from` of the keys that begin with `prefix`, in order, those of one revision together.
    /// Returns when that goes on no more; the caller watches again, from what it has not been told yet.
    virtual net::awaitable<Failure> watch(std::string prefix, Revision from, OnEvents on_events) = 0;
    /// The watch under way shows nothing although something has happened: it ends, and others are asked from now on.
    virtual void distrust_watch() = 0;

    /// Forgets everything before `revision` that has been changed since.
    virtual net::awaitable<Asked<void>> compact(Revision revision) = 0;

    /// Every call under way ends soon, and those to come at once. For good.
    virtual void stop() = 0;
};

}  // namespace chat::etcd
