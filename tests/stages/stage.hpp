#pragma once

#include "support/client.hpp"
#include "support/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

/// What the tests of the stages share. Each test drives a real server from outside, as a client would.
namespace stages {

using support::Client;
using support::exited;
using support::killed_by;
using support::patience;
using testing::HasSubstr;
using testing::StartsWith;
using namespace std::chrono_literals;
using namespace std::string_literals;

inline const std::string naive = "01_naive";
inline const std::string thread_per_client = "02_thread_per_client";
inline const std::string acceptor_pool = "03_acceptor_pool";

/// Long enough that a server which wanted to say something would have said it.
inline constexpr auto a_while = 200ms;

/// A server that is expected to have no bug that a sanitizer finds.
class Server : public support::Server {
public:
    using support::Server::Server;
    ~Server() {
        EXPECT_THAT(errors(), Not(HasSubstr("Sanitizer")));
        EXPECT_THAT(errors(), Not(HasSubstr("runtime error:")));
    }
};

/// Tests that every one of the stages passes, each of them run for each stage.
class EveryStage : public testing::TestWithParam<std::string> {
protected:
    static const std::string& stage() { return GetParam(); }
    static bool serves_one_at_a_time() { return stage() == naive; }
};

/// Tests of what is gained by serving several clients at once.
class ConcurrentStage : public EveryStage {};

/// The end of a parameterised test's name: the stage.
inline std::string name_of(const testing::TestParamInfo<std::string>& stage) {
    return stage.param;
}

/// The same random bytes in every run: what fails once fails again.
inline std::string random_bytes(std::size_t size) {
    std::mt19937_64 random(size);
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    return bytes;
}

/// Sizes from 1 to `max`, small and large ones equally often, the same in every run.
inline std::function<std::size_t()> random_sizes(std::size_t max) {
    return [max, random = std::mt19937_64(max)]() mutable {
        const auto bits = std::uniform_int_distribution<unsigned>(0, 63)(random);
        return 1 + (random() >> bits) % max;
    };
}

/// A line of `size` times the letter x, with its ending after that.
inline std::string long_line(std::size_t size, const std::string& ending) {
    std::string line(size, 'x');
    line.append(ending);
    return line;
}

/// A packet behind a big-endian header of `header` bytes that holds its length.
inline std::string framed(std::size_t header, const std::string& packet) {
    std::string frame;
    for (std::size_t i = header; i-- > 0;) frame += static_cast<char>(packet.size() >> (8 * i));
    return frame + packet;
}

/// Clients that are connected all at once.
inline std::vector<std::unique_ptr<Client>> connect(std::uint16_t port, std::size_t number) {
    std::vector<std::unique_ptr<Client>> clients;
    while (clients.size() < number) clients.push_back(std::make_unique<Client>(port));
    return clients;
}

/// Fails the test where a line is not answered by the next stroke of this client's.
inline void expect_served(Client& client) {
    client.send("hello\r\n");
    EXPECT_EQ(client.recv_line(), "ECHO hello\r\n");
}
inline void expect_served(std::uint16_t port) {
    Client client(port);
    expect_served(client);
}

/// Sends lines and reads nothing, until the server stops taking them or `limit` bytes are sent. Returns what was sent.
inline std::string send_until_stuck(Client& client, std::size_t limit) {
    const std::string line = long_line(1000, "\r\n");
    std::string sent;
    std::string_view rest;
    while (sent.size() < limit && client.wait_until_it_takes_more(2 * a_while)) {
        if (rest.empty()) rest = line;
        const auto size = client.send_some(rest);
        sent += rest.substr(0, size);
        rest.remove_prefix(size);
    }
    return sent;
}

}  // namespace stages
