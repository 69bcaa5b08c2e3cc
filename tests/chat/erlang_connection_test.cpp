#include "05_chat/erlang/dist/connection.hpp"

#include "05_chat/base/bytes.hpp"

#include <gtest/gtest.h>

using namespace erlang;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

const Clock::time_point start{1h};

std::string atom(std::string_view name) {
    std::string out;
    put_atom(out, name);
    return out;
}

// Two of our nodes and the wire between them.
struct TwoNodes : testing::Test {
    TwoNodes() { settle(); }

    // Passes bytes to and fro, `step` at a time, until neither has more to say.
    void settle() {
        for (bool more = true; more;) {
            more = pass(caller, called);
            more = pass(called, caller) || more;
        }
    }
    bool pass(Connection& from, Connection& to) {
        const std::string bytes = from.take_output(start);
        for (std::size_t i = 0; i < bytes.size(); i += step) to.receive(std::string_view(bytes).substr(i, step), start);
        for (Connection* one : {&from, &to}) {
            while (auto event = one->next_event()) {
                if (std::holds_alternative<NameGiven>(*event)) one->decide(Status::ok, start);
                (one == &caller ? heard_by_caller : heard_by_called).push_back(std::move(*event));
            }
        }
        return !bytes.empty();
    }
    // A frame as the called node would get it from a peer that does what it likes.
    void raw(std::string_view control, std::string_view message = {}) {
        std::string frame;
        chat::put(frame, static_cast<std::uint32_t>(2 + control.size() + message.size()));
        frame += "p\x83";
        frame += control;
        frame += message;
        called.receive(frame, start);
        settle();
    }
    template <class E>
    static std::vector<E> all(const std::vector<Event>& events) {
        std::vector<E> found;
        for (const Event& event : events) {
            if (const auto* one = std::get_if<E>(&event)) found.push_back(*one);
        }
        return found;
    }
    std::string why_closed() {
        const auto closed = all<Closed>(heard_by_called);
        return closed.size() == 1 ? closed[0].why : std::to_string(closed.size()) + " times closed";
    }

    std::size_t step = 1;
    ProcessTable north{{"north@host", 1, "secret"}};
    ProcessTable south{{"south@host", 2, "secret"}};
    Bounds bounds{.max_frame = 4096, .max_output = 8192, .max_monitors = 3};
    Connection caller{north, bounds, 11, start, "south@host"};
    Connection called{south, bounds, 22, start};
    std::vector<Event> heard_by_caller;
    std::vector<Event> heard_by_called;
    Pid me = north.spawn();
};

}  // namespace

TEST_F(TwoNodes, ConnectByteByByte) {
    EXPECT_TRUE(caller.is_up());
    EXPECT_TRUE(called.is_up());
    EXPECT_EQ(all<Up>(heard_by_called).at(0).node, "north@host");
    EXPECT_EQ(all<Up>(heard_by_caller).at(0).node, "south@host");
}

TEST_F(TwoNodes, MessagesReachNamesAndPidsThatExist) {
    const Pid room = south.spawn();
    south.register_name("chatroom", room);
    caller.send(me, "chatroom", atom("one"));
    caller.send(room, atom("two"));
    caller.send(me, "nobody", atom("lost"));
    caller.send(Pid{"south@host", 99, 0, 2}, atom("lost"));
    settle();
    const auto messages = all<Message>(heard_by_called);
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0].to, room);
    EXPECT_EQ(messages[0].term, atom("one"));
    EXPECT_EQ(messages[1].term, atom("two"));
    EXPECT_EQ(all<Ignored>(heard_by_called).size(), 2u);
}

TEST_F(TwoNodes, AMonitorTellsWhenAndWhy) {
    const Pid room = south.spawn();
    south.register_name("chatroom", room);
    const std::string by_name = north.make_reference();
    const std::string by_pid = north.make_reference();
    const std::string given_up = north.make_reference();
    caller.monitor(me, "chatroom", by_name);
    caller.monitor(me, room, by_pid);
    caller.monitor(me, room, given_up);
    caller.demonitor(me, room, given_up);
    settle();
    EXPECT_TRUE(all<Down>(heard_by_caller).empty());
    south.exit(room);
    called.exited(room, atom("shutdown"));
    settle();
    const auto downs = all<Down>(heard_by_caller);
    ASSERT_EQ(downs.size(), 2u);
    EXPECT_TRUE((downs[0].reference == by_name && downs[1].reference == by_pid) ||
                (downs[0].reference == by_pid && downs[1].reference == by_name));
    EXPECT_EQ(downs[0].reason, atom("shutdown"));
}

TEST_F(TwoNodes, AMonitorOnNothingAnswersNoproc) {
    caller.monitor(me, "nobody", north.make_reference());
    caller.monitor(me, Pid{"south@host", 99, 0, 2}, north.make_reference());
    settle();
    const auto downs = all<Down>(heard_by_caller);
    ASSERT_EQ(downs.size(), 2u);
    EXPECT_EQ(downs[0].reason, atom("noproc"));
    EXPECT_EQ(downs[1].reason, atom("noproc"));
}

TEST_F(TwoNodes, TicksWhenIdleAndGivesUpOnSilence) {
    EXPECT_EQ(called.deadline(), start + 15s);
    called.time(start + 14s);
    EXPECT_EQ(called.take_output(start + 14s), "");
    called.time(start + 15s);
    EXPECT_EQ(called.take_output(start + 15s), "\0\0\0\0"s);
    EXPECT_EQ(called.deadline(), start + 30s);
    called.receive("\0\0\0\0"s, start + 50s);  // its tick
    called.time(start + 109s);
    EXPECT_FALSE(called.is_closed());
    called.time(start + 110s);
    settle();
    EXPECT_EQ(why_closed(), "it has been silent for too long");
}

TEST_F(TwoNodes, ASlowHandshakeEnds) {
    Connection slow(south, bounds, 22, start);
    slow.receive("\0"s, start + 4s);
    EXPECT_EQ(slow.deadline(), start + 5s);
    slow.time(start + 5s);
    EXPECT_TRUE(slow.is_closed());
}

TEST_F(TwoNodes, APeerThatDoesNotReadCostsItsBound) {
    const std::string text(1000, 'x');
    std::string term;
    put_binary(term, text);
    for (int i = 0; i < 100; ++i) called.send(me, term);
    EXPECT_LE(called.output_size(), bounds.max_output);
    settle();
    EXPECT_EQ(why_closed(), "it does not read");
}

TEST_F(TwoNodes, NobodySpeaksForAnothersProcess) {
    south.register_name("chatroom", south.spawn());
    const Pid stranger{"west@host", 1, 0, 1};
    caller.send(stranger, "chatroom", atom("x"));
    caller.monitor(stranger, "chatroom", north.make_reference());
    settle();
    EXPECT_TRUE(all<Message>(heard_by_called).empty());
    ASSERT_EQ(all<Ignored>(heard_by_called).size(), 2u);
    EXPECT_EQ(all<Ignored>(heard_by_called)[0].what, "a message in the name of a process of west@host");
}

TEST_F(TwoNodes, HostileFramesEndTheConnectionWithAReason) {
    const std::vector<std::pair<std::string, std::string>> hostile{
        {"\xff\xff\xff\xff", "a frame of 4294967295 bytes, over the limit of 4096"},
        {"\0\0\0\x01x"s, "an ill-formed frame"},
        {"\0\0\0\x02p\x83"s, "an ill-formed frame"},
        {"\0\0\0\x05p\x83\x68\x01\x61"s, "an ill-formed frame"},
        {"\0\0\0\x06p\x83\x68\x01\x77\0"s, "an ill-formed frame"},
    };
    for (const auto& [bytes, why] : hostile) {
        Connection one(north, bounds, 11, start, "south@host");
        Connection two(south, bounds, 22, start);
        std::string last;
        for (int i = 0; i < 4; ++i) {
            two.receive(one.take_output(start), start);
            while (auto event = two.next_event()) {
                if (std::holds_alternative<NameGiven>(*event)) two.decide(Status::ok, start);
            }
            one.receive(two.take_output(start), start);
        }
        ASSERT_TRUE(two.is_up());
        two.receive(bytes, start);
        while (auto event = two.next_event()) {
            if (const auto* closed = std::get_if<Closed>(&*event)) last = closed->why;
        }
        EXPECT_EQ(last, why);
    }
}

TEST_F(TwoNodes, MonitorsAreBounded) {
    south.register_name("chatroom", south.spawn());
    for (int i = 0; i < 4; ++i) caller.monitor(me, "chatroom", north.make_reference());
    settle();
    EXPECT_EQ(why_closed(), "it monitors too much");
}

TEST_F(TwoNodes, AMonitorsReferenceIsBoundedToo) {
    south.register_name("chatroom", south.spawn());
    const auto reference = [](std::uint16_t words) {
        std::string term = "\x5a";
        chat::put(term, words);
        put_atom(term, "north@host");
        return term + std::string(4 + 4 * std::size_t{words}, 'x');
    };
    caller.monitor(me, "chatroom", reference(5));
    settle();
    EXPECT_TRUE(called.is_up());
    caller.monitor(me, "chatroom", reference(6));
    settle();
    EXPECT_EQ(why_closed(), "an ill-formed frame");
}

TEST_F(TwoNodes, AFloodBeforeTheHandshakeIsDoneEnds) {
    Connection flooded(south, bounds, 22, start);
    Connection other(north, bounds, 11, start, "south@host");
    flooded.receive(other.take_output(start) + std::string(5000, '\0'), start);
    EXPECT_TRUE(flooded.is_closed());
    Connection liar(south, bounds, 22, start);
    liar.receive("\xff\xff", start);
    EXPECT_TRUE(liar.is_closed());
}

TEST_F(TwoNodes, ALinkIsAnsweredWhenItsProcessEndsOrIsNotThere) {
    const Pid room = south.spawn();
    std::string link;
    put_tuple(link, 3);
    put_integer(link, 1);
    put_pid(link, me);
    std::string dead = link;
    put_pid(link, room);
    put_pid(dead, Pid{"south@host", 99, 0, 2});
    raw(link);
    EXPECT_TRUE(all<ExitSignal>(heard_by_caller).empty());
    raw(dead);
    called.exited(room, atom("killed"));
    settle();
    const auto signals = all<ExitSignal>(heard_by_caller);
    ASSERT_EQ(signals.size(), 2u);
    EXPECT_EQ(signals[0].reason, atom("noproc"));
    EXPECT_EQ(signals[1].from, room);
    EXPECT_EQ(signals[1].reason, atom("killed"));
}

TEST_F(TwoNodes, AnUnknownOperationIsIgnored) {
    std::string control;
    put_tuple(control, 2);
    put_integer(control, 99);
    put_atom(control, "x");
    raw(control);
    ASSERT_EQ(all<Ignored>(heard_by_called).size(), 1u);
    EXPECT_EQ(all<Ignored>(heard_by_called)[0].what, "a control message 99");
    EXPECT_TRUE(called.is_up());
}
