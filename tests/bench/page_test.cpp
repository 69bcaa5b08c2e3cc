// From figures to verdicts, pictures and the page: all of it without measuring anything.
#include "bench/page.hpp"
#include "bench/cases.hpp"
#include "bench/plot.hpp"
#include "bench/targets.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

using namespace bench;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

namespace {

// Figures as --json writes them: 03 costs 1.5 times what its stick does, and 04 has failed.
constexpr const char* figures = R"({
  "date": "2026-01-02T03:04:05Z", "processor": "a test", "kernel": "6.1", "compiler": "12", "shared": "", "quick": false,
  "peers": {"Elixir": "Elixir 1.0"},
  "cases": [
    {"group": "lines", "label": "c100 64B d1", "connections": 100, "size": 64, "depth": 1, "servers": [
      {"name": "raw_epoll", "rounds": [
        {"messages": 1000, "faults": 0, "seconds": 1, "server_cpu": 0.002, "load_cpu": 1, "median_us": 10, "p99_us": 20,
         "bytes_per_connection": 0, "bytes_grown": 0},
        {"messages": 1000, "faults": 0, "seconds": 1, "server_cpu": 0.004, "load_cpu": 1, "median_us": 10, "p99_us": 20,
         "bytes_per_connection": 0, "bytes_grown": 0}]},
      {"name": "03_acceptor_pool", "rounds": [
        {"messages": 1000, "faults": 0, "seconds": 1, "server_cpu": 0.003, "load_cpu": 1, "median_us": 10, "p99_us": 20,
         "bytes_per_connection": 0, "bytes_grown": 0},
        {"messages": 1000, "faults": 0, "seconds": 1, "server_cpu": 0.006, "load_cpu": 1, "median_us": 10, "p99_us": 20,
         "bytes_per_connection": 0, "bytes_grown": 0}]},
      {"name": "Elixir", "rounds": [
        {"messages": 1000, "faults": 0, "seconds": 1, "server_cpu": 0.012, "load_cpu": 1, "median_us": 10, "p99_us": 20,
         "bytes_per_connection": 0, "bytes_grown": 0}]},
      {"name": "04_supervised", "rounds": [], "failure": "connection 3: the server closed"}]},
    {"group": "lines", "label": "c1000 64B d1", "connections": 1000, "size": 64, "depth": 1, "servers": [
      {"name": "03_acceptor_pool", "rounds": [
        {"messages": 1000, "faults": 0, "seconds": 1, "server_cpu": 0.0045, "load_cpu": 1, "median_us": 10, "p99_us": 200,
         "bytes_per_connection": 0, "bytes_grown": 0}]}]},
    {"group": "idle", "label": "c10000 64B", "connections": 10000, "size": 64, "depth": 1, "servers": [
      {"name": "03_acceptor_pool", "rounds": [
        {"messages": 10000, "faults": 0, "seconds": 0, "server_cpu": 0, "load_cpu": 0, "median_us": 0, "p99_us": 0,
         "bytes_per_connection": 1900, "bytes_grown": 0}]}]},
    {"group": "etcd", "label": "e1 n1 m20 w1", "connections": 20, "size": 61, "depth": 1, "servers": [
      {"name": "raw_etcd", "rounds": [
        {"messages": 24000, "faults": 0, "seconds": 2, "server_cpu": 0.4, "load_cpu": 1, "median_us": 1000,
         "p99_us": 2000, "bytes_per_connection": 0, "bytes_grown": 0}]},
      {"name": "05_chat on etcd", "rounds": [
        {"messages": 22000, "faults": 0, "seconds": 2, "server_cpu": 0.5, "load_cpu": 1, "median_us": 1500,
         "p99_us": 16000, "bytes_per_connection": 0, "bytes_grown": 0}]}]},
    {"group": "etcd-leader", "label": "e3 n1 m20 w1, leader killed", "connections": 20, "size": 61, "depth": 1, "servers": [
      {"name": "05_chat on etcd", "rounds": [
        {"messages": 10, "faults": 0, "seconds": 3, "server_cpu": 0.1, "load_cpu": 1, "median_us": 1, "p99_us": 1,
         "bytes_per_connection": 0, "bytes_grown": 0, "silence": 1.75},
        {"messages": 10, "faults": 0, "seconds": 5, "server_cpu": 0.1, "load_cpu": 1, "median_us": 1, "p99_us": 1,
         "bytes_per_connection": 0, "bytes_grown": 0, "silence": 1.25},
        {"messages": 10, "faults": 0, "seconds": 5, "server_cpu": 0.1, "load_cpu": 1, "median_us": 1, "p99_us": 1,
         "bytes_per_connection": 0, "bytes_grown": 0, "silence": 3.5}]}]},
    {"group": "etcd-newcomer", "label": "200000 lines said", "connections": 200, "size": 61, "depth": 16, "servers": [
      {"name": "05_chat on etcd", "rounds": [
        {"messages": 200000, "faults": 0, "seconds": 0.5, "server_cpu": 0.25, "load_cpu": 0, "median_us": 0, "p99_us": 0,
         "bytes_per_connection": 0, "bytes_grown": 0}]}]}
  ]})";

Results results() {
    return from_json(boost::json::parse(figures));
}

const Target& target(const std::string& stage, const std::string& label, double limit) {
    static const auto all = all_targets();
    return *std::find_if(all.begin(), all.end(), [&](const Target& one) {
        return one.stage == stage && one.label == label && one.limit == limit;
    });
}

}  // namespace

TEST(Results, SurviveTheWayThroughJson) {
    const auto there = to_json(results());
    EXPECT_EQ(to_json(from_json(there)), there);
    const Results back = from_json(there);
    EXPECT_EQ(back.about.at("processor"), "a test");
    ASSERT_EQ(back.cases.size(), 6u);
    ASSERT_EQ(back.cases[0].servers.size(), 4u);
    EXPECT_EQ(back.cases[0].servers[0].rounds[1].messages, 1000u);
    EXPECT_DOUBLE_EQ(back.cases[0].servers[0].rounds[1].server_cpu, 0.004);
    EXPECT_EQ(back.cases[0].servers[3].failure, "connection 3: the server closed");
    EXPECT_ANY_THROW(from_json(boost::json::parse("{}")));
}

TEST(Targets, AreMetOrMissedRoundByRound) {
    const Target& lines = target("03", "c100 64B d1", 1.05);
    const auto cost = outcome(lines, results());
    ASSERT_TRUE(cost);
    EXPECT_DOUBLE_EQ(cost->median, 1.5);
    EXPECT_DOUBLE_EQ(cost->high, 1.5);  // the machine became twice as slow between the rounds: no matter
    EXPECT_EQ(verdict(lines, *cost), "missed");
    EXPECT_EQ(verdict(lines, {1.07, 1.01, 1.2}), could_not_tell);
    EXPECT_EQ(verdict(lines, {1.06, 1.04, 1.08}), "missed");
    EXPECT_EQ(verdict(lines, {1.03, 1.01, 1.05}), "met");
    const Target& memory = target("03", "c10000 64B", 1900);
    const auto idle = outcome(memory, results());
    ASSERT_TRUE(idle);
    EXPECT_EQ(verdict(memory, *idle), "met");
}

TEST(Targets, WhatFailedOrWasNotMeasuredHasNoOutcome) {
    EXPECT_FALSE(outcome(target("04", "c100 64B d1", 1.02), results()));
    EXPECT_FALSE(outcome(target("05", "m10 s1 w1", 1.05), results()));
}

TEST(Page, SaysWhatWasMeasuredAndNothingElse) {
    const Page page = page_of(results());
    EXPECT_THAT(page.markdown, HasSubstr("2026-01-02T03:04:05Z"));
    EXPECT_THAT(page.markdown, HasSubstr("| 03 | lines c100 64B d1 | 03_acceptor_pool | CPU at most 1.05 × raw_epoll | "
                                         "1.50 (1.50–1.50) | **missed** |"));
    EXPECT_THAT(page.markdown, HasSubstr("03_acceptor_pool | at most 1900 B for each client | 1900 B | met |"));
    EXPECT_THAT(page.markdown, HasSubstr("| 04_supervised | failed: connection 3: the server closed |"));
    EXPECT_THAT(page.markdown,
                HasSubstr("| 05 | etcd e1 n1 m20 w1 | 05_chat on etcd | 10000 a second at least | 11000 | met |"));
    EXPECT_THAT(page.markdown, HasSubstr("| half of them within 3 ms | 1.50 ms | met |"));
    EXPECT_THAT(page.markdown, HasSubstr("| 99 of 100 within 15 ms | 16.00 ms | **missed** |"));
    EXPECT_THAT(page.markdown, HasSubstr("| CPU at most 1.30 × raw_etcd | 1.36 (1.36–1.36) | **missed** |"));
    EXPECT_THAT(page.markdown, HasSubstr("| 05_chat on etcd | 1.75 | 3.50 | 3 |"));
    EXPECT_THAT(page.markdown, HasSubstr("| 05_chat on etcd | 0.500 | 400000 | 0.250 |"));
    EXPECT_THAT(page.markdown, HasSubstr("| 03_acceptor_pool | 100: 4.50, 1000: 4.50 | 0.00 | hardly changes |"));
    EXPECT_THAT(page.markdown, HasSubstr("| 03_acceptor_pool | 100: 20, 1000: 200 | 1.00 | grows in proportion |"));
    EXPECT_THAT(page.markdown, HasSubstr("not measured"));
    EXPECT_EQ(page.untold, 0u);
    EXPECT_THAT(page.markdown, HasSubstr("| Elixir | Elixir 1.0 |  | 4.00 (4.00–4.00) |  |  |  |\n"));
    EXPECT_THAT(page.markdown, HasSubstr("| CPU at most 0.40 × Elixir | 0.25 (0.25–0.25) | met |"));
    for (const auto& [name, svg] : page.pictures) {
        EXPECT_THAT(page.markdown, HasSubstr("](bench/" + name + ")"));
        EXPECT_THAT(svg, testing::StartsWith("<svg"));
        EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
        EXPECT_THAT(svg, Not(HasSubstr("nan"))) << name;
        EXPECT_THAT(svg, Not(HasSubstr("inf"))) << name;
    }
    EXPECT_TRUE(page.pictures.contains("clients.svg"));
    EXPECT_THAT(page.pictures.at("idle.svg"), HasSubstr(">1900 B<"));
}

TEST(Page, SaysHowCostGrows) {
    Results grown = results();
    const auto add = [&](const char* label, std::size_t connections, const char* server, double cpu, double bytes) {
        Report report;
        report.messages = 1000;
        report.seconds = 1;
        report.server_cpu = cpu / 1000;
        report.p99_us = 1000 * cpu;
        report.bytes_per_connection = bytes;
        grown.cases.push_back({"growth", label, connections, 64, 1, {{server, {report}, {}}}});
    };
    EXPECT_THAT(page_of(grown).markdown, Not(HasSubstr("| rooms: ")));
    EXPECT_THAT(page_of(grown).markdown, Not(HasSubstr("| clients: bytes")));  // an older bench did not weigh them
    add("c19000 64B d1", 19000, "03_acceptor_pool", 4.5, 1900);
    grown.cases.back().servers.insert(grown.cases.back().servers.begin(), grown.cases[0].servers[0]);  // its stick
    add("m1000 s10 w1 r10", 1000, "05_chat", 3, 5000);
    add("m1000 s100 w1 r100", 1000, "05_chat", 6, 5000);
    add("e1 n1 m40 w1", 40, "05_chat on etcd", 10, 0);
    add("e1 n8 m40 w1", 40, "05_chat on etcd", 80, 0);
    add("c100 64B d1, threads", 100, "03_acceptor_pool", 5, 0);
    grown.cases.back().servers.push_back(grown.cases.back().servers[0]);
    grown.cases.back().servers[1].name = "03 --threads 2";
    const auto row = [](const std::string& text) { return HasSubstr("\n| " + text + " |\n"); };
    std::string page = page_of(grown).markdown;
    EXPECT_THAT(page,
                row("clients: µs of CPU for a line | 03_acceptor_pool | 100: 4.50, 1000: 4.50, 19000: 4.50 | 0.00 | "
                    "hardly changes"));
    EXPECT_THAT(page, row("threads: µs of CPU for a line | 03_acceptor_pool | 1: 5.00, 2: 5.00 | 0.00 | "
                          "hardly changes"));
    EXPECT_THAT(page, row("rooms: µs of CPU for a line heard | 05_chat | 10: 3.00, 100: 6.00 | 0.30 | "
                          "grows, but more slowly"));
    EXPECT_THAT(page, row("rooms: bytes of memory for each person | 05_chat | 10: 5000, 100: 5000 | 0.00 | "
                          "hardly changes"));
    EXPECT_THAT(page, row("nodes: µs of CPU for a line, on all of them | 05_chat on etcd | 1: 10.0, 8: 80.0 | 1.00 | "
                          "grows in proportion"));
    EXPECT_THAT(page,
                row("nodes: µs until 99 % are seen by their speaker | 05_chat on etcd | 1: 10000, 8: 80000 | 1.00 | "
                    "grows in proportion"));
    EXPECT_EQ(page_of(grown).rows, page_of(results()).rows);  // which is not compared in so few rounds
    // Why there are no more clients is said where descriptors were the reason.
    EXPECT_THAT(page, Not(HasSubstr("Clients end at")));
    grown.about["files"] = 20'000;
    EXPECT_THAT(page_of(grown).markdown, HasSubstr("Clients end at 19000, and not at 50000, because a process may have "
                                                   "no more than 20000 files open"));
    grown.about["files"] = 1'048'576;
    EXPECT_THAT(page_of(grown).markdown, Not(HasSubstr("Clients end at")));
}

TEST(Page, FindsAllThatAWholeRunMeasuresOfGrowth) {
    Report report;
    report.messages = 1000;
    report.seconds = report.server_cpu = report.p99_us = report.bytes_per_connection = 1;
    Results whole = results();
    whole.cases.clear();
    const auto subjects = all_subjects();
    for (const Case& one : all_cases(false, 20'000)) {
        CaseResult what{one.group, one.label, one.plan.connections, 64, 1, {}};
        for (const Subject& subject : subjects) {
            if (is_for(one, subject)) what.servers.push_back({subject.name, {report}, {}});
        }
        whole.cases.push_back(what);
    }
    const std::string page = page_of(whole).markdown;
    const auto row = [](const std::string& begin) { return testing::ContainsRegex("\n[|] " + begin + " [|]"); };
    EXPECT_THAT(page, row("clients: µs of CPU for a line [|] 02_thread_per_client [|] 100: [0-9.]+, 1000: [0-9.]+"));
    EXPECT_THAT(page,
                row("clients: bytes of memory for each [|] 03_acceptor_pool [|] 100: 1, 1000: 1, 10000: 1, 19000: 1"));
    EXPECT_THAT(page, row("threads: µs of CPU for a line [|] 03_acceptor_pool [|] 1: [0-9.]+, 2: [0-9.]+, 4: [0-9.]+"));
    EXPECT_THAT(page, row("members: µs until 99 % are heard by all [|] 05_chat [|] 10: 1, 100: 1, 1000: 1"));
    EXPECT_THAT(page, row("rooms: bytes of memory for each person [|] 05_chat [|] 1: 1, 10: 1, 100: 1, 1000: 1"));
    EXPECT_THAT(page,
                row("nodes: µs until 99 % are seen by their speaker [|] 05_chat on etcd [|] 1: 1, 2: 1, 4: 1, 8: 1"));
}

TEST(Page, CountsWhatCouldNotBeTold) {
    Results noisy = results();
    const std::size_t rows = page_of(noisy).rows;
    EXPECT_GT(rows, 4u);
    noisy.cases[0].servers[1].rounds[1].server_cpu = 0.002;  // 1.5 times its stick in one round, half in the other
    const Page page = page_of(noisy);
    EXPECT_EQ(page.rows, rows);
    EXPECT_EQ(page.untold, 2u);  // as a target, and as a figure
    EXPECT_THAT(page.markdown, HasSubstr("raw_epoll: could not tell"));
    EXPECT_THAT(page.markdown, HasSubstr("| **could not tell** |"));

    // What it does for a message decides where the time cannot.
    Measured& stick = noisy.cases[0].servers[0];
    Measured& ours = noisy.cases[0].servers[1];
    stick.counts = {2.0, 200, 0};
    ours.counts = {2.01, 203, 0.5};
    const Page counted = page_of(from_json(to_json(noisy)));
    EXPECT_EQ(counted.untold, 1u);
    EXPECT_THAT(counted.markdown, HasSubstr("| met, as counted |"));
    EXPECT_THAT(counted.markdown, HasSubstr("| lines c100 64B d1 | 03_acceptor_pool | 2.010 | 203 | 0.500 |"));
    ours.counts->system_calls = 2.2;
    EXPECT_EQ(page_of(noisy).untold, 2u);
    ours.counts->system_calls = -1;  // there was no strace
    EXPECT_EQ(page_of(noisy).untold, 2u);
    EXPECT_THAT(page_of(noisy).markdown, HasSubstr("| 03_acceptor_pool | not counted | 203 |"));
}

TEST(Page, IsWrittenWholeOrNotAtAll) {
    const fs::path docs = fs::path(testing::TempDir()) / "docs of the bench";
    fs::remove_all(docs);
    write_page({"words", {{"a.svg", "<svg/>"}}}, docs);
    std::ifstream file(docs / "bench.md");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "words");
    EXPECT_TRUE(fs::exists(docs / "bench" / "a.svg"));
    // A directory stands where a picture's file is to be written.
    fs::create_directories(docs / "bench" / "b.svg.unfinished");
    EXPECT_THROW(write_page({"other words", {{"a.svg", "other"}, {"b.svg", "other"}}}, docs), std::runtime_error);
    std::ifstream unchanged(docs / "bench.md");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(unchanged), {}), "words");
    EXPECT_FALSE(fs::exists(docs / "bench" / "a.svg.unfinished"));
    EXPECT_FALSE(fs::exists(docs / "bench.md.unfinished"));
    fs::remove_all(docs);
}

TEST(Plot, PutsLargerValuesHigherAndLeavesGapsOut) {
    LinePlot plot{"a < b", "x", "y", {"1", "2", "3"}, {{"one", {1, 10, NAN}, false}, {"two", {NAN, NAN, NAN}, true}}};
    const std::string picture = svg(plot);
    EXPECT_THAT(picture, HasSubstr("a &lt; b"));
    EXPECT_THAT(picture, HasSubstr(">one<"));
    EXPECT_THAT(picture, Not(HasSubstr(">two<")));
    const auto circle = [&](std::size_t from) { return picture.find("cy=\"", from) + 4; };
    const std::size_t first = circle(0);
    EXPECT_GT(std::stod(picture.substr(first)), std::stod(picture.substr(circle(first))));
}
