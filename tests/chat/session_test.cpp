// People in the rooms of this program, when something throws.

#include "05_chat/engine/local.hpp"
#include "05_chat/engine/room_service.hpp"
#include "05_chat/text/server.hpp"
#include "chat/connected.hpp"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <stdexcept>

namespace {

using namespace chat;
using namespace std::chrono_literals;
using asio_socket = boost::asio::ip::tcp::socket;

/// An engine in which those who want to go to the garden wait until they may, and leaving may fail.
struct GardenGate : LocalEngine {
    explicit GardenGate(const net::Executor& executor) : opened(executor) {}
    net::awaitable<Outcome> submit(const Submission& submission) override {
        const bool waits = submission.room == "garden" && std::holds_alternative<Join>(submission.request);
        if (waits) co_await opened.notified();
        const bool leaves = std::holds_alternative<Leave>(submission.request);
        if (leaves && leaves_that_throw > 0 && leaves_that_throw-- > 0) throw std::runtime_error("it cannot leave");
        co_return co_await LocalEngine::submit(submission);
    }
    /// What an engine of several nodes tells the rooms.
    Replica& replica() { return *replica_; }
    Notify opened;
    int leaves_that_throw = 0;
};

/// Somebody at the text door who does nothing by themselves.
struct Silent : Participant {
    using Participant::Participant;
    void tell(std::string_view) override { ++times_told; }
    void entered() override {}
    void room_down(std::string_view, bool) override { ++times_down; }
    void removed(std::string_view) override {}
    void rejoined(const result<void, Why>& outcome) override { is_back = outcome.has_value(); }
    int times_told = 0;
    int times_down = 0;
    bool is_back = false;
};

struct InRooms : testing::Test {
    InRooms() {
        app::story::mode = app::Log::quiet;
        rooms.subscribe([this](std::string_view, const Line& line) {
            heard.push_back(words(line));
            if (lines_that_throw > 0 && lines_that_throw-- > 0) throw std::runtime_error("a listener breaks");
        });
    }
    /// Starts it; `ended` tells how it ended.
    struct End {
        bool is_there = false;
        std::exception_ptr crash;
    };
    std::shared_ptr<End> start(net::awaitable<void> work) {
        auto end = std::make_shared<End>();
        boost::asio::co_spawn(loop, std::move(work), [end](const std::exception_ptr& crash) { *end = {true, crash}; });
        loop.restart();
        loop.poll();
        return end;
    }
    net::awaitable<void> submit(Participant& person, Request request, std::string room = "lobby") {
        const Submission submission{std::move(room), std::move(request)};
        co_await rooms.submit(person, submission);
    }
    std::shared_ptr<Writer> writer() {
        auto& peer = peers.emplace_back(loop);
        return std::make_shared<Writer>(connected_to(loop, peer), peers.size(), backlog);
    }

    boost::asio::io_context loop{1};
    std::deque<asio_socket> peers;
    Backlog backlog{1 << 20, 1 << 20};
    GardenGate engine{loop.get_executor()};
    RoomService rooms{loop.get_executor(), engine, {}, "lobby", encode_text, backlog};
    std::vector<std::string> heard;
    int lines_that_throw = 0;
};

}  // namespace

TEST_F(InRooms, ASessionEndsAlsoWhenItsFarewellThrows) {
    SessionLimits limits;
    limits.rate = 0;
    auto session = std::make_shared<Session>(writer(), app::Who{"test", 1}, 1, "lobby", rooms, limits, nullptr);
    const std::weak_ptr<Session> remains = session;
    const auto served = start(serve(std::move(session)));
    boost::asio::write(peers.front(), boost::asio::buffer(std::string("Ann\n")));
    while (heard.empty()) loop.run_one_for(20s);
    lines_that_throw = 1;
    peers.front().close();
    loop.run_for(20s);
    EXPECT_EQ(heard, (std::vector<std::string>{"Ann has joined the room", "Ann has left the room"}));
    EXPECT_TRUE(served->is_there);
    EXPECT_FALSE(served->crash);
    EXPECT_TRUE(remains.expired());
    EXPECT_TRUE(loop.stopped()) << "somebody still waits for something";
}

TEST_F(InRooms, WhoeverQuitsLeavesAlsoWhenThatThrowsAtFirst) {
    SessionLimits limits;
    limits.rate = 0;
    engine.leaves_that_throw = 1;
    start(serve(std::make_shared<Session>(writer(), app::Who{"test", 1}, 1, "lobby", rooms, limits, nullptr)));
    boost::asio::write(peers.front(), boost::asio::buffer(std::string("Ann\n/quit\n")));
    while (heard.size() < 2 && loop.run_one_for(20s) > 0) continue;
    EXPECT_TRUE(rooms.rooms().find("lobby")->people().empty());
    peers.front().close();
    loop.run_for(20s);
    EXPECT_TRUE(loop.stopped());
}

TEST_F(InRooms, RoomsThatCrashWhileTheyBeginAnewCrashOnce) {
    Silent ann(1, writer());
    start(submit(ann, Join{1, "Ann"}));
    const auto first = start(rooms.live([] {}));
    lines_that_throw = 1;
    start(submit(ann, Say{1, "Hello!"}));
    ASSERT_TRUE(first->is_there);
    EXPECT_TRUE(first->crash);
    lines_that_throw = 1;
    const auto second = start(rooms.live([] {}));
    ASSERT_TRUE(second->is_there);
    EXPECT_TRUE(second->crash);
    const auto third = start(rooms.live([] {}));
    EXPECT_FALSE(third->is_there) << "the second crash counts twice";
    EXPECT_EQ(ann.times_down, 2);
    EXPECT_TRUE(ann.is_back);
    rooms.stop_living();
    loop.restart();
    loop.poll();
    EXPECT_TRUE(third->is_there);
    EXPECT_FALSE(third->crash);
    rooms.forget(ann);
}

TEST_F(InRooms, WhoeverWasOnTheWayToAnotherRoomIsInOneRoomAfterACrash) {
    Silent ann(1, writer());
    start(submit(ann, Join{1, "Ann"}));
    const auto join = start(submit(ann, Join{1, "Ann"}, "garden"));
    start(rooms.live([] {}));
    Silent ben(2, writer());
    lines_that_throw = 1;
    start(submit(ben, Join{2, "Ben"}));
    const auto second = start(rooms.live([] {}));
    EXPECT_TRUE(ann.is_back);
    ASSERT_FALSE(join->is_there);
    engine.opened.notify();
    loop.restart();
    loop.poll();
    EXPECT_TRUE(join->is_there);
    EXPECT_EQ(rooms.rooms().find("garden"), nullptr);
    EXPECT_EQ(rooms.rooms().find("lobby")->people().size(), 1u);
    rooms.stop_living();
    loop.restart();
    loop.poll();
    rooms.forget(ann);
    rooms.forget(ben);
}

TEST_F(InRooms, WhoeverGoesWhileTheyArePutBackDoesNotStayThere) {
    Silent ann(1, writer());
    start(submit(ann, Join{1, "Ann"}));
    engine.replica().go_down("the other nodes hold this one for dead");
    const Submission leave{"lobby", Leave{1, {}}};
    start(rooms.let_go(leave, app::Who{"test"}));
    const auto joins = engine.replica().come_back();
    ASSERT_EQ(joins.size(), 1u);
    rooms.forget(ann);
    start([&]() -> net::awaitable<void> {
        const auto outcome = co_await engine.submit(joins[0]);
        engine.replica().is_back(joins[0], outcome);
    }());
    EXPECT_EQ(heard.back(), "Ann has left the room");
    EXPECT_TRUE(rooms.rooms().find("lobby")->people().empty());
}

TEST_F(InRooms, WhatHappenedBeforeTheirLifeIsNotTold) {
    app::story::mode = app::Log::text;
    testing::internal::CaptureStdout();
    const Submission red{"red", Join{1, "Ann"}}, blue{"blue", Join{1, "Ann"}};
    start(rooms.let_go(red, app::Who{"test"}));
    EXPECT_EQ(testing::internal::GetCapturedStdout().find("opens the room"), std::string::npos);
    testing::internal::CaptureStdout();
    start(rooms.live([] {}));
    start(rooms.let_go(blue, app::Who{"test"}));
    EXPECT_NE(testing::internal::GetCapturedStdout().find("opens the room blue"), std::string::npos);
    app::story::mode = app::Log::quiet;
    rooms.stop_living();
    loop.restart();
    loop.poll();
}

TEST_F(InRooms, WhoeverCannotBePutBackIsNotInTheRoomTheyWereOnTheWayTo) {
    Silent ann(1, writer());
    start(submit(ann, Join{1, "Ann"}));
    const auto join = start(submit(ann, Join{1, "Ann"}, "garden"));
    engine.replica().go_down("the other nodes hold this one for dead");
    const auto joins = engine.replica().come_back();
    ASSERT_EQ(joins.size(), 1u);
    engine.replica().is_back(joins[0], Refusal::name_taken);
    EXPECT_FALSE(ann.is_back);
    ASSERT_FALSE(join->is_there);
    engine.opened.notify();
    loop.restart();
    loop.poll();
    EXPECT_TRUE(join->is_there);
    EXPECT_EQ(rooms.rooms().find("garden"), nullptr) << "they were told that they are in no room";
    rooms.forget(ann);
}

TEST_F(InRooms, ThatTheRoomsWaitEverybodyIsToldOnce) {
    Silent ann(1, writer());
    start(submit(ann, Join{1, "Ann"}));
    engine.replica().waits("The rooms are out of reach");
    EXPECT_EQ(ann.times_told, 1);
    start(submit(ann, Say{1, "Hello?"}));
    EXPECT_EQ(ann.times_told, 1) << "they know it";
    Silent ben(2, writer());
    start(submit(ben, Join{2, "Ben"}));
    start(submit(ben, Say{2, "Hello?"}));
    EXPECT_EQ(ben.times_told, 1) << "they came later";
    engine.replica().goes_on("The rooms are back");
    EXPECT_EQ(ann.times_told, 2);
    engine.replica().waits("The rooms are out of reach");
    EXPECT_EQ(ann.times_told, 3);
    rooms.forget(ann);
    rooms.forget(ben);
}

TEST_F(InRooms, WhoeverWaitsForTheRoomsIsToldAtOnceThatTheyAreOut) {
    SessionLimits limits;
    limits.rate = 0;
    const auto session = std::make_shared<Session>(writer(), app::Who{"test", 1}, 1, "lobby", rooms, limits, nullptr);
    start(serve(session));
    auto& peer = peers.front();
    std::string read;
    const auto hear_up_to = [&](std::string_view last) {
        const auto end = std::chrono::steady_clock::now() + 20s;
        std::array<char, 4096> piece;
        while (read.find(last) == read.npos && std::chrono::steady_clock::now() < end) {
            loop.restart();
            loop.run_one_for(10ms);
            boost::system::error_code none;
            if (peer.available() > 0) read.append(piece.data(), peer.read_some(boost::asio::buffer(piece), none));
        }
        return read.find(last) != read.npos;
    };
    boost::asio::write(peer, boost::asio::buffer(std::string("Ann\n")));
    ASSERT_TRUE(hear_up_to("lobby as Ann"));
    boost::asio::write(peer, boost::asio::buffer(std::string("/join garden\nHello!\n")));
    loop.restart();
    loop.run_for(50ms);
    engine.replica().go_down("You are out: what you type waits.");
    EXPECT_TRUE(hear_up_to("You are out: what you type waits.")) << read;
    read.clear();
    const auto joins = engine.replica().come_back();
    ASSERT_EQ(joins.size(), 1u);
    engine.replica().is_back(joins[0], Line{1, Line::Kind::joined, 1, "Ann", ""});
    EXPECT_TRUE(hear_up_to("lobby as Ann"));
    EXPECT_EQ(read.find("You are out"), read.npos) << "they were told twice";
    engine.opened.notify();
    EXPECT_TRUE(hear_up_to("begun anew meanwhile")) << read;
    peer.close();
    loop.restart();
    loop.run_for(20s);
}
