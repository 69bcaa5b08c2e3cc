// What a room's log keeps for those who read slowly, on real sockets.

#include "05_chat/fanout/writer.hpp"
#include "chat/connected.hpp"

#include <gtest/gtest.h>
#include <boost/asio.hpp>

namespace {

using namespace chat;
namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t max_backlog = 1 << 20;
constexpr std::chrono::seconds deadline{20};  // far above what anything here takes

/// People who hear a room, each on a connection.
struct Writers : testing::Test {
    std::shared_ptr<Writer> comes(std::uint64_t owner, tcp::socket& peer) {
        auto writer = std::make_shared<Writer>(connected_to(loop, peer), owner, backlog);
        writer->start();
        subscribers.enter(*writer, "lobby");
        return writer;
    }
    /// The peer reads so many bytes; how many it has got.
    std::size_t read(tcp::socket& peer, std::size_t bytes) {
        std::string text(bytes, '\0');
        std::optional<std::size_t> size;
        asio::async_read(peer, asio::buffer(text), [&](boost::system::error_code, std::size_t read) { size = read; });
        const auto until = std::chrono::steady_clock::now() + deadline;
        while (!size && std::chrono::steady_clock::now() < until) loop.run_one_until(until);
        loop.poll();
        return size.value_or(0);
    }
    /// Whether the bytes that wait are so many that somebody is cut off, when so many more wait.
    bool is_too_much(std::size_t more) {
        std::string why_cut_off;
        Backlog::Part innocent(backlog, [&](std::string why) { why_cut_off = std::move(why); });
        innocent.count(more);
        innocent.is_behind();
        backlog.keep_bound();
        return !why_cut_off.empty();
    }

    asio::io_context loop{1};
    Backlog backlog{max_backlog, max_backlog};
    Subscribers subscribers{loop.get_executor(), backlog};
    const std::string lines = std::string(1000, 'x');
};

}  // namespace

TEST_F(Writers, WhatALogKeptIsFreeWhenTheSlowestHasCaughtUp) {
    tcp::socket peer(loop);
    const auto writer = comes(1, peer);
    constexpr std::size_t said = 500;
    for (std::size_t line = 0; line < said; ++line) subscribers.append("lobby", lines);
    loop.poll();
    ASSERT_GT(writer->backlog(), 300'000u);
    EXPECT_EQ(read(peer, said * lines.size()), said * lines.size());
    EXPECT_EQ(writer->backlog(), 0u);
    EXPECT_FALSE(is_too_much(max_backlog - 100'000));
    writer->cut_off("the test is over");
    loop.run_for(deadline);
}

TEST_F(Writers, ABurstThatEverybodyHasReadIsNotKept) {
    tcp::socket peer(loop);
    const auto writer = comes(1, peer);
    for (std::size_t line = 0; line < 100; ++line) subscribers.append("lobby", lines);
    EXPECT_TRUE(is_too_much(max_backlog - 10'000));
    EXPECT_EQ(read(peer, 100 * lines.size()), 100 * lines.size());
    EXPECT_FALSE(is_too_much(max_backlog - 10'000));
    writer->cut_off("the test is over");
    loop.run_for(deadline);
}

TEST_F(Writers, WhatALogKeptForWhoeverLeavesIsNotCountedTwice) {
    tcp::socket slow(loop), other(loop);
    const auto leaver = comes(1, slow);
    const auto stayer = comes(2, other);
    for (std::size_t line = 0; line < 500; ++line) subscribers.append("lobby", lines);
    loop.poll();
    EXPECT_EQ(read(other, 500 * lines.size()), 500 * lines.size());
    ASSERT_GT(leaver->backlog(), 300'000u);
    subscribers.leave(*leaver, "lobby");
    EXPECT_FALSE(is_too_much(max_backlog - leaver->backlog() - 100'000));
    EXPECT_EQ(leaver->why_cut_off(), "");
    leaver->cut_off("the test is over");
    stayer->cut_off("the test is over");
    loop.run_for(deadline);
}

TEST_F(Writers, WhoeverHasMissedLinesIsCutOffAlsoWhenTheyGoToAnotherRoom) {
    tcp::socket peer(loop);
    const auto writer = comes(1, peer);
    while (writer->backlog() < max_backlog + 2 * SharedLog::chunk_size) subscribers.append("lobby", lines);
    ASSERT_EQ(writer->why_cut_off(), "") << "that comes a turn later";
    subscribers.enter(*writer, "garden");
    EXPECT_EQ(writer->why_cut_off(), "it reads too slowly");
    loop.run_for(deadline);
}
