#include "observer/model.hpp"
#include "observer/worker_id.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace observer {

namespace json = boost::json;

namespace {

json::value or_null(Time time) {
    return time == 0 ? json::value() : json::value(time);
}

}  // namespace

json::object Model::picture(Time now) const {
    return {
        {"server", server_picture(now)},     {"door", door_picture()},           {"acceptors", acceptors_picture()},
        {"clients", clients_picture(now)},   {"processes", processes_picture()}, {"tree", tree_picture()},
        {"restarts", restarts_picture(now)}, {"rates", rates_picture(now)},      {"heartbeats", heartbeats_picture()},
        {"rooms", rooms_picture()},          {"story", story_picture()}};
}

json::object Model::server_picture(Time now) const {
    return {{"program", program_},
            {"version", its_version_},
            {"command", command_},
            {"address", address_},
            {"pid", pid_},
            {"state", state_},
            {"faults", faults_},
            {"began", or_null(began_)},
            {"started", or_null(started_)},
            {"ended", or_null(ended_)},
            {"how_it_ended", end_},
            {"ended_badly", ended_badly_},
            {"events", events_},
            {"unreadable", unreadable_},
            {"left_out", left_out_},
            {"lag", lag_ ? json::value{{"process", lag_->process}, {"ms", lag_->ms}, {"at", lag_->at}} : nullptr},
            {"now", now}};
}

json::object Model::door_picture() const {
    json::object door{{"known", !door_.empty()}, {"address", address_}};
    for (const auto& [name, value] : door_) door[name] = value;
    return door;
}

json::object Model::acceptors_picture() const {
    json::array all;
    std::uint64_t waiting = 0;
    std::vector<const std::pair<const std::string, Acceptor>*> sorted;
    for (const auto& entry : acceptors_) sorted.push_back(&entry);
    // `acceptor 10` after `acceptor 9`.
    std::ranges::sort(sorted, [](const auto* a, const auto* b) {
        return std::pair(a->first.size(), a->first) < std::pair(b->first.size(), b->first);
    });
    for (const auto* entry : sorted) {
        const auto& [who, acceptor] = *entry;
        waiting += acceptor.state == "waits";
        all.push_back(json::object{{"who", who},
                                   {"process", acceptor.process},
                                   {"state", acceptor.state},
                                   {"since", acceptor.since},
                                   {"got", acceptor.got},
                                   {"peer", acceptor.peer},
                                   {"has_ended", acceptor.has_ended}});
    }
    return {{"shown", std::move(all)}, {"waiting", waiting}, {"left_out", acceptors_left_out_}};
}

json::object Model::client_picture(const Client& client) const {
    const auto socket = client.gone == 0 ? sockets_.find(client.peer) : sockets_.end();
    const bool is_known = socket != sockets_.end();
    return {{"who", client.who},
            {"process", client.process},
            {"peer", client.peer},
            {"acceptor", client.acceptor},
            {"loop", client.loop},
            {"name", client.name},
            {"room", client.room},
            {"state", client.behind > 0 && client.gone == 0 ? "does not read" : client.state},
            {"behind", client.gone == 0 ? client.behind : 0},
            {"came", client.came},
            {"since", client.since},
            {"packets", client.packets},
            {"last", client.last},
            {"unread", is_known ? socket->second.first : 0},
            {"unsent", is_known ? socket->second.second : 0},
            {"why", client.why},
            {"failed", client.is_failure}};
}

json::object Model::clients_picture(Time now) const {
    json::array shown;
    const auto skipped = clients_.size() - std::min(clients_.size(), bounds::clients_shown);
    for (const auto& [number, client] : clients_ | std::views::drop(skipped)) shown.push_back(client_picture(client));
    json::array gone;
    for (const auto& client : gone_) {
        const bool went_with_server = ended_ != 0 && client.gone >= ended_;
        if (went_with_server || now - client.gone < bounds::gone_for) gone.push_back(client_picture(client));
    }
    return {{"shown", std::move(shown)},
            {"gone", std::move(gone)},
            {"now", clients_.size() + clients_left_out_},
            {"left_out", skipped + clients_left_out_},
            {"came", came_},
            {"went", went_}};
}

json::object Model::processes_picture() const {
    json::object processes{{"known", !processes_.empty()}, {"shown", json::array()}, {"left_out", 0}};
    for (const auto& [name, value] : processes_) processes[name] = value;
    return processes;
}

/// A worker's own supervisor: it is called like the worker, as 04's is, or is the one that is nobody's child.
std::optional<Model::SupervisorKey> Model::top_of(Process process) const {
    SupervisorKey named{process, worker_id(process)};
    if (supervisors_.contains(named)) return named;
    std::set<std::string_view> children;
    const auto begin = supervisors_.lower_bound({process, {}}), end = supervisors_.lower_bound({process + 1, {}});
    for (const auto& [key, supervisor] : std::ranges::subrange(begin, end)) {
        for (const auto& child : supervisor.children) children.insert(child.id);
    }
    const auto top = std::find_if(begin, end, [&](const auto& each) { return !children.contains(each.first.second); });
    return top == end ? std::nullopt : std::optional(top->first);
}

/// What is below this child of a supervisor; nothing, where it is none.
std::optional<Model::SupervisorKey> Model::below(Process process, const std::string& child) const {
    if (process == 0 && is_process(child)) return top_of(process_of(child));
    const SupervisorKey key{process, child};
    return supervisors_.contains(key) ? std::optional(key) : std::nullopt;
}

json::object Model::supervisor_picture(const SupervisorKey& key, const Supervisor& supervisor,
                                       std::size_t depth) const {
    constexpr std::size_t deepest = 8;  // a story may claim that a supervisor is its own child
    json::array children;
    for (const auto& child : supervisor.children) {
        json::object node{{"id", child.id},       {"pid", child.pid},           {"state", child.state},
                          {"since", child.since}, {"restarts", child.restarts}, {"reason", child.reason}};
        if (const auto inside = below(key.first, child.id); inside && *inside != key && depth < deepest) {
            node["supervisor"] = supervisor_picture(*inside, supervisors_.at(*inside), depth + 1);
        }
        children.push_back(std::move(node));
    }
    return {{"name", key.second},
            {"process", key.first},
            {"strategy", supervisor.strategy},
            {"intensity", supervisor.intensity},
            {"period_s", supervisor.period_s},
            {"gave_up", supervisor.gave_up},
            {"children", std::move(children)},
            {"left_out", supervisor.children_left_out}};
}

json::array Model::tree_picture() const {
    std::set<SupervisorKey> not_roots;
    for (const auto& [key, supervisor] : supervisors_) {
        for (const auto& child : supervisor.children) {
            if (const auto inside = below(key.first, child.id)) not_roots.insert(*inside);
        }
    }
    json::array roots;
    for (const auto& [key, supervisor] : supervisors_) {
        if (!not_roots.contains(key)) roots.push_back(supervisor_picture(key, supervisor, 0));
    }
    return roots;
}

json::array Model::restarts_picture(Time now) const {
    json::array all;
    for (const auto& [key, supervisor] : supervisors_) {
        if (supervisor.intensity < 0 && supervisor.restarts.empty()) continue;
        // Every worker has a window; those in which nothing has happened would hide the others.
        if (key.first > 0 && supervisor.restarts.empty()) continue;
        json::array marks;
        std::uint64_t within = 0;
        for (const auto mark : supervisor.restarts) {
            if (now - mark < bounds::marks_for) marks.push_back(mark);
            within += mark / second >= now / second - supervisor.period_s;
        }
        const auto name = (key.first > 0 ? worker_id(key.first) + " " : "") + key.second;
        all.push_back(
            json::object{{"supervisor", key.first > 0 && key.second == worker_id(key.first) ? key.second : name},
                         {"intensity", supervisor.intensity},
                         {"period_s", supervisor.period_s},
                         {"within", within},
                         {"marks", std::move(marks)},
                         {"gave_up", supervisor.gave_up},
                         {"gave_up_at", or_null(supervisor.gave_up_at)}});
    }
    return all;
}

json::object Model::rates_picture(Time now) const {
    Rates rates = rates_;
    const auto at = now / second;
    if (at > rates.last) rates.move_to(at);
    json::array packets, accepts, failures;
    for (auto ago = static_cast<std::int64_t>(bounds::rate_seconds) - 1; ago >= 0; --ago) {
        const auto place = static_cast<std::size_t>(std::max<std::int64_t>(rates.last - ago, 0)) % bounds::rate_seconds;
        packets.push_back(rates.packets[place]);
        accepts.push_back(rates.accepts[place]);
        failures.push_back(rates.failures[place]);
    }
    return {{"seconds", bounds::rate_seconds},
            {"last", rates.last * second},
            {"packets", std::move(packets)},
            {"accepts", std::move(accepts)},
            {"failures", std::move(failures)}};
}

json::array Model::heartbeats_picture() const {
    json::array all;
    for (const auto& [id, heartbeat] : heartbeats_) {
        all.push_back(json::object{{"child", id},
                                   {"answered", heartbeat.answered},
                                   {"after_ms", heartbeat.after_ms},
                                   {"limit_ms", heartbeat.limit_ms},
                                   {"signal", heartbeat.signal}});
    }
    return all;
}

/// How many bytes wait for whoever is there through this handler or link: in the server and in the kernel.
std::int64_t Model::behind(const std::string& via) const {
    if (const auto link = links_.find(via); link != links_.end()) return link->second.behind;
    const auto found = client_of_.find(via);
    if (found == client_of_.end()) return 0;
    const auto& client = clients_.at(found->second);
    const auto socket = sockets_.find(client.peer);
    return client.behind + (socket == sockets_.end() ? 0 : socket->second.second);
}

/// The node through which they are there, where there are several.
std::string Model::home_of(const Member& member) const {
    if (const auto link = links_.find(member.via); link != links_.end()) return link->second.node;
    const auto* const own = member.via.empty() ? nullptr : node_of(member.process);
    return own == nullptr ? member.node : *own;
}

json::object Model::room_picture(const Room& room) const {
    json::array people, lines;
    for (const auto& [who, member] : room.people | std::views::take(bounds::people)) {
        people.push_back(json::object{{"name", who},
                                      {"via", member.via},
                                      {"process", member.process},
                                      {"node", home_of(member)},
                                      {"since", member.since},
                                      {"behind", behind(member.via)}});
    }
    for (const auto& [who, what] : room.lines) lines.push_back(json::object{{"name", who}, {"text", what}});
    return {{"name", room.name},
            {"opened", room.opened},
            {"people", std::move(people)},
            {"now", room.people.size()},
            {"left_out", room.people.size() - std::min(room.people.size(), bounds::people)},
            {"said", room.said},
            {"sequence", room.sequence},
            {"lines", std::move(lines)}};
}

json::array Model::links_picture() const {
    std::map<std::string_view, std::size_t> people;
    for (const auto& [name, room] : rooms_) {
        for (const auto& [who, member] : room.people) ++people[member.via];
    }
    json::array all;
    for (const auto& [who, link] : links_) {
        all.push_back(json::object{{"who", who},
                                   {"process", link.process},
                                   {"node", link.node},
                                   {"peer", link.peer},
                                   {"since", link.since},
                                   {"people", people[who]},
                                   {"behind", link.behind},
                                   {"behind_most", link.behind_most}});
    }
    return all;
}

json::array Model::nodes_picture() const {
    std::map<std::string, std::size_t> people;
    for (const auto& [name, room] : rooms_) {
        for (const auto& [who, member] : room.people) ++people[home_of(member)];
    }
    json::array all;
    for (const auto& [name, node] : nodes_) {
        all.push_back(json::object{{"name", name},
                                   {"process", node.process},
                                   {"epoch", node.epoch},
                                   {"lease", node.lease},
                                   {"revision", node.revision},
                                   {"waiting", node.waiting},
                                   {"silent_ms", node.silent_ms},
                                   {"state", node.state},
                                   {"told", or_null(node.told)},
                                   {"people", people[name]}});
    }
    return all;
}

json::object Model::rooms_picture() const {
    json::array shown;
    for (const auto& [key, room] : rooms_ | std::views::take(bounds::rooms)) shown.push_back(room_picture(room));
    json::value elsewhere;
    if (elsewhere_) {
        elsewhere = json::object{{"room", elsewhere_->room},
                                 {"up", elsewhere_->is_up},
                                 {"reason", elsewhere_->reason},
                                 {"since", elsewhere_->since}};
    }
    return {{"shown", std::move(shown)},
            {"left_out", rooms_.size() - std::min(rooms_.size(), bounds::rooms) + rooms_left_out_},
            {"sequence", sequence_},
            {"links", links_picture()},
            {"elsewhere", std::move(elsewhere)},
            {"nodes", nodes_picture()}};
}

json::object Model::story_picture() const {
    const auto picture = [](const Line& line) {
        return json::object{{"number", line.number}, {"time", line.time}, {"who", line.who},
                            {"event", line.event},   {"text", line.text}, {"failed", line.is_failure}};
    };
    json::array lines, failed;
    for (const auto& line : story_) lines.push_back(picture(line));
    for (const auto& line : failed_) failed.push_back(picture(line));
    return {{"lines", std::move(lines)}, {"failed", std::move(failed)}, {"told", lines_}, {"failures", failures_}};
}

}  // namespace observer
