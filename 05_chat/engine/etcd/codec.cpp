#include "05_chat/engine/etcd/codec.hpp"

#include <boost/json.hpp>

#include <stdexcept>
#include <utility>

namespace chat::etcd {

namespace js = boost::json;

namespace {

/// What `read` makes of the JSON. It may throw where something is missing, or is no number.
template <class Read>
auto decoded(std::string_view text, Read read) -> std::optional<decltype(read(js::value()))> {
    boost::system::error_code wrong;
    const js::value value = js::parse(text, wrong);
    if (wrong) return std::nullopt;
    try {
        return read(value);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

std::string text(const js::value& value) {
    return std::string(std::string_view(value.as_string()));
}

template <class Number>
Number number(const js::value& value) {
    return value.to_number<Number>();
}

}  // namespace

// ---- the house ------------------------------------------------------------------------------------------------------

std::string encode(const House& house) {
    const Limits& limits = house.limits;
    return js::serialize(js::value{{"version", house.version},
                                   {"lobby", house.lobby},
                                   {"max_line", limits.max_line},
                                   {"history", limits.history},
                                   {"history_bytes", limits.history_bytes},
                                   {"max_people", limits.max_people},
                                   {"max_rooms", limits.max_rooms}});
}

std::optional<House> decode_house(std::string_view json) {
    return decoded(json, [](const js::value& value) {
        House house;
        house.version = number<std::int64_t>(value.at("version"));
        if (house.version != house_version) return house;
        house.lobby = text(value.at("lobby"));
        house.limits.max_line = number<std::size_t>(value.at("max_line"));
        house.limits.history = number<std::size_t>(value.at("history"));
        house.limits.history_bytes = number<std::size_t>(value.at("history_bytes"));
        house.limits.max_people = number<std::size_t>(value.at("max_people"));
        house.limits.max_rooms = number<std::size_t>(value.at("max_rooms"));
        return house;
    });
}

// ---- a node's key ---------------------------------------------------------------------------------------------------

namespace {

/// The lease as text: it has 63 bits, and many a reader of JSON keeps only 53 of a number.
std::string open_hello(const Hello& hello) {
    return R"({"process":)" + js::serialize(js::string(hello.process)) + R"(,"lease":")" + std::to_string(hello.lease) +
           '"';
}

js::object encode_request(const Join& join) {
    return {{"join", {{"person", join.person}, {"name", join.name}}}};
}
js::object encode_request(const Say& say) {
    return {{"say", {{"person", say.person}, {"text", say.text}}}};
}
js::object encode_request(const Leave& leave) {
    return {{"leave", {{"person", leave.person}, {"why", leave.why}}}};
}

Submission decode_request(const js::value& value) {
    const js::object& object = value.as_object();
    const std::string room = text(object.at("room"));
    if (const auto* say = object.if_contains("say")) {
        return {room, Say{number<PersonId>(say->at("person")), text(say->at("text"))}};
    }
    if (const auto* join = object.if_contains("join")) {
        return {room, Join{number<PersonId>(join->at("person")), text(join->at("name"))}};
    }
    const js::value& leave = object.at("leave");
    return {room, Leave{number<PersonId>(leave.at("person")), text(leave.at("why"))}};
}

}  // namespace

std::string encode(const Hello& hello) {
    return open_hello(hello) + '}';
}

std::string begin_batch(const Hello& hello) {
    return open_hello(hello) + R"(,"requests":[)";
}

void append_request(const Submission& submission, std::string& batch) {
    js::object request = std::visit([](const auto& wanted) { return encode_request(wanted); }, submission.request);
    request.emplace("room", submission.room);
    if (!batch.ends_with('[')) batch += ',';
    batch += js::serialize(request);
}

void end_batch(std::string& batch) {
    batch += "]}";
}

std::optional<NodeValue> decode_node(std::string_view json) {
    return decoded(json, [](const js::value& value) {
        NodeValue node;
        node.hello.process = text(value.at("process"));
        node.hello.lease = std::stoll(text(value.at("lease")));
        if (const auto* requests = value.as_object().if_contains("requests")) {
            for (const js::value& request : requests->as_array()) node.requests.push_back(decode_request(request));
        }
        return node;
    });
}

std::string encode_writer(std::string_view node) {
    return R"({"node":)" + js::serialize(js::string(node)) + '}';
}

// ---- snapshots ------------------------------------------------------------------------------------------------------

std::string encode(const SnapshotHead& head) {
    return js::serialize(js::value{{"revision", head.revision}, {"parts", head.parts}});
}

std::optional<SnapshotHead> decode_head(std::string_view json) {
    return decoded(json, [](const js::value& value) {
        return SnapshotHead{number<Revision>(value.at("revision")), number<std::size_t>(value.at("parts"))};
    });
}

namespace {

js::object encode_room(const Rooms::Named& named) {
    js::array people;
    for (const auto& [person, name] : named.room.people()) people.push_back({{"person", person}, {"name", name}});
    js::array history;
    for (const Line& line : named.room.history()) {
        history.push_back(
            {{"sequence", line.sequence}, {"person", line.person}, {"name", line.name}, {"text", line.text}});
    }
    return {{"name", named.name}, {"last", named.room.last()}, {"people", people}, {"history", history}};
}

Rooms::Named decode_room(const js::value& value, const Limits& limits) {
    std::map<PersonId, std::string> people;
    for (const js::value& each : value.at("people").as_array()) {
        people.emplace(number<PersonId>(each.at("person")), text(each.at("name")));
    }
    std::deque<Line> history;
    for (const js::value& each : value.at("history").as_array()) {
        history.push_back({number<Sequence>(each.at("sequence")), Line::Kind::said, number<PersonId>(each.at("person")),
                           text(each.at("name")), text(each.at("text"))});
    }
    return {text(value.at("name")), Room(limits, number<Sequence>(value.at("last")), std::move(people), history)};
}

}  // namespace

std::string encode_snapshot(const Log& log, const Rooms& rooms) {
    js::array nodes;
    for (const auto& [name, node] : log.nodes()) {
        nodes.push_back({{"name", name}, {"epoch", node.epoch}, {"version", node.version}});
    }
    js::array homes;
    for (const auto& [person, home] : log.homes()) {
        homes.push_back({{"person", person}, {"node", home.node}, {"rooms", home.rooms}});
    }
    js::array all;
    for (const auto& [key, named] : rooms.all()) all.push_back(encode_room(named));
    return js::serialize(js::value{
        {"revision", log.revision()}, {"last", rooms.last()}, {"nodes", nodes}, {"homes", homes}, {"rooms", all}});
}

std::optional<Snapshot> decode_snapshot(std::string_view json, const House& house) {
    return decoded(json, [&](const js::value& value) {
        std::map<std::string, Log::Node> nodes;
        for (const js::value& each : value.at("nodes").as_array()) {
            nodes[text(each.at("name"))] = {number<Revision>(each.at("epoch")),
                                            number<std::int64_t>(each.at("version"))};
        }
        Log log(number<Revision>(value.at("revision")), std::move(nodes));
        for (const js::value& each : value.at("homes").as_array()) {
            log.belongs(number<PersonId>(each.at("person")), text(each.at("node")), number<int>(each.at("rooms")));
        }
        std::vector<Rooms::Named> rooms;
        for (const js::value& each : value.at("rooms").as_array()) {
            rooms.push_back(decode_room(each, house.limits));
        }
        return Snapshot{std::move(log),
                        Rooms(house.limits, house.lobby, number<Sequence>(value.at("last")), std::move(rooms))};
    });
}

}  // namespace chat::etcd
