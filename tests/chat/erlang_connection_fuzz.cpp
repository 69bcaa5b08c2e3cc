#include "05_chat/erlang/remote_room.hpp"
#include "05_chat/erlang/room_process.hpp"
#include "chat/ordered_rooms.hpp"

#include "05_chat/base/bytes.hpp"

#include <cstdlib>

using namespace erlang;

namespace {

const Clock::time_point now{std::chrono::hours(1)};

// The honest first half of a handshake with `node`, so that the fuzzer need not guess an MD5.
void shake_hands(Connection& node, const Identity& peer) {
    Handshake other = Handshake::connecting(peer, 1, "room1@host");
    node.receive(other.take_output(), now);
    while (auto event = node.next_event()) {
        if (std::holds_alternative<NameGiven>(*event)) node.decide(Status::ok, now);
    }
    std::string answer = node.take_output(now);
    while (answer.size() > 2) {
        const std::size_t length = chat::ByteReader(answer).u16();
        other.packet(std::string_view(answer).substr(2, length));
        answer.erase(0, 2 + length);
    }
    node.receive(other.take_output(), now);
    node.take_output(now);
    if (!node.is_up()) std::abort();
}

}  // namespace

// The first byte says what the bytes are: a handshake from its beginning, as either side, or frames after one (each
// with its length made right when bit 2 is set). Memory stays bounded, events end, the room's people are the members'.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const Bounds bounds{.max_frame = 4096, .max_output = 16384, .max_monitors = 8};
    ProcessTable table({"room1@host", 1, "secret"});
    const Pid room = table.spawn();
    table.register_name("chatroom", room);
    OrderedRooms rooms(chat::Limits{.max_people = 4}, "chatroom");
    chat::SharedLog log(1 << 16);
    chat::PersonId last = 0;
    Connection connection =
        data[0] & 1 ? Connection(table, bounds, 22, now, "a@h") : Connection(table, bounds, 22, now);
    if (!(data[0] & 1) && data[0] & 2) shake_hands(connection, {"a@h", 1, "secret"});
    RoomProcess process(connection, table, room, log, 1, [&] { return ++last; });
    RemoteRoom remote(connection, table, "chatroom");
    remote.start();
    remote.join(1, "x");
    const auto submit = [&](const chat::Request& request) {
        const auto result = rooms.submit("chatroom", request);
        if (result) {
            std::string record;
            encode_line(room, *result, record);
            log.append(record);
        }
        process.outcome(request, result);
        process.write(enough_output(Bounds().max_output));
    };
    const auto events = [&] {
        while (auto event = connection.next_event()) {
            if (std::holds_alternative<NameGiven>(*event)) connection.decide(Status::ok, now);
            if (const auto* message = std::get_if<Message>(&*event)) {
                const auto request = process.message(message->term);
                if (const auto* wanted = std::get_if<chat::Request>(&request)) submit(*wanted);
                remote.message(*message);
            }
            if (const auto* down = std::get_if<Down>(&*event)) {
                show(down->reason);
                if (const auto request = process.down(*down)) submit(*request);
            }
            if (const auto* signal = std::get_if<ExitSignal>(&*event)) remote.exit(*signal);
        }
        if (connection.output_size() > bounds.max_output + bounds.max_frame) std::abort();
    };
    std::string_view rest(reinterpret_cast<const char*>(data + 1), size - 1);
    while (!rest.empty()) {
        const std::size_t length = std::min<std::size_t>(static_cast<unsigned char>(rest[0]), rest.size() - 1);
        std::string chunk;
        if (data[0] & 4) chat::put(chunk, static_cast<std::uint32_t>(length));
        chunk += rest.substr(1, length);
        rest.remove_prefix(1 + length);
        connection.receive(chunk, now);
        events();
    }
    connection.lost("the end");
    events();
    for (const auto& request : process.closed()) rooms.submit("chatroom", request);
    if (!rooms.find("chatroom")->people().empty()) std::abort();
    return 0;
}
