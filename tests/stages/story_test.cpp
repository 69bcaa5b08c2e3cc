// What a server tells of itself: every event, in the order in which it happens, in each of the three ways.

#include "stages/stage.hpp"

#include <boost/json.hpp>

namespace stages {
namespace {

using testing::Each;
using testing::ElementsAre;

class Story : public EveryStage {};
INSTANTIATE_TEST_SUITE_P(Stage, Story, testing::Values(naive, thread_per_client, acceptor_pool), name_of);

/// In 01 it is always the server itself who serves.
class StoryOfSeveral : public ConcurrentStage {};
INSTANTIATE_TEST_SUITE_P(Stage, StoryOfSeveral, testing::Values(thread_per_client, acceptor_pool), name_of);

std::string listening_on(const Server& server) {
    return "Listening on 127.0.0.1:" + std::to_string(server.port());
}

/// The options under which each stage's story has one order: one acceptor in the pool.
std::vector<std::string> in_one_order(const std::string& stage, std::vector<std::string> options = {}) {
    if (stage == acceptor_pool) options.insert(options.end(), {"--acceptors", "1", "--threads", "1"});
    return options;
}

TEST(Naive, TellsTheOriginalsStoryInTheOriginalsOrder) {
    Server server(naive);
    Client first(server.port());
    const auto first_name = first.name();
    expect_served(first);
    first.close();
    Client second(server.port());
    const auto second_name = second.name();
    second.send("42\r\n\r\n");
    EXPECT_EQ(second.recv_exactly(16), "ECHO 42\r\nECHO \r\n");
    second.close();
    server.wait_for_line("waits for client", 3);
    const auto port = std::to_string(server.port());
    EXPECT_THAT(server.lines(), ElementsAre("Listening on 127.0.0.1:" + port,
                                            "server started with pid " + std::to_string(server.process().pid()),
                                            "server got listening socket 127.0.0.1:" + port,  //
                                            "server waits for client",                        //
                                            "server got client connection " + first_name,     //
                                            "server waits for data",                          //
                                            "server got data from client hello",              //
                                            "server waits for data",                          //
                                            "server connection closed",                       //
                                            "server waits for client",                        //
                                            "server got client connection " + second_name,    //
                                            "server waits for data",                          //
                                            "server got data from client 42",                 //
                                            "server waits for data",                          //
                                            "server got data from client ",                   //
                                            "server waits for data",                          //
                                            "server connection closed",                       //
                                            "server waits for client"));
}

TEST_P(StoryOfSeveral, NamesWhoServesEachClient) {
    Server server(stage(), in_one_order(stage()));
    Client first(server.port());
    expect_served(first);
    Client second(server.port());
    expect_served(second);
    first.close();
    server.wait_for_line("handler 1 connection closed");
    second.close();
    server.wait_for_line("handler 2 connection closed");
    std::vector<std::string> of_first;
    for (const auto& line : server.lines()) {
        if (line.starts_with("handler 1 ")) of_first.push_back(line);
    }
    EXPECT_THAT(of_first, ElementsAre("handler 1 waits for data", "handler 1 got data from client hello",
                                      "handler 1 waits for data", "handler 1 connection closed"));
    server.wait_for_line("acceptor 1 waits for client", 3);
    EXPECT_EQ(server.count_lines("acceptor 1 got client connection 127.0.0.1:"), 2u);
}

TEST(StoryOfThePool, SaysWhichLoopServesWhom) {
    Server server(acceptor_pool, {"--threads", "2"});
    for (int i = 0; i < 3; ++i) expect_served(server.port());
    server.wait_for_line("handler 1 runs in loop 1");
    server.wait_for_line("handler 2 runs in loop 2");
    server.wait_for_line("handler 3 runs in loop 1");
}

TEST_P(Story, QuietWritesTheFirstLineOnly) {
    Server server(stage(), {"--log", "quiet"});
    expect_served(server.port());
    expect_served(server.port());
    server.signal(SIGTERM);
    server.wait_exit();
    EXPECT_THAT(server.lines(), ElementsAre(listening_on(server)));
    EXPECT_EQ(server.errors(), "");
}

TEST_P(Story, TheFirstLineIsPlainInEveryMode) {
    for (const auto* const mode : {"text", "json", "quiet"}) {
        const Server server(stage(), {"--log", mode});
        // Whoever has read it can connect.
        expect_served(server.port());
        EXPECT_EQ(server.lines().at(0), listening_on(server));
    }
}

/// What one client's visit makes the server tell.
std::vector<std::string> story_of_a_visit(const std::string& stage, const std::string& log) {
    Server server(stage, in_one_order(stage, {"--log", log}));
    Client client(server.port());
    client.send("say \"hi\"\r\n");
    client.recv_line();
    client.close();
    server.wait_for_line(log == "json" ? "connection_closed" : "connection closed");
    // In 01 the same thread tells both; elsewhere the acceptor's line may come before or after the client's.
    server.wait_for_line(log == "json" ? "waits_for_client" : "waits for client", 2);
    auto lines = server.lines();
    lines.erase(lines.begin());
    return lines;
}

TEST_P(Story, JsonLinesHoldTheTimeWhoAndTheEvent) {
    const std::string utc_time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z";
    for (const auto& line : story_of_a_visit(stage(), "json")) {
        SCOPED_TRACE(line);
        const auto event = boost::json::parse(line).as_object();
        const auto time = boost::json::value_to<std::string>(event.at("time"));
        EXPECT_THAT(time, testing::MatchesRegex(utc_time));
        EXPECT_FALSE(event.at("who").as_string().empty());
        EXPECT_FALSE(event.at("event").as_string().empty());
    }
}

TEST_P(Story, JsonTellsTheSameEventsAsTextAndWhomEachServes) {
    std::vector<std::string> from_json;
    int told_in_json_only = 0;
    for (const auto& line : story_of_a_visit(stage(), "json")) {
        const auto event = boost::json::parse(line).as_object();
        if (event.at("event") == "serves") {
            ++told_in_json_only;
            EXPECT_THAT(std::string(event.at("peer").as_string()), StartsWith("127.0.0.1:"));
            continue;
        }
        auto sentence = boost::json::value_to<std::string>(event.at("event"));
        std::replace(sentence.begin(), sentence.end(), '_', ' ');
        from_json.push_back(boost::json::value_to<std::string>(event.at("who")) + " " + sentence);
        if (sentence == "got data from client") {
            EXPECT_EQ(event.at("data"), "say \"hi\"");
        } else if (sentence == "started") {
            EXPECT_TRUE(event.at("pid").is_int64());
            EXPECT_EQ(event.at("program").as_string(), stage());
        }
    }
    EXPECT_EQ(told_in_json_only, 1);
    auto from_text = story_of_a_visit(stage(), "text");
    ASSERT_EQ(from_json.size(), from_text.size());
    // Two threads' lines may come in either order.
    std::sort(from_json.begin(), from_json.end());
    std::sort(from_text.begin(), from_text.end());
    for (std::size_t i = 0; i < from_text.size(); ++i) {
        if (from_text[i].starts_with("server started")) {
            EXPECT_EQ(from_json[i], "server started");
        } else {
            EXPECT_THAT(from_text[i], StartsWith(from_json[i]));
        }
    }
}

TEST_P(Story, UserBytesAreEscapedAndCut) {
    Server server(stage());
    Client client(server.port());
    client.send("\x1b[2J\a\x80 Привет\n" + std::string(1000, 'x') + "\n");
    server.wait_for_line(R"(got data from client \x1b[2J\x07\x80 Привет)");
    const auto cut = server.wait_for_line("got data from client xxx");
    EXPECT_THAT(cut, testing::EndsWith("xxx... (920 bytes more)"));
}

TEST_P(Story, AReaderWhoHasGoneCostsOnlyTheStory) {
    Server server(stage());
    server.close_output();
    expect_served(server.port());
    expect_served(server.port());
}

TEST_P(Story, SaysThatFaultsAreOn) {
    Server on(stage(), {"--faults"});
    on.wait_for_line("waits for client");
    EXPECT_EQ(on.lines().at(1), "server obeys faults: !throw !abort !segv !spin !leak N !exit N !overflow");
    Server off(stage());
    off.wait_for_line("waits for client");
    EXPECT_EQ(off.count_lines("faults"), 0u);
    // Where the story is not told, it is said beside it.
    const Server quiet(stage(), {"--faults", "--log", "quiet"});
    EXPECT_TRUE(support::eventually([&] { return quiet.errors().find("faults are on") != std::string::npos; }));
}

}  // namespace
}  // namespace stages
