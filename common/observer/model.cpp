#include "observer/model.hpp"

#include "app/text.hpp"
#include "observer/worker_id.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>
#include <set>

namespace observer {

namespace json = boost::json;

namespace {

/// `text`, cut where it is longer than `bounds::text`, between two characters.
std::string cut(std::string text) {
    if (text.size() <= bounds::text) return text;
    std::size_t end = bounds::text;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text.resize(end);
    return text += "…";
}

template <class Entries>
void keep(Entries& entries, std::size_t most) {
    while (entries.size() > most) entries.pop_front();
}

// What stands in a line may be anything: it comes from outside.

std::vector<const json::object*> objects_in(const json::object& fields, std::string_view name) {
    std::vector<const json::object*> all;
    const auto* value = fields.if_contains(name);
    if (value == nullptr || !value->is_array()) return all;
    for (const auto& each : value->get_array()) {
        if (each.is_object() && all.size() < bounds::listed) all.push_back(&each.get_object());
    }
    return all;
}

std::string text_in(const json::object& fields, std::string_view name) {
    const auto* value = fields.if_contains(name);
    return value != nullptr && value->is_string() ? cut(std::string(value->get_string())) : std::string();
}

std::int64_t count_in(const json::object& fields, std::string_view name) {
    const auto* value = fields.if_contains(name);
    if (value == nullptr) return 0;
    // Numbers that were parsed are signed where they can be; those that come straight from the kernel need not be.
    if (value->is_int64()) return value->get_int64();
    constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();
    if (value->is_uint64()) return static_cast<std::int64_t>(std::min(value->get_uint64(), largest));
    constexpr double most = 1e15;
    if (value->is_double() && value->get_double() < most && value->get_double() > -most) {
        return std::llround(value->get_double());
    }
    return 0;
}

}  // namespace

// ---- the fold -------------------------------------------------------------------------------------------------------

void Model::take(const Told& told) {
    ++version_;
    now_ = std::max(now_, told.time);
    if (began_ == 0) began_ = told.time;
    remember(told);
    if (told.role == "observer") return take_observers(told);
    ++events_;
    if (told.role == "server") take_servers(told);
    if (told.role == "acceptor" || told.role == "server") take_acceptors(told);
    take_clients(told);
    take_supervisors(told);
    take_rooms(told);
}

void Model::remember(const Told& told) {
    const bool is_failure = told.is_failure();
    if (is_failure) {
        ++failures_;
        rates_.count(rates_.failures, told.time);
    }
    if (told.text.empty()) return;
    const Line line{++lines_, told.time, cut(told.who), cut(told.event), cut(told.text), is_failure};
    if (is_failure) {
        failed_.push_back(line);
        keep(failed_, bounds::failed_lines);
    }
    story_.push_back(line);
    keep(story_, bounds::story_lines);
}

void Model::take_observers(const Told& told) {
    if (told.event == "observes") {
        if (const auto* command = told.fields.if_contains("command"); command != nullptr && command->is_array()) {
            command_.clear();
            for (const auto& word : command->get_array()) {
                if (word.is_string() && command_.size() < bounds::listed) command_.push_back(word);
            }
        }
    } else if (told.event == "door") {
        take_door(told);
    } else if (told.event == "processes") {
        take_processes(told);
    } else if (told.event == "ended" || told.event == "ended_badly") {
        server_is_over(told);
    }
}

void Model::take_door(const Told& told) {
    door_.clear();
    for (const auto* const name : {"waits", "left_out", "waiting_unread", "accepted", "unread", "unsent"}) {
        door_[name] = count_in(told.fields, name);
    }
    json::array waiting;
    for (const auto* socket : objects_in(told.fields, "waiting")) {
        waiting.push_back(json::object{{"peer", text_in(*socket, "peer")}, {"unread", count_in(*socket, "unread")}});
    }
    door_["waiting"] = std::move(waiting);
    sockets_.clear();
    for (const auto* socket : objects_in(told.fields, "sockets")) {
        sockets_[text_in(*socket, "peer")] = {count_in(*socket, "unread"), count_in(*socket, "unsent")};
    }
}

void Model::take_processes(const Told& told) {
    processes_.clear();
    processes_["left_out"] = count_in(told.fields, "left_out");
    json::array all;
    for (const auto* process : objects_in(told.fields, "shown")) {
        json::array threads;
        for (const auto* thread : objects_in(*process, "threads")) {
            threads.push_back(json::object{{"name", text_in(*thread, "name")},
                                           {"id", count_in(*thread, "id")},
                                           {"state", text_in(*thread, "state")},
                                           {"cpu", count_in(*thread, "cpu")}});
        }
        json::object it{{"name", text_in(*process, "name")}, {"state", text_in(*process, "state")}};
        for (const auto* const name :
             {"pid", "parent", "cpu", "memory", "descriptors", "thread_count", "threads_left_out"}) {
            it[name] = count_in(*process, name);
        }
        it["threads"] = std::move(threads);
        all.push_back(std::move(it));
    }
    processes_["shown"] = std::move(all);
}

void Model::server_is_over(const Told& told) {
    state_ = "ended";
    ended_ = told.time;
    end_ = told.field("how");
    ended_badly_ = told.event == "ended_badly";
    std::vector<std::string> all;
    for (const auto& [number, client] : clients_) all.push_back(client.who);
    const auto why = "went with the server: " + end_;
    for (const auto& who : all) end_client(who, told.time, why, ended_badly_);
    for (auto& [who, acceptor] : acceptors_) {
        if (!acceptor.has_ended) acceptor = {acceptor.process, "ended", acceptor.peer, told.time, acceptor.got, true};
    }
    for (auto& [key, supervisor] : supervisors_) {
        for (auto& child : supervisor.children) {
            if (child.state != "ended") child.state = "ended", child.since = told.time;
        }
    }
    rooms_.clear();
    people_ = 0;
    links_.clear();
    nodes_.clear();
    elsewhere_.reset();
    accepted_.clear();
    heartbeats_.clear();
    door_.clear();
    sockets_.clear();
    processes_.clear();
}

void Model::take_servers(const Told& told) {
    const auto& event = told.event;
    if (event == "listening") {
        address_ = cut(told.field("sockname"));
        state_ = "serves";
    } else if (event == "left_out") {
        left_out_ += static_cast<std::uint64_t>(std::max<std::int64_t>(told.number_of("lines"), 0));
    }
    if (told.worker > 0) {
        const auto found = supervisors_.find({0, "root"});
        auto* const process = found == supervisors_.end() ? nullptr : child(found->second, worker_id(told.worker));
        if (process == nullptr) return;
        if (event == "stops_accepting" || event == "drains") process->state = "drains";
        return;
    }
    if (event == "started") {
        started_ = told.time;
        pid_ = told.field("pid");
        program_ = cut(told.field("program"));
        its_version_ = cut(told.field("version"));
    } else if (event == "got_listening_socket") {
        if (address_.empty()) address_ = cut(told.field("sockname"));
        state_ = "serves";
    } else if (event == "faults_are_on") {
        faults_ = cut(told.field("faults"));
    } else if (event == "stops_accepting") {
        state_ = "stops";
    } else if (event == "stopped") {
        state_ = "stopped";
    } else if (event == "got_signal") {
        const auto signal = told.field("signal");
        if (signal == "SIGINT" || signal == "SIGTERM") state_ = "stops";
    }
}

void Model::take_acceptors(const Told& told) {
    static const std::set<std::string_view> theirs{
        "waits_for_client", "got_client_connection", "cannot_accept",       "waits_for_free_place",
        "accepts_no_more",  "rejects_client",        "cannot_start_thread", "accepted",
        "crashed"};
    const auto& event = told.event;
    if (!theirs.contains(event) || (told.role == "server" && event == "crashed")) return;
    if (event == "accepted") return;  // a summary at the end
    auto found = acceptors_.find(told.who);
    if (found == acceptors_.end()) {
        if (acceptors_.size() == bounds::acceptors) return void(++acceptors_left_out_);
        found = acceptors_.emplace(told.who, Acceptor{.process = told.worker}).first;
    }
    auto& acceptor = found->second;
    acceptor.since = told.time;
    acceptor.has_ended = false;
    if (event == "waits_for_client") {
        acceptor.state = "waits";
        acceptor.peer.clear();
    } else if (event == "got_client_connection") {
        acceptor.state = "works";
        acceptor.peer = cut(told.field("peer"));
        ++acceptor.got;
        rates_.count(rates_.accepts, told.time);
        if (accepted_.size() >= bounds::clients_known) accepted_.clear();  // nobody serves them, or nobody says so
        accepted_[acceptor.peer] = told.who;
    } else if (event == "waits_for_free_place") {
        acceptor.state = "waits for a free place";
    } else if (event == "cannot_accept") {
        acceptor.state = "cannot accept: " + cut(told.field("reason"));
    } else if (event == "accepts_no_more") {
        acceptor.state = "ended: " + cut(told.field("reason"));
        acceptor.has_ended = true;
    } else if (event == "crashed") {
        acceptor.state = "crashed: " + cut(told.field("reason"));
        acceptor.has_ended = true;
    } else if (event == "rejects_client") {
        acceptor.peer.clear();
    }
}

// ---- clients --------------------------------------------------------------------------------------------------------

Model::Client* Model::find_client(const std::string& who) {
    const auto found = client_of_.find(who);
    return found == client_of_.end() ? nullptr : &clients_.at(found->second);
}

/// Whose handler tells this: known from now on.
Model::Client* Model::client(const Told& told) {
    if (auto* const known = find_client(told.who)) return known;
    if (clients_.size() == bounds::clients_known) {
        if (told.event == "serves") ++came_, ++clients_left_out_;
        return nullptr;
    }
    ++came_;
    client_of_[told.who] = ++last_client_;
    return &clients_
                .emplace(last_client_,
                         Client{.who = told.who, .process = told.worker, .came = told.time, .since = told.time})
                .first->second;
}

void Model::end_client(const std::string& who, Time time, const std::string& why, bool is_failure) {
    const auto found = client_of_.find(who);
    if (found == client_of_.end()) {
        if (clients_left_out_ > 0) --clients_left_out_, ++went_;  // most likely one of those
        return;
    }
    auto client = std::move(clients_.extract(found->second).mapped());
    client_of_.erase(found);
    ++went_;
    client.gone = client.since = time;
    client.state = "gone";
    client.why = cut(why);
    client.is_failure = is_failure;
    gone_.push_back(std::move(client));
    keep(gone_, bounds::clients_gone);
}

void Model::take_clients(const Told& told) {
    const auto& event = told.event;
    if (told.role == "handler" ? event == "accepted" : told.role != "server") return;
    const auto ended = [&](const std::string& why, bool is_failure) {
        end_client(told.who, told.time, why, is_failure);
    };
    if (event == "connection_closed") return ended("the client has closed", false);
    if (event == "connection_lost") return ended("lost: " + told.field("reason"), true);
    if (event == "cuts_off_client") return ended("cut off: " + told.field("reason"), true);
    if (event == "crashed" && told.role == "handler") return ended("crashed: " + told.field("reason"), true);
    static const std::set<std::string_view> of_server{"serves", "waits_for_data", "got_data_from_client"};
    if (told.role == "server" && !of_server.contains(event)) return;
    auto* const it = client(told);
    if (event == "got_data_from_client") rates_.count(rates_.packets, told.time);
    if (it == nullptr) return;
    if (event == "serves") {
        it->peer = cut(told.field("peer"));
        if (auto by = accepted_.extract(it->peer)) it->acceptor = std::move(by.mapped());
        it->since = told.time;
    } else if (event == "runs_in_loop") {
        it->loop = static_cast<std::uint64_t>(std::max<std::int64_t>(told.number_of("loop"), 0));
    } else if (event == "waits_for_data") {
        it->state = "waits";
        it->since = told.time;
        it->behind = 0;
    } else if (event == "waits_for_peer") {
        it->state = "works";
        it->since = told.time;
        it->behind = told.number_of("bytes");
    } else if (event == "got_data_from_client") {
        it->state = "works";
        it->since = told.time;
        it->last = cut(told.field("data"));
        ++it->packets;
    } else if (event == "is_idle") {
        it->state = "idle";
        it->since = told.time;
    }
}

/// All that lived in it ends with it, and tells nothing of that.
void Model::process_is_over(Process process, Time time, const std::string& why) {
    std::vector<std::string> all;
    for (const auto& [number, client] : clients_) {
        if (client.process == process) all.push_back(client.who);
    }
    for (const auto& who : all) end_client(who, time, why, true);
    std::erase_if(acceptors_, [&](const auto& entry) { return entry.second.process == process; });
    std::erase_if(supervisors_, [&](const auto& entry) { return entry.first.first == process; });
    heartbeats_.erase(worker_id(process));
    const auto was_there = [&](const Member& member) { return !member.via.empty() && member.process == process; };
    if (!tells_order_) leave_rooms(was_there);
    // Else they are in the rooms until the order says that they have left: the other nodes wait for a word of theirs.
    for (auto& [name, room] : rooms_) {
        for (auto& [person, member] : room.people) {
            if (!was_there(member)) continue;
            member.node = home_of(member);
            member.via.clear();
        }
    }
    std::erase_if(links_, [&](const auto& entry) { return entry.second.process == process; });
    std::erase_if(nodes_, [&](const auto& entry) { return entry.second.process == process; });
    for (auto room = rooms_.begin(); room != rooms_.end();) {
        const bool was_open = room->second.open_in.erase(process) > 0;
        const bool is_over = was_open && room->second.open_in.empty() && room->second.people.empty();
        room = is_over ? rooms_.erase(room) : std::next(room);
    }
}

// ---- supervisors ----------------------------------------------------------------------------------------------------

Model::Supervisor* Model::supervisor(Process process, const std::string& name) {
    const SupervisorKey key{process, cut(name)};
    const auto found = supervisors_.find(key);
    if (found != supervisors_.end()) return &found->second;
    if (supervisors_.size() == bounds::supervisors) return nullptr;
    return &supervisors_[key];
}

Model::Child* Model::child(Supervisor& supervisor, const std::string& id) {
    const auto found = std::ranges::find(supervisor.children, id, &Child::id);
    return found == supervisor.children.end() ? nullptr : &*found;
}

void Model::child_runs(Supervisor& supervisor, const Told& told) {
    const auto id = cut(told.field("child"));
    auto* known = child(supervisor, id);
    if (known == nullptr) {
        if (supervisor.children.size() == bounds::children) return void(++supervisor.children_left_out);
        supervisor.children.push_back({.id = id});
        known = &supervisor.children.back();
    } else {
        ++known->restarts;
        // Another life of the same number; that the earlier one was stopped, not crashed, is told by nobody.
        if (told.worker == 0 && is_process(id) && known->state != "ended") {
            process_is_over(process_of(id), told.time, "went with " + id + ", which was stopped");
        }
    }
    known->pid = cut(told.field("pid"));
    known->state = "running";
    known->since = told.time;
}

void Model::remove_child(Process process, const std::string& id) {
    for (auto& [key, supervisor] : supervisors_) {
        if (key.first == process) std::erase_if(supervisor.children, [&](const auto& it) { return it.id == id; });
    }
}

void Model::take_supervisors(const Told& told) {
    const auto& event = told.event;
    if (event == "supervisor_started") {
        if (auto* const it = supervisor(told.worker, told.field("supervisor"))) {
            it->strategy = cut(told.field("strategy"));
            it->intensity = told.number_of("intensity");
            it->period_s = told.number_of("period_s");
        }
    } else if (event == "supervisor_progress" || event == "starts_child") {
        if (auto* const it = supervisor(told.worker, told.field("supervisor"))) child_runs(*it, told);
    } else if (event == "supervisor_report") {
        const auto id = cut(told.field("offender"));
        const auto reason = cut(told.field("reason"));
        const auto context = told.field("context");
        if (id == "session") {  // a client, and not one of a number that a supervisor must keep
            auto who = told.field("pid");
            if (told.worker > 0) who = "worker " + std::to_string(told.worker) + " " + who;
            return end_client(who, told.time, "crashed: " + reason, true);
        }
        auto* const it = supervisor(told.worker, told.field("supervisor"));
        if (it == nullptr) return;
        if (auto* const offender = child(*it, id)) {
            offender->state = context == "shutdown" ? "given up" : "ended";
            offender->since = told.time;
            if (context != "shutdown") offender->reason = reason;
        }
        if (context == "child_terminated" || context == "start_error") {
            it->restarts.push_back(told.time);
            keep(it->restarts, bounds::marks);
            if (told.worker == 0 && is_process(id)) {
                process_is_over(process_of(id), told.time, "went with " + id + ": " + reason);
            }
        }
    } else if (event == "gives_up") {
        if (auto* const it = supervisor(told.worker, told.field("supervisor"))) {
            it->gave_up = cut(told.field("why"));
            it->gave_up_at = told.time;
        }
    } else if (event == "replaces") {
        const auto id = told.field("child");
        for (auto& [key, all] : supervisors_) {
            if (auto* const old = child(all, id); old != nullptr && key.first == told.worker)
                old->state = "is replaced";
        }
    } else if (event == "replaced") {
        const auto id = told.field("child");
        process_is_over(process_of(id), told.time, "went with " + cut(id) + ", which was replaced");
        remove_child(told.worker, id);
    } else if (event == "answers") {
        auto& heartbeat = heartbeats_[cut(told.field("child"))];
        heartbeat = {told.time, told.number_of("after_ms"), told.number_of("limit_ms")};
        if (heartbeats_.size() > bounds::children) heartbeats_.erase(heartbeats_.begin());
    } else if (event == "does_not_answer") {
        const auto found = heartbeats_.find(told.field("child"));
        if (found != heartbeats_.end()) found->second.signal = cut(told.field("signal"));
    }
}

// ---- rooms ----------------------------------------------------------------------------------------------------------

namespace {

/// Rooms' names are compared without regard to ASCII case.
std::string folded(std::string name) {
    std::ranges::transform(name, name.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    return name;
}

}  // namespace

Model::Room* Model::find_room(const std::string& name) {
    const auto found = rooms_.find(folded(name));
    return found == rooms_.end() ? nullptr : &found->second;
}

Model::Room* Model::room(const std::string& name) {
    if (auto* const known = find_room(name)) return known;
    if (rooms_.size() == bounds::rooms_known) return nullptr;
    return &rooms_.emplace(folded(name), Room{.name = name, .opened = now_}).first->second;
}

/// What is known of them is kept where this teller knows less.
void Model::is_in_room(const std::string& name, const std::string& person, const Member& member) {
    auto* const it = room(name);
    if (it == nullptr) return;
    auto found = it->people.find(person);
    if (found == it->people.end()) {
        if (people_ >= bounds::people_known) return;
        ++people_;
        it->people.emplace(person, member);
        return;
    }
    auto& known = found->second;
    if (!member.via.empty()) {
        known.via = member.via;
        known.process = member.process;
    } else if (known.via.empty() && !member.node.empty()) {
        known.node = member.node;
    }
}

void Model::leaves_room(const std::string& name, const std::string& person) {
    if (auto* const it = find_room(name)) people_ -= it->people.erase(person);
}

void Model::leave_rooms(const std::function<bool(const Member&)>& who) {
    for (auto& [name, it] : rooms_) {
        people_ -= std::erase_if(it.people, [&](const auto& person) { return who(person.second); });
    }
}

void Model::close_if_over(const std::string& name) {
    const auto found = rooms_.find(folded(name));
    if (found == rooms_.end() || !found->second.open_in.empty()) return;
    people_ -= found->second.people.size();
    rooms_.erase(found);
}

void Model::take_rooms(const Told& told) {
    const auto& event = told.event;
    if (event == "opens_room") {
        if (auto* const it = room(cut(told.field("room")))) {
            it->open_in.insert(told.worker);
        } else {
            ++rooms_left_out_;
        }
    } else if (event == "closes_room") {
        const auto name = cut(told.field("room"));
        if (auto* const it = find_room(name)) {
            it->open_in.erase(told.worker);
        } else if (rooms_left_out_ > 0) {
            --rooms_left_out_;  // most likely one of those
        }
        close_if_over(name);
    } else if (event == "has_in_room") {
        const auto name = cut(told.field("name")), where = cut(told.field("room"));
        auto* const client = find_client(told.who);
        // Whoever sits before a terminal is in one room at a time; behind a link there may be many.
        if (client != nullptr) {
            leaves_room(client->room, client->name);
            client->name = name;
            client->room = where;
        }
        is_in_room(where, name, {.via = cut(told.who), .process = told.worker, .since = told.time});
    } else if (event == "has_no_longer_in_room" || event == "finds_removed") {
        const auto name = cut(told.field("name")), where = cut(told.field("room"));
        leaves_room(where, name);
        auto* const client = find_client(told.who);
        if (client != nullptr && folded(client->room) == folded(where)) client->room.clear();
    } else if (event == "got_data_from_client" && !tells_order_) {
        const auto* const client = find_client(told.who);
        if (client == nullptr || client->room.empty() || client->last.starts_with('/')) return;
        auto* const it = find_room(client->room);
        if (it == nullptr) return;
        ++it->said;
        it->lines.emplace_back(client->name, client->last);
        keep(it->lines, bounds::room_lines);
    } else {
        take_order(told);
        take_links(told);
        take_nodes(told);
        take_lag(told);
    }
}

/// Several nodes may tell the same, each at its own time: the first to tell a place of the order is believed.
void Model::take_order(const Told& told) {
    const auto& event = told.event;
    const auto sequence = told.number_of("sequence");
    if (event == "room_line") {
        tells_order_ = true;
        if (sequence <= sequence_) return;
        sequence_ = sequence;
        const auto kind = told.field("kind"), name = cut(told.field("name")), where = cut(told.field("room"));
        if (kind == "left") {
            leaves_room(where, name);
        } else if (kind == "joined") {
            is_in_room(where, name, {.since = told.time});
        }
        auto* const it = kind == "left" ? find_room(where) : room(where);
        if (it == nullptr) return;
        it->sequence = sequence;
        if (kind != "said") return;
        ++it->said;
        it->lines.emplace_back(name, cut(told.field("text")));
        keep(it->lines, bounds::room_lines);
    } else if (event == "finds_in_room") {
        tells_order_ = true;
        if (sequence < sequence_) return;
        sequence_ = sequence;
        is_in_room(cut(told.field("room")), cut(told.field("name")),
                   {.node = cut(told.field("node")), .since = told.time});
    } else if (event == "rooms_begin_anew" && told.worker == 0) {
        sequence_ = sequence;
        rooms_.clear();
        people_ = 0;
    } else if (event == "rooms_begin_anew") {  // one of several: where others have told on, nothing was missed
        const bool others_tell = std::ranges::any_of(
            nodes_, [&](const auto& each) { return each.second.lease != 0 && each.second.process != told.worker; });
        if (others_tell) return;
        std::erase_if(nodes_, [](const auto& each) { return each.second.lease == 0; });
        leave_rooms([](const Member& member) { return member.via.empty(); });
    } else if (event == "node_has_in_room") {  // of somebody who has just joined, if they are still there
        auto* const it = find_room(cut(told.field("room")));
        if (it == nullptr) return;
        const auto found = it->people.find(cut(told.field("name")));
        if (found != it->people.end() && found->second.via.empty()) found->second.node = cut(told.field("node"));
    }
}

void Model::take_links(const Told& told) {
    const auto& event = told.event;
    if (event == "is_linked") {
        if (links_.size() == bounds::links && !links_.contains(told.who)) return;
        links_[told.who] = {.process = told.worker,
                            .node = cut(told.field("node")),
                            .peer = cut(told.field("peer")),
                            .since = told.time};
    } else if (event == "link_lost") {
        links_.erase(told.who);
        leave_rooms([&](const Member& member) { return member.via == told.who; });
    } else if (event == "room_is_up" || event == "room_is_down") {
        const bool is_up = event == "room_is_up";
        elsewhere_ = {cut(told.field("room")), is_up ? "" : cut(told.field("reason")), is_up, told.time};
    }
}

Model::Node* Model::node(const std::string& name) {
    const auto found = nodes_.find(name);
    if (found != nodes_.end()) return &found->second;
    if (name.empty() || nodes_.size() == bounds::nodes) return nullptr;
    return &nodes_[name];
}

/// The name of the one that this process is, once it has said so.
const std::string* Model::node_of(Process process) const {
    const auto found = std::ranges::find_if(
        nodes_, [&](const auto& each) { return each.second.lease != 0 && each.second.process == process; });
    return found == nodes_.end() ? nullptr : &found->first;
}

void Model::take_nodes(const Told& told) {
    const auto& event = told.event;
    if (event == "has_lease") {
        auto* const it = node(cut(told.field("node")));
        if (it == nullptr) return;
        it->process = told.worker;
        it->lease = told.number_of("lease");
        it->epoch = told.number_of("epoch");
        it->revision = told.number_of("revision");
        it->waiting = told.number_of("waiting");
        it->silent_ms = told.number_of("silent_ms");
        it->told = told.time;
        if (it->state == "is thought dead" && it->epoch != 0) it->state = "lives";
    } else if (event == "knows_node" || event == "sees_node_come") {
        if (auto* const it = node(cut(told.field("node")))) {
            it->told = told.time;
            if (event == "knows_node") it->epoch = told.number_of("epoch");
        }
    } else if (event == "sees_node_go") {
        const auto name = cut(told.field("node"));
        nodes_.erase(name);
        leave_rooms([&](const Member& member) { return member.via.empty() && member.node == name; });
    } else if (event == "log_is_silent" || event == "log_is_back" || event == "was_thought_dead") {
        const auto* const name = node_of(told.worker);
        if (name == nullptr) return;
        nodes_[*name].state = event == "log_is_silent" ? "waits for etcd"
                              : event == "log_is_back" ? "lives"
                                                       : "is thought dead";
    }
}

void Model::take_lag(const Told& told) {
    const auto& event = told.event;
    if (event == "lags") {
        lag_ = {told.worker, told.number_of("ms"), told.time};
    } else if (event == "is_behind") {
        const auto bytes = told.number_of("bytes"), most = told.number_of("most");
        if (const auto link = links_.find(told.who); link != links_.end()) {
            link->second.behind = bytes;
            link->second.behind_most = most;
        } else if (auto* const client = find_client(told.who)) {
            client->behind = bytes;
        }
    }
}

// ---- rates ----------------------------------------------------------------------------------------------------------

void Model::Rates::move_to(std::int64_t to) {
    if (to - last > static_cast<std::int64_t>(bounds::rate_seconds))
        last = to - static_cast<std::int64_t>(bounds::rate_seconds);
    while (last < to) {
        const auto place = static_cast<std::size_t>(++last) % bounds::rate_seconds;
        packets[place] = accepts[place] = failures[place] = 0;
    }
}

void Model::Rates::count(std::array<std::uint64_t, bounds::rate_seconds>& what, Time time) {
    const auto at = time / second;
    if (at > last) move_to(at);
    if (at > 0 && last - at < static_cast<std::int64_t>(bounds::rate_seconds)) {
        ++what[static_cast<std::size_t>(at) % bounds::rate_seconds];
    }
}

}  // namespace observer
