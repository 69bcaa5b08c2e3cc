// What is seen of the chat: who is in which room and through whom, who is how far behind, and the nodes over one etcd.

#include "observer/observed.hpp"

#include "support/etcd.hpp"

#include <algorithm>

namespace observed {
namespace {

using testing::Contains;
using testing::IsEmpty;

void expect_welcome(Client& client) {
    EXPECT_EQ(client.recv_line(), "Welcome! What is your name?\r\n");
}

void hear_up_to(Client& client, const std::string& words) {
    while (client.recv_line().find(words) == std::string::npos) {
    }
}

void come_in(Client& client, const std::string& name) {
    expect_welcome(client);
    client.send(name + "\r\n");
    hear_up_to(client, "You are in the room lobby as " + name);
}

/// Of the room that is shown first.
std::vector<std::string> people_in(const json::value& rooms) {
    std::vector<std::string> names;
    const auto& shown = rooms.at("shown").as_array();
    if (shown.empty()) return names;
    for (const auto& person : shown[0].at("people").as_array()) names.emplace_back(person.at("name").as_string());
    return names;
}

json::value person_of(const json::value& rooms, std::string_view name) {
    const auto& shown = rooms.at("shown").as_array();
    if (shown.empty()) return {};
    for (const auto& person : shown[0].at("people").as_array()) {
        if (std::string_view(person.at("name").as_string()) == name) return person;
    }
    return {};
}

TEST(ObservedChat, RoomsOpenAndCloseAndTheLinesHaveTheirPlaces) {
    Observed observed("05_chat", {"--rate", "0"});
    Client ann(observed.server_port());
    come_in(ann, "Ann");
    ann.send("Hello!\r\n");
    hear_up_to(ann, "Ann says: Hello!");
    auto rooms =
        observed.wait_until("/rooms", [](const json::value& seen) { return seen.at("shown").at(0).at("said") == 1; });
    EXPECT_EQ(rooms.at("shown").at(0).at("lines").at(0).at("text"), "Hello!");
    EXPECT_EQ(rooms.at("sequence"), 2) << "she came, and said something";
    EXPECT_EQ(person_of(rooms, "Ann").at("via"), "handler 1");
    ann.send("/join tea\r\n");
    hear_up_to(ann, "You are in the room tea");
    rooms =
        observed.wait_until("/rooms", [](const json::value& seen) { return seen.at("shown").as_array().size() == 2; });
    EXPECT_EQ(rooms.at("shown").at(1).at("name"), "tea");
    EXPECT_EQ(rooms.at("shown").at(1).at("now"), 1);
    EXPECT_EQ(rooms.at("shown").at(0).at("now"), 0);
    ann.close();
    rooms =
        observed.wait_until("/rooms", [](const json::value& seen) { return seen.at("shown").as_array().size() == 1; });
    EXPECT_THAT(people_in(rooms), IsEmpty());
}

TEST(ObservedChat, PeopleBehindALinkGoWithIt) {
    Observed observed("05_chat", {"--rate", "0", "--node-port", "0"});
    const auto node_port = port_in(observed.wait_for_line("waits for links of other nodes on "));
    Client ann(observed.server_port());
    come_in(ann, "Ann");
    {
        support::Program other(
            {{support::path_of("05_chat"), "--port", "0", "--join", "127.0.0.1:" + std::to_string(node_port)}});
        Client mikey(port_in(other.wait_for_line("Listening on ")));
        come_in(mikey, "Mikey");
        mikey.send("Hello from there!\r\n");
        const auto rooms = observed.wait_until(
            "/rooms", [](const json::value& seen) { return seen.at("shown").at(0).at("said") == 1; });
        EXPECT_EQ(rooms.at("links").at(0).at("who"), "link 1");
        EXPECT_EQ(rooms.at("links").at(0).at("people"), 1);
        EXPECT_EQ(person_of(rooms, "Mikey").at("via"), "link 1");
        EXPECT_EQ(person_of(rooms, "Mikey").at("node"), rooms.at("links").at(0).at("node"));
        EXPECT_EQ(rooms.at("shown").at(0).at("lines").at(0).at("name"), "Mikey");
    }
    const auto rooms = observed.wait_until("/rooms", [](const json::value& seen) {
        return seen.at("links").as_array().empty() && people_in(seen).size() == 1;
    });
    EXPECT_THAT(people_in(rooms), Contains("Ann"));
}

TEST(ObservedChat, WhoDoesNotReadIsBehindUntilTheyRead) {
    Observed observed("05_chat", {"--rate", "0", "--max-backlog", "8388608"});
    Client slow(observed.server_port(), {.receive_buffer = 4096}), ann(observed.server_port());
    come_in(slow, "Slow");
    come_in(ann, "Ann");
    const std::string line(4000, 'x');
    const auto is_behind = [](const json::value& seen) { return seen.is_int64() && seen.get_int64() > 0; };
    // What the system keeps for them grows to megabytes; then the server has to.
    bool is_seen = false;
    for (int rounds = 0; !is_seen && rounds < 40; ++rounds) {
        for (int lines = 0; lines < 50; ++lines) {
            ann.send(line + "\r\n");
            hear_up_to(ann, "Ann says");
        }
        is_seen = is_behind(observed.picture().at("clients").at("shown").at(0).at("behind"));
    }
    observed.wait_until("/clients/shown/0/behind", is_behind);
    const auto picture = observed.picture();
    EXPECT_EQ(picture.at("clients").at("shown").at(0).at("state"), "does not read");
    EXPECT_GT(person_of(picture.at("rooms"), "Slow").at("behind").as_int64(), 0);
    EXPECT_EQ(picture.at("clients").at("shown").at(1).at("behind"), 0);
    support::eventually([&] {
        while (slow.has_news()) slow.recv_line();
        return observed.picture().at("clients").at("shown").at(0).at("behind") == 0;
    });
    EXPECT_EQ(observed.picture().at("clients").at("shown").at(0).at("behind"), 0);
}

TEST(ObservedChat, OfSeveralWorkersOneDiesAndItsPeopleLeave) {
    if (!support::Etcd::is_there()) GTEST_SKIP() << "there is no etcd in $PATH (Debian: etcd-server)";
    const support::Etcd etcd;
    Observed observed("05_chat",
                      {"--engine", "etcd", "--etcd", etcd.urls(), "--rate", "0", "--workers", "2", "--faults"});
    observed.wait_until("/rooms/nodes", [](const json::value& seen) {
        return seen.as_array().size() == 2 && std::ranges::all_of(seen.as_array(), [](const json::value& node) {
                   return node.at("lease") != 0 && node.at("epoch") != 0 && node.at("revision") != 0;
               });
    });
    // The kernel decides who gets whom.
    std::map<std::int64_t, std::unique_ptr<Client>> by_process;
    std::vector<std::unique_ptr<Client>> others;
    std::map<std::int64_t, std::string> names;
    for (int number = 1; by_process.size() < 2 && number < 100; ++number) {
        const auto name = "n" + std::to_string(number);
        auto client = std::make_unique<Client>(observed.server_port());
        come_in(*client, name);
        const auto rooms = observed.wait_until("/rooms", [&](const json::value& seen) {
            const auto person = person_of(seen, name);
            return person.is_object() && person.at("via") != "";
        });
        const auto person = person_of(rooms, name);
        const auto process = person.at("process").as_int64();
        EXPECT_THAT(std::string(person.at("via").as_string()),
                    testing::StartsWith("worker " + std::to_string(process)));
        EXPECT_NE(person.at("node"), "");
        if (names.try_emplace(process, name).second) {
            by_process[process] = std::move(client);
        } else {
            others.push_back(std::move(client));  // a worker that has people is not more eager
        }
    }
    ASSERT_EQ(by_process.size(), 2u);
    others.clear();
    const auto dies = names.begin()->first, lives = names.rbegin()->first;
    by_process[dies]->send("!segv\r\n");
    const auto rooms = observed.wait_until(
        "/rooms", [&](const json::value& seen) { return people_in(seen) == std::vector{names[lives]}; });
    EXPECT_EQ(people_in(rooms), std::vector{names[lives]}) << json::serialize(rooms);
    EXPECT_EQ(observed.wait_for("/clients/now", 1), 1);
    EXPECT_EQ(observed.picture().at("restarts").at(0).at("within"), 1);
    // And it comes back, under a new lease.
    observed.wait_until("/rooms/nodes", [](const json::value& seen) {
        return seen.as_array().size() == 2 && std::ranges::all_of(seen.as_array(), [](const json::value& node) {
                   return node.at("lease") != 0 && node.at("epoch") != 0;
               });
    });
    by_process[lives]->send("still here\r\n");
    hear_up_to(*by_process[lives], "still here");
    observed.wait_until("/rooms/shown/0/lines", [](const json::value& seen) {
        return seen.is_array() && !seen.get_array().empty() && seen.get_array().back().at("text") == "still here";
    });
    observed.signal(SIGTERM);
    EXPECT_EQ(observed.wait_exit(), support::exited(0));
}

}  // namespace
}  // namespace observed
