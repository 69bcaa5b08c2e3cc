// The sticks are servers too: what they leave out of the contract must not be what makes them fast.
#include "bench/stick.hpp"
#include "bench/load.hpp"
#include "bench/poller.hpp"
#include "bench/process.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

using namespace bench;
using namespace std::chrono_literals;

namespace {

class Stick : public testing::TestWithParam<std::string> {
protected:
    Server start(bool lines) { return Server({GetParam(), "--port", "0", "--packet", lines ? "line" : "raw"}, {}); }
    std::size_t clients() const { return GetParam() == RAW_BLOCKING ? 1 : 20; }
};

// What the server answers to `bytes` and a half-close, until it closes.
std::string conversation(const Server& server, std::string_view bytes) {
    const Fd socket = connect_to(server.port(), 0);
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    shutdown(socket.get(), SHUT_WR);
    std::string answer;
    char got[4096];
    for (ssize_t size; (size = recv(socket.get(), got, sizeof got, 0)) > 0;) {
        answer.append(got, static_cast<std::size_t>(size));
    }
    return answer;
}

}  // namespace

TEST_P(Stick, EchoesMessagesOfAnySizeAndDepth) {
    for (const bool lines : {false, true}) {
        const Server server = start(lines);
        for (const auto& [size, depth] : {std::pair{10, 1}, {64, 16}, {16, 256}, {16384, 4}, {60000, 16}}) {
            Plan plan;
            plan.port = server.port();
            plan.lines = lines;
            plan.connections = clients();
            plan.size = static_cast<std::size_t>(size);
            plan.depth = static_cast<std::size_t>(depth);
            plan.warm_up = 0ms;
            plan.measured = 50ms;
            EXPECT_NO_THROW(run(plan, {})) << size << " x " << depth;
        }
    }
}

TEST_P(Stick, LinesEndAsTheyCameAndTheLastMayBeUnfinished) {
    const Server server = start(true);
    EXPECT_EQ(conversation(server, "a\r\nb\n\nc"), "ECHO a\r\nECHO b\nECHO \nECHO c");
    EXPECT_EQ(conversation(server, ""), "");
}

TEST_P(Stick, ALineWithoutEndIsRefusedAndTheServerLives) {
    const Server server = start(true);
    Plan plan;
    plan.port = server.port();
    plan.size = 2 * stick::max_line;
    EXPECT_THROW(run(plan, {}), WrongAnswer);
    EXPECT_EQ(conversation(server, "still here\n"), "ECHO still here\n");
}

INSTANTIATE_TEST_SUITE_P(All, Stick, testing::Values(RAW_EPOLL, RAW_THREADS, RAW_BLOCKING),
                         [](const auto& info) { return info.param.substr(info.param.rfind('/') + 1); });
