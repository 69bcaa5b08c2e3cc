#include "05_chat/engine/etcd/log.hpp"

#include <algorithm>
#include <utility>

namespace chat::etcd {

const Log::Node* Log::find(std::string_view node) const {
    const auto found = nodes_.find(std::string(node));
    return found == nodes_.end() ? nullptr : &found->second;
}

std::string Log::eldest() const {
    const auto eldest = std::ranges::min_element(nodes_, {}, [](const auto& each) { return each.second.epoch; });
    return eldest == nodes_.end() ? std::string() : eldest->first;
}

void Log::turn_to(Revision at) {
    if (at == revision_) return;
    revision_ = at;
    place_ = 0;
}

void Log::hello(Revision at, const std::string& node) {
    turn_to(at);
    nodes_[node] = {at, 1};
}

bool Log::batch(Revision at, const std::string& node, Revision epoch, std::int64_t version) {
    turn_to(at);
    const auto found = nodes_.find(node);
    if (found == nodes_.end() || found->second.epoch != epoch || found->second.version + 1 != version) return false;
    found->second.version = version;
    return true;
}

std::vector<Submission> Log::down(Revision at, const std::string& node, const Rooms& rooms) {
    turn_to(at);
    nodes_.erase(node);
    std::vector<Submission> leaves;
    for (const auto& [key, named] : rooms.all()) {
        for (const auto& [person, name] : named.room.people()) {
            const auto home = homes_.find(person);
            if (home == homes_.end() || home->second.node != node) continue;
            leaves.push_back({named.name, Leave{person, "the node " + node + " is gone"}});
        }
    }
    return leaves;
}

void Log::applied(const std::string& node, const Outcome& outcome) {
    if (!outcome) return;
    if (outcome->kind == Line::Kind::joined) belongs(outcome->person, node);
    if (outcome->kind != Line::Kind::left) return;
    const auto home = homes_.find(outcome->person);
    if (home != homes_.end() && --home->second.rooms == 0) homes_.erase(home);
}

void Log::belongs(PersonId person, const std::string& node, int more_rooms) {
    Home& home = homes_[person];
    home.node = node;
    home.rooms += more_rooms;
}

}  // namespace chat::etcd
