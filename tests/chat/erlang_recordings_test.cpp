#include "05_chat/erlang/dist/epmd.hpp"
#include "05_chat/erlang/remote_room.hpp"
#include "05_chat/erlang/room_process.hpp"
#include "chat/ordered_rooms.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

// What real nodes wrote, and what ours answered then: byte for byte what it must answer today. Each file in recordings/
// says how it was made.

using namespace erlang;

namespace {

struct Entry {
    std::string who;
    std::string bytes;
};

std::vector<Entry> recording(const std::string& name) {
    std::string path(RECORDINGS "/");
    path += name;
    std::ifstream file(path);
    EXPECT_TRUE(file) << name;
    std::vector<Entry> entries;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream words(line);
        std::string who, hex, bytes;
        words >> who >> hex;
        for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
            bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
        }
        entries.push_back({who, bytes});
    }
    return entries;
}

const Clock::time_point recorded_at{std::chrono::hours(1)};

// Plays a recording against `connection`; `handle` sees the events. Reads of `step` bytes instead of the recorded ones.
template <class Handle>
void replay(const std::vector<Entry>& entries, Connection& connection, std::size_t step, Handle handle) {
    std::string expected, written;
    for (const auto& [who, bytes] : entries) {
        if (who == "out") {
            expected += bytes;
            continue;
        }
        ASSERT_EQ(who, "in");
        written += connection.take_output(recorded_at);
        ASSERT_EQ(written, expected);
        for (std::size_t i = 0; i < bytes.size(); i += step) {
            connection.receive(std::string_view(bytes).substr(i, step), recorded_at);
            while (auto event = connection.next_event()) handle(*event);
        }
    }
    EXPECT_EQ(written + connection.take_output(recorded_at), expected);
}

}  // namespace

TEST(Recordings, Epmd) {
    const auto entries = recording("epmd.txt");
    ASSERT_EQ(entries.size(), 4u);
    const auto& asked = entries[0].bytes;
    const auto port =
        static_cast<std::uint16_t>(static_cast<unsigned char>(asked[3]) << 8 | static_cast<unsigned char>(asked[4]));
    EXPECT_EQ(epmd::register_request("room1", port), asked);
    EXPECT_EQ(epmd::read_registered(entries[1].bytes).answer, epmd::Answer::yes);
    EXPECT_EQ(epmd::lookup_request("room1"), entries[2].bytes);
    EXPECT_EQ(epmd::read_found(entries[3].bytes).answer, epmd::Answer::yes);
    EXPECT_TRUE(epmd::read_found(entries[3].bytes).speaks_version_6);
}

TEST(Recordings, ElixirJoinsUs) {
    for (const std::size_t step : {SIZE_MAX / 2, std::size_t{1}}) {
        ProcessTable table({"room1@vm", 7, "secret"});
        const Pid room = table.spawn();
        table.register_name("chatroom", room);
        OrderedRooms rooms({}, "chatroom");
        chat::SharedLog log(1 << 20);
        chat::PersonId last = 0;
        Connection connection(table, {}, 0x12345678, recorded_at);
        RoomProcess process(connection, table, room, log, 1, [&] { return ++last; });
        std::vector<std::string> story;
        const auto submit = [&](const chat::Request& request) {
            const auto result = rooms.submit("chatroom", request);
            if (result) {
                std::string record;
                encode_line(room, *result, record);
                log.append(record);
                story.push_back(words(*result));
            } else {
                story.emplace_back(reason(result.error()));
            }
            process.outcome(request, result);
            process.write(enough_output(Bounds().max_output));
        };
        replay(recording("elixir_joins_us.txt"), connection, step, [&](const Event& event) {
            if (const auto* given = std::get_if<NameGiven>(&event)) {
                EXPECT_EQ(given->node, "room2@vm");
                connection.decide(Status::ok, recorded_at);
            } else if (const auto* message = std::get_if<Message>(&event)) {
                const auto request = process.message(message->term);
                if (const auto* wanted = std::get_if<chat::Request>(&request))
                    submit(*wanted);
                else
                    story.push_back("ignored: " + std::get<Ignored>(request).what.substr(0, 25));
            } else if (const auto* down = std::get_if<Down>(&event)) {
                story.push_back("down: " + show(down->reason));
                if (const auto request = process.down(*down)) submit(*request);
            }
        });
        EXPECT_EQ(story, (std::vector<std::string>{
                             "Michael has joined the room", "Mikey has joined the room", "Michael says: Hello!",
                             "Mikey says: ché", "Mikey says: Привет 你好", "Mikey says: Привет бин",
                             "Mikey says: ", "ignored: a message that the room d", "the name is taken",
                             "ignored: a message of somebody who", "down: killed", "Mikey has left the room",
                             "Michael says: still here"}));
    }
}

TEST(Recordings, WeJoinElixir) {
    ProcessTable table({"guest@vm", 7, "secret"});
    table.spawn();  // the process that was a room, in the other recording
    Connection connection(table, {}, 0x87654321, recorded_at, "room1@vm");
    std::optional<RemoteRoom> room;
    std::vector<std::string> story;
    replay(recording("we_join_elixir.txt"), connection, SIZE_MAX / 2, [&](const Event& event) {
        if (std::holds_alternative<Up>(event)) {
            room.emplace(connection, table, "chatroom");
            room->start();
            room->join(1, "Мария");
            room->join(2, "Bob");
            room->say(1, "Привет!");
        } else if (const auto* message = std::get_if<Message>(&event)) {
            const auto heard = room->message(*message);
            if (!heard) return story.emplace_back("nothing said"), void();
            story.push_back(std::to_string(heard->person) + ": " + heard->text);
            if (heard->person == 1 && heard->text == "please leave") room->leave(1);
        } else if (const auto* signal = std::get_if<ExitSignal>(&event)) {
            if (const auto person = room->exit(*signal)) story.push_back(std::to_string(*person) + " is out");
        } else if (const auto* down = std::get_if<Down>(&event)) {
            if (room->is_down(*down)) story.push_back("room is DOWN: " + show(down->reason));
        }
    });
    EXPECT_EQ(story, (std::vector<std::string>{"1: Bob has joined the room", "2: Мария says: Привет!",
                                               "1: Мария says: Привет!", "2: cé", "1: cé", "2: Привет", "1: Привет",
                                               "2: ", "1: ", "nothing said", "nothing said", "2: esc [1m bell ",
                                               "1: esc [1m bell ", "2: please leave", "1: please leave",
                                               "2: Мария has left the room", "2 is out", "room is DOWN: normal"}));
}

TEST(Recordings, WrongCookie) {
    ProcessTable table({"room1@vm", 7, "secret"});
    Connection connection(table, {}, 0x12345678, recorded_at);
    std::string why;
    replay(recording("wrong_cookie.txt"), connection, 1, [&](const Event& event) {
        if (std::holds_alternative<NameGiven>(event)) connection.decide(Status::ok, recorded_at);
        if (const auto* closed = std::get_if<Closed>(&event)) why = closed->why;
    });
    EXPECT_EQ(why, "wrong cookie");
}
