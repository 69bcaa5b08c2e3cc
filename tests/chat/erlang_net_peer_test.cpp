// A Peer on a real socket, and at its other end a node whose every byte the test has in its hand.

#include "05_chat/base/bytes.hpp"
#include "05_chat/erlang/dist/peer.hpp"
#include "unit/twins.hpp"

#include <gmock/gmock.h>

#include <array>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace erlang;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t max_waiting = 64 * 1024;

class NetPeer : public twins::Meeting<twins::Awaiting> {
protected:
    NetPeer() {
        net::SocketOptions raw;
        raw.packet = net::Packet::raw;
        meet(raw);
        Connection connection(south, Bounds{.max_output = 1 << 20}, 22, Clock::now());
        peer = std::make_shared<Peer>(std::move(*socket), std::move(connection), backlog,
                                      [this](Event& event) { return handle(event); });
    }
    net::awaitable<Clock::duration> handle(Event& event) {
        if (std::holds_alternative<NameGiven>(event)) peer->connection().decide(Status::ok, Clock::now());
        if (const auto* closed = std::get_if<Closed>(&event)) why_closed.push_back(closed->why);
        on_event(event);
        co_return Clock::duration();
    }
    /// Passes bytes to and fro until the other end knows us; from then on it reads nothing more.
    net::awaitable<void> shake_hands() {
        while (!far.is_up()) {
            co_await send(far.take_output(Clock::now()));
            std::array<char, 512> bytes;
            const auto [ended, size] = co_await client.async_read_some(twins::asio::buffer(bytes), net::outcome);
            if (ended) co_return;
            far.receive({bytes.data(), size}, Clock::now());
        }
    }
    net::awaitable<void> send(std::string bytes) {
        co_await twins::asio::async_write(client, twins::asio::buffer(bytes), net::outcome);
    }
    /// The peer's life, and meanwhile this.
    void run(net::awaitable<void> meanwhile) {
        twins::asio::co_spawn(loop, std::move(meanwhile), [](const std::exception_ptr& crash) { EXPECT_FALSE(crash); });
        twins::run(loop, peer->run());
    }

    chat::Backlog backlog{1 << 20, max_waiting};
    ProcessTable north{{"north@host", 1, "secret"}};
    ProcessTable south{{"south@host", 2, "secret"}};
    Connection far{north, {}, 11, Clock::now(), "south@host"};
    Pid me = north.spawn();
    std::shared_ptr<Peer> peer;
    std::function<void(const Event&)> on_event = [](const Event&) {};
    std::vector<std::string> why_closed;
};

/// What Node.ping asks. It is answered without an event.
std::string ping(const Pid& from) {
    std::string question;
    put_tuple(question, 3);
    put_atom(question, "$gen_call");
    put_tuple(question, 2);
    put_pid(question, from);
    put_atom(question, std::string(200, 't'));
    put_tuple(question, 2);
    put_atom(question, "is_auth");
    put_atom(question, from.node);
    return question;
}

TEST_F(NetPeer, ThatItWasCutOffForWhatAllCostIsTheLastEvent) {
    const auto pings_and_reads_nothing = [this]() -> net::awaitable<void> {
        co_await shake_hands();
        for (int batch = 0; batch < 10'000 && !peer->connection().is_closed(); ++batch) {
            for (int one = 0; one < 20; ++one) far.send(me, "net_kernel", ping(me));
            co_await send(far.take_output(Clock::now()));
        }
    };
    run(pings_and_reads_nothing());
    EXPECT_THAT(why_closed, testing::ElementsAre("too much waits for those who do not read"));
}

TEST_F(NetPeer, WhatAHandlerThrowsEndsTheConnection) {
    on_event = [](const Event& event) {
        if (std::holds_alternative<Up>(event)) throw std::runtime_error("oops");
    };
    EXPECT_THROW(run(shake_hands()), std::runtime_error);
    EXPECT_THAT(why_closed, testing::ElementsAre("a crash"));
}

TEST_F(NetPeer, WhatOnDrainedThrowsEndsTheConnection) {
    peer->on_drained = [this] {
        if (peer->connection().is_up()) throw std::runtime_error("oops");
    };
    EXPECT_THROW(run(shake_hands()), std::runtime_error);
    EXPECT_THAT(why_closed, testing::ElementsAre("a crash"));
}

TEST_F(NetPeer, ThatOnDrainedClosesTheConnectionIsNoticedAtOnce) {
    const auto begin = Clock::now();
    peer->on_drained = [this] {
        if (!peer->connection().is_up()) return;
        std::string term;
        put_binary(term, std::string(2 << 20, 'x'));
        peer->connection().send(me, term);
    };
    run(shake_hands());
    EXPECT_THAT(why_closed, testing::ElementsAre("it does not read"));
    EXPECT_LT(Clock::now() - begin, Bounds().handshake);
}

}  // namespace
