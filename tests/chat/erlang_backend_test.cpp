// ErlangBackend, and a node with a room whose every answer the test decides.

#include "05_chat/erlang/backend.hpp"
#include "unit/twins.hpp"

#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

using namespace erlang;
using namespace std::chrono_literals;
using testing::ElementsAre;

namespace {

namespace asio = boost::asio;

/// What the backend tells one person.
struct Told : chat::Participant {
    explicit Told(const net::Executor& executor) : Participant(1, nullptr), changed(executor) {}
    void tell(std::string_view line) override { add("hears " + std::string(line)); }
    void entered() override { add("is in"); }
    void room_down(std::string_view, bool) override { add("room is down"); }
    void removed(std::string_view why) override { add("is out: " + std::string(why)); }
    void rejoined(const chat::result<void, chat::Why>& outcome) override { add(outcome ? "is in again" : "is not"); }
    void add(std::string what) {
        all.push_back(std::move(what));
        changed.notify();
    }
    std::vector<std::string> all;
    chat::Notify changed;
};

class BackendAndNode : public testing::Test {
protected:
    BackendAndNode() { south.register_name("chatroom", room); }

    /// The node: takes one connection after the other. What it answers to a Join goes out in one piece.
    net::awaitable<void> node() {
        for (;;) {
            auto socket = co_await acceptor.async_accept(net::outcome);
            if (std::get<0>(socket)) co_return;
            co_await serve(std::get<1>(std::move(socket)));
        }
    }
    net::awaitable<void> serve(net::tcp::socket socket) {
        Connection connection(south, {}, 22, Clock::now());
        for (;;) {
            std::array<char, 4096> bytes;
            const auto [ended, size] = co_await socket.async_read_some(asio::buffer(bytes), net::outcome);
            if (ended) co_return;
            connection.receive({bytes.data(), size}, Clock::now());
            std::string last;
            while (auto event = connection.next_event()) {
                if (std::holds_alternative<NameGiven>(*event)) connection.decide(Status::ok, Clock::now());
                if (const auto* message = std::get_if<Message>(&*event)) {
                    TermReader in(message->term);
                    in.tuple(3);
                    last += on_join(connection, *in.pid());
                }
            }
            const std::string answer = connection.take_output(Clock::now()) + last;
            co_await asio::async_write(socket, asio::buffer(answer), net::outcome);
        }
    }
    void let_in(Connection& connection, const Pid& pid) { connection.monitor(room, pid, south.make_reference()); }

    /// What somebody at our door does, while that node is there.
    void run(net::awaitable<void> story) {
        const auto all_of_it = [this](net::awaitable<void> what) -> net::awaitable<void> {
            EXPECT_TRUE(co_await backend.open());
            co_await std::move(what);
            backend.stop();
            acceptor.close();
        };
        asio::co_spawn(loop, node(), [](const std::exception_ptr& crash) { EXPECT_FALSE(crash); });
        twins::run(loop, all_of_it(std::move(story)));
    }
    net::awaitable<std::string> join() {
        const chat::Submission submission{"chatroom", chat::Join{person.id, "Ann"}};
        const auto joined = co_await backend.submit(person, submission);
        co_return joined ? "" : joined.error().words;
    }

    asio::io_context loop;
    net::tcp::acceptor acceptor{loop, {asio::ip::address_v4::loopback(), 0}};
    ProcessTable south{{"south@localhost", 2, "secret"}};
    Pid room = south.spawn();
    /// Returns frames that are sent after the connection's own.
    std::function<std::string(Connection&, const Pid&)> on_join;
    chat::Backlog backlog{1 << 20, 1 << 20};
    ErlangBackend backend{loop, backlog,
                          ErlangBackend::Settings{{"chatroom", "south@localhost", acceptor.local_endpoint().port()},
                                                  {"north@localhost", 1, "secret"},
                                                  {},
                                                  true,
                                                  4000}};
    Told person{loop.get_executor()};
};

TEST_F(BackendAndNode, WhoeverIsThrownOutAtOnceHasBeenIn) {
    on_join = [this](Connection& connection, const Pid& pid) {
        let_in(connection, pid);
        std::string out, reason;
        put_atom(reason, "kill");
        put_exit(out, room, pid, reason);
        return out;
    };
    const auto story = [this]() -> net::awaitable<void> { EXPECT_EQ(co_await join(), ""); };
    run(story());
    EXPECT_THAT(person.all, ElementsAre("is in", "is out: it says kill"));
}

TEST_F(BackendAndNode, WhoeverWasInForAMomentIsPutBackWhenTheRoomIs) {
    on_join = [this](Connection& connection, const Pid& pid) {
        let_in(connection, pid);
        if (person.all.empty()) {
            south.exit(room);
            std::string reason;
            put_atom(reason, "shutdown");
            connection.exited(room, reason);
            room = south.spawn();
            south.register_name("chatroom", room);
        }
        return std::string();
    };
    const auto story = [this]() -> net::awaitable<void> {
        EXPECT_EQ(co_await join(), chat::room_is_down);
        const chat::Deadline deadline(loop.get_executor(), 10s, [this] { person.add("waits in vain"); });
        while (person.all.size() < 3) co_await person.changed.notified();
    };
    run(story());
    EXPECT_THAT(person.all, ElementsAre("is in", "room is down", "is in again"));
}

TEST_F(BackendAndNode, WhoeverGoesDuringTheirJoinIsRefusedWithAReason) {
    on_join = [this](Connection&, const Pid&) {
        asio::post(loop, [this] { backend.forget(person); });
        return std::string();
    };
    const auto story = [this]() -> net::awaitable<void> { EXPECT_EQ(co_await join(), "you have gone"); };
    run(story());
    EXPECT_THAT(person.all, ElementsAre());
}

}  // namespace
