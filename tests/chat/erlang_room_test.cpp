#include "05_chat/erlang/remote_room.hpp"
#include "05_chat/erlang/room_process.hpp"
#include "chat/ordered_rooms.hpp"

#include <gtest/gtest.h>

using namespace erlang;
using namespace std::chrono_literals;

namespace {

const Clock::time_point now{1h};

// A room on one node, people of another in it.
struct RoomAndGuests : testing::Test {
    RoomAndGuests() {
        south.register_name("chatroom", room);
        settle();
        process.emplace(called, south, room, log, 1, [this] { return ++last; });
        guests.emplace(caller, north, "chatroom");
        guests->start();
        settle();
    }
    void submit(const chat::Request& request) {
        const auto result = rooms.submit("chatroom", request);
        if (result) {
            std::string record;
            encode_line(room, *result, record);
            log.append(record);
        }
        process->outcome(request, result);
    }
    void settle(bool reading = true) {
        for (bool more = true; more;) {
            if (process) process->write(budget);
            const std::string there = caller.take_output(now);
            const std::string back = reading ? called.take_output(now) : "";
            called.receive(there, now);
            caller.receive(back, now);
            more = !there.empty() || !back.empty();
            while (auto event = called.next_event()) handle_called(*event);
            while (auto event = caller.next_event()) handle_caller(*event);
        }
    }
    void handle_called(const Event& event) {
        if (std::holds_alternative<NameGiven>(event)) called.decide(Status::ok, now);
        if (const auto* message = std::get_if<Message>(&event)) {
            const auto request = process->message(message->term);
            if (const auto* wanted = std::get_if<chat::Request>(&request))
                submit(*wanted);
            else
                ignored.push_back(std::get<Ignored>(request).what);
        }
        if (const auto* down = std::get_if<Down>(&event)) {
            if (const auto request = process->down(*down)) submit(*request);
        }
    }
    void handle_caller(const Event& event) {
        if (const auto* message = std::get_if<Message>(&event)) {
            const auto heard = guests->message(*message);
            ASSERT_TRUE(heard);
            if (guests->is_refusal(*heard)) refused.push_back(heard->person);
            heard_by[heard->person].push_back(heard->text);
        }
        if (const auto* monitored = std::get_if<Monitored>(&event)) {
            const auto person = guests->monitored(monitored->process);
            ASSERT_TRUE(person);
            if (guests->let_in(*person)) let_in.push_back(*person);
        }
        if (const auto* down = std::get_if<Down>(&event)) is_down |= guests->is_down(*down);
    }
    using Lines = std::vector<std::string>;

    const Bounds bounds{.max_output = 64 * 1024};  // as little as --max-backlog may be
    std::size_t budget = enough_output(bounds.max_output);
    ProcessTable north{{"north@host", 1, "secret"}};
    ProcessTable south{{"south@host", 2, "secret"}};
    Pid room = south.spawn();
    Connection caller{north, {}, 11, now, "south@host"};
    Connection called{south, bounds, 22, now};
    OrderedRooms rooms{chat::Limits{}, "chatroom"};
    chat::SharedLog log{1 << 20};
    chat::PersonId last = 1000;
    std::optional<RoomProcess> process;
    std::optional<RemoteRoom> guests;
    std::map<chat::PersonId, Lines> heard_by;
    Lines ignored;
    std::vector<chat::PersonId> let_in, refused;
    bool is_down = false;
};

}  // namespace

TEST_F(RoomAndGuests, EveryLineGoesToAllButAJoinNotToTheNewcomer) {
    guests->join(1, "Michael");
    guests->join(2, "Mikey");
    guests->say(1, "Hello!");
    guests->leave(2);
    settle();
    EXPECT_EQ(heard_by[1], (Lines{"Mikey has joined the room", "Michael says: Hello!", "Mikey has left the room"}));
    EXPECT_EQ(heard_by[2], Lines{});  // gone before the line came
    EXPECT_EQ(process->people(), 1u);
}

TEST_F(RoomAndGuests, ATakenNameIsToldAndMayTryAgain) {
    guests->join(1, "Michael");
    guests->join(2, "MICHAEL");
    settle();
    EXPECT_EQ(heard_by[2], Lines{"the name is taken"});
    EXPECT_EQ(refused, std::vector<chat::PersonId>{2});
    EXPECT_EQ(let_in, std::vector<chat::PersonId>{1});
    guests->say(2, "nobody hears this");
    guests->leave(2);
    guests->join(2, "Mikey");
    settle();
    EXPECT_EQ(heard_by[1], Lines{"Mikey has joined the room"});
    EXPECT_EQ(ignored, Lines{"a message of somebody who never joined"});
    EXPECT_EQ(let_in, (std::vector<chat::PersonId>{1, 2}));
}

TEST_F(RoomAndGuests, ANameThatIsNotToBeSeenIsRefused) {
    guests->join(1, "\u2800");
    settle();
    EXPECT_EQ(heard_by[1], Lines{"a name has nothing invisible in it"});
    EXPECT_EQ(refused, std::vector<chat::PersonId>{1});
}

TEST_F(RoomAndGuests, ATooLongLineIsToldToItsSpeaker) {
    guests->join(1, "Michael");
    guests->say(1, std::string(5000, 'x'));
    settle();
    EXPECT_EQ(heard_by[1], Lines{"the line is too long"});
    EXPECT_TRUE(refused.empty());  // they are in, and stay
}

TEST_F(RoomAndGuests, AHundredMembersGetEachLineOnceHoweverSmallTheWrites) {
    budget = 1;
    for (chat::PersonId i = 1; i <= 100; ++i) guests->join(i, "p" + std::to_string(i));
    settle();
    heard_by.clear();
    Lines expected;
    for (int i = 0; i < 30; ++i) {
        guests->say(1, std::string(1000, static_cast<char>('a' + i % 26)));
        expected.push_back("p1 says: " + std::string(1000, static_cast<char>('a' + i % 26)));
    }
    settle();
    for (chat::PersonId i = 1; i <= 100; ++i) ASSERT_EQ(heard_by[i], expected) << i;
}

TEST_F(RoomAndGuests, LeavingInTheMiddleOfALineCostsTheOthersNothing) {
    budget = 1;
    for (chat::PersonId i = 1; i <= 5; ++i) guests->join(i, "p" + std::to_string(i));
    settle();
    heard_by.clear();
    submit(chat::Say{1001, "x"});
    for (chat::PersonId i = 1; i <= 5; ++i) {
        process->write(budget);
        if (i == 2) guests->leave(3);
        settle();
    }
    EXPECT_EQ(heard_by[5], (Lines{"p1 says: x", "p3 has left the room"}));
}

TEST_F(RoomAndGuests, ANodeThatDoesNotReadHoldsItsPlaceUntilItIsOverrun) {
    for (chat::PersonId i = 1; i <= 50; ++i) guests->join(i, "p" + std::to_string(i));
    settle();
    for (int i = 0; i < 100; ++i) submit(chat::Say{1001, std::string(4000, 'x')});
    settle(false);
    EXPECT_TRUE(called.is_up());
    EXPECT_LT(called.output_size(), 2 * budget);
    EXPECT_FALSE(process->is_overrun());
    for (int i = 0; i < 400; ++i) submit(chat::Say{1001, std::string(4000, 'x')});
    EXPECT_TRUE(process->is_overrun());
    EXPECT_EQ(log.take_overrun(), std::vector<std::uint64_t>{1});
    process->write(budget);  // must not touch what is gone
}

TEST_F(RoomAndGuests, NobodyJoinsOrSpeaksForAnotherNodesProcess) {
    std::string message;
    put_tuple(message, 3);
    put_pid(message, Pid{"west@host", 1, 0, 1});
    put_atom(message, "join");
    put_binary(message, "Mallory");
    caller.send(north.spawn(), "chatroom", message);
    settle();
    EXPECT_EQ(ignored, Lines{"a message in the name of a process of west@host"});
    EXPECT_EQ(process->people(), 0u);
}

TEST_F(RoomAndGuests, WhenTheNodeIsGoneAllItsPeopleLeave) {
    guests->join(1, "Michael");
    guests->join(2, "Mikey");
    settle();
    const auto requests = process->closed();
    EXPECT_EQ(requests.size(), 2u);
    for (const auto& request : requests) EXPECT_TRUE(rooms.submit("chatroom", request));
    EXPECT_TRUE(rooms.find("chatroom")->people().empty());
}

TEST_F(RoomAndGuests, TheGuestsLearnThatTheRoomEnded) {
    guests->join(1, "Michael");
    settle();
    EXPECT_FALSE(is_down);
    std::string reason;
    put_atom(reason, "shutdown");
    south.exit(room);
    called.exited(room, reason);
    settle();
    EXPECT_TRUE(is_down);
}
