#include "limits/limits.hpp"

#include "support/deadline.hpp"
#include "support/etcd.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace limits {

namespace {

using namespace std::chrono_literals;

/// How long something must not come before we say that it does not. Only a wrong server is ever given the benefit of
/// it, where it is slow as well; a right one is waited for with support::patience().
std::chrono::milliseconds long_enough_to_say_no() {
    return std::chrono::duration_cast<std::chrono::milliseconds>(500ms * support::time_factor());
}

struct Cell {
    const Property* property;
    std::size_t server;
};

class Limits : public testing::TestWithParam<Cell> {};

std::vector<Cell> cells() {
    std::vector<Cell> all;
    for (const auto& property : properties()) {
        for (std::size_t server = 0; server < servers.size(); ++server) {
            if (property.expected[server] != Answer::not_asked) all.push_back({&property, server});
        }
    }
    return all;
}

std::string name_of(const testing::TestParamInfo<Cell>& cell) {
    return cell.param.property->name + "At" + servers[cell.param.server].test;
}

void PrintTo(const Cell& cell, std::ostream* out) {
    *out << servers[cell.server].title << ": " << cell.property->text;
}

TEST_P(Limits, Show) {
    const auto& [property, number] = GetParam();
    const auto& server = servers[number];
    if (support::sanitized && !property->under_sanitizers) GTEST_SKIP() << "a sanitizer has its own needs of memory";
    if (server.is_over_etcd && !LIMITS_OVER_ETCD) GTEST_SKIP() << "the chat is built without etcd's engine";
    if (server.is_over_etcd && !support::Etcd::is_there()) GTEST_SKIP() << "there is no etcd (Debian: etcd-server)";
    const bool expected = property->expected[number] == Answer::yes;
    try {
        EXPECT_EQ(property->holds({server, expected ? support::patience() : long_enough_to_say_no()}), expected);
    } catch (const NotAsked& not_asked) {
        FAIL() << not_asked.why;
    }
}
INSTANTIATE_TEST_SUITE_P(All, Limits, testing::ValuesIn(cells()), name_of);

TEST(LimitsMatrix, AServerThatIsNotThereHasNotAnsweredNo) {
    constexpr Server nobody{"no_such_program", "", ""};
    for (const auto& property : properties()) {
        EXPECT_THROW(property.holds({nobody, long_enough_to_say_no()}), NotAsked) << property.name;
    }
}

TEST(LimitsDocument, IsWhatTheStagesHaveAnswered) {
    const std::string path = LIMITS_DOCUMENT;
    if (std::getenv("FIVE_UPDATE") != nullptr) std::ofstream(path) << document();
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    EXPECT_EQ(text, document()) << "docs/limits.md is stale; write it anew with: FIVE_UPDATE=1 build/tests/test_limits "
                                   "--gtest_filter=LimitsDocument.*";
}

}  // namespace

}  // namespace limits
