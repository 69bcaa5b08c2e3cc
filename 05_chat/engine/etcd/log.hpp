#pragma once

#include "05_chat/engine/etcd/store.hpp"
#include "05_chat/room/room.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace chat::etcd {

/// How many requests one revision has room for: a batch, or the leaves of all people of a node that has ended.
inline constexpr int place_bits = 20;

/// What the log says of the nodes, as far as it has been read: which of them live, what the last batch of each was, and
/// who in the rooms belongs to whom. It follows from the log alone, so it is the same at every node. Pure; one thread
/// at a time.
class Log {
public:
    struct Node {
        Revision epoch = 0;        // of its Hello: unlike that of any other node, of any time
        std::int64_t version = 0;  // of its key: how many entries it has written, the Hello being the first
    };

    Log() = default;
    /// As it was at `revision`. Their people follow with belongs().
    Log(Revision revision, std::map<std::string, Node> nodes) : revision_(revision), nodes_(std::move(nodes)) {}

    /// Up to where it has been read.
    Revision revision() const { return revision_; }
    const std::map<std::string, Node>& nodes() const { return nodes_; }
    /// Null where no such node lives.
    const Node* find(std::string_view node) const;
    /// The living node that has been there longest; empty: none lives.
    std::string eldest() const;

    // What happens next. Each is about the change `at`, which is not before the one before.

    void hello(Revision at, const std::string& node);
    /// Whether this is the next batch of the node's life that began with `epoch`. If not, something has been missed.
    bool batch(Revision at, const std::string& node, Revision epoch, std::int64_t version);
    /// The node has ended: what its people want now, in the order in which all nodes apply it.
    std::vector<Submission> down(Revision at, const std::string& node, const Rooms& rooms);
    /// Something that means nothing.
    void skip(Revision at) { turn_to(at); }

    /// The place of the next request of this change.
    Sequence next_place() { return static_cast<Sequence>(revision_) << place_bits | place_++; }
    /// What came of a request of this node.
    void applied(const std::string& node, const Outcome& outcome);

    /// Whose people are in the rooms: by person, their node and how many rooms they are in. Who has joined through a
    /// node belongs to it, until they have left everywhere.
    struct Home {
        std::string node;
        int rooms = 0;
    };
    const std::map<PersonId, Home>& homes() const { return homes_; }
    /// They are in more rooms than before.
    void belongs(PersonId person, const std::string& node, int more_rooms = 1);

private:
    void turn_to(Revision at);

    Revision revision_ = 0;
    Sequence place_ = 0;  // of this revision's requests, the next one's
    std::map<std::string, Node> nodes_;
    std::map<PersonId, Home> homes_;
};

}  // namespace chat::etcd
