// What every engine owes to the rooms, on an engine that does its worst: simulated_engine.hpp. Where a run fails, its
// seed is printed; FIVE_FIRST_SEED=seed FIVE_SCENARIOS=1 plays it again.

#include "05_chat/engine/local.hpp"
#include "05_chat/engine/room_service.hpp"
#include "05_chat/text/protocol.hpp"
#include "chat/simulated_engine.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace {

using namespace chat;

constexpr std::uint64_t default_first_seed = 1;
constexpr std::uint64_t default_scenarios = 2000;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
    const char* text = std::getenv(variable);
    return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// One program of several.
struct Node {
    Node(simulated::World& world, simulated::Log& log, std::size_t number)
        : engine(world, log, number), rooms(world.executor(), engine, limits, "lobby", encode_text, backlog) {
        rooms.subscribe([this](std::string_view room, const Line& line) {
            heard.push_back(folded(room) + " " + std::to_string(line.sequence) + " " + words(line));
            check(folded(room), line);
        });
    }
    /// Names are unique in a room, and whoever speaks or leaves is there.
    void check(const std::string& room, const Line& line) {
        const std::string name = room + "/" + folded(line.name);
        const bool fits = line.kind == Line::Kind::joined ? names.insert(name).second
                          : line.kind == Line::Kind::left ? names.erase(name) == 1
                                                          : names.contains(name);
        if (!fits) wrong += "this cannot be: " + heard.back() + "\n";
        if (line.kind == Line::Kind::said) said[line.person].push_back(line.text);
    }
    /// The rooms as they are now.
    std::string picture() const {
        std::string all = who_is_where(rooms.rooms());
        for (const auto& [key, named] : rooms.rooms().all()) {
            for (const Line& line : named.room.history()) all += named.name + " " + words(line) + "\n";
        }
        return all;
    }

    Limits limits{.max_line = 20, .history = 5, .max_people = 3, .max_rooms = 3};
    Backlog backlog{1 << 20, 1 << 20};
    simulated::Engine engine;
    RoomService rooms;
    std::vector<std::string> heard;
    std::set<std::string> names;                          // room/name of everybody who is in
    std::map<PersonId, std::vector<std::string>> said;    // by speaker, as it was heard
    std::map<PersonId, std::vector<std::string>> spoken;  // by speaker of this node, as it was answered
    std::string wrong;
};

/// Several nodes, with people who fight for few names and rooms.
class Town {
public:
    Town(std::uint64_t seed, bool takes_repeats) : world_(seed) {
        log_.takes_repeats = takes_repeats;
        for (std::size_t node = 0; node < 3; ++node) nodes_.push_back(std::make_unique<Node>(world_, log_, node));
        for (const auto& node : nodes_) {
            for (int person = 0; person < 3; ++person) {
                ++busy_;
                boost::asio::co_spawn(world_.executor(), live(*node), [this](const std::exception_ptr& crash) {
                    if (crash) nodes_[0]->wrong += "somebody crashed\n";
                    --busy_;
                });
            }
        }
    }

    /// What is wrong after everybody has had their say; empty when nothing is.
    std::string play() {
        const bool has_ended = world_.run([this] {
            bool all_have_read = true;
            for (const auto& node : nodes_) all_have_read = all_have_read && node->engine.next() == log_.entries.size();
            return busy_ == 0 && all_have_read;
        });
        if (!has_ended) return "it does not come to an end\n";
        std::string wrong;
        std::map<PersonId, std::vector<std::string>> spoken;
        for (const auto& node : nodes_) {
            wrong += node->wrong;
            if (node->heard != nodes_[0]->heard) wrong += "two nodes have heard different things\n";
            if (node->picture() != nodes_[0]->picture()) wrong += "two nodes have different rooms\n";
            spoken.merge(node->spoken);
        }
        if (nodes_[0]->said != spoken) wrong += "lines are missing, there twice, or not in their speakers' order\n";
        return wrong;
    }

    std::size_t heard() const { return nodes_[0]->heard.size(); }

private:
    /// Somebody comes, goes, and talks.
    net::awaitable<void> live(Node& node) {
        const PersonId person = node.rooms.next_person();
        const app::Who who{"person", person};
        for (int turn = 0; turn < 6; ++turn) {
            if (world_.roll(2) == 0) co_await world_.sleep(world_.roll(50));
            const std::string room = "room" + std::to_string(world_.roll(3));
            const std::string text = std::to_string(person) + "." + std::to_string(turn);
            Submission submission{room, Say{person, text}};
            const auto what = turn == 0 ? 0 : world_.roll(6);
            if (what == 0) submission.request = Join{person, "name" + std::to_string(world_.roll(4))};
            if (what == 1) submission.request = Leave{person, {}};
            const auto outcome = co_await node.rooms.submit(submission, who);
            if (!outcome) continue;
            // The answer is there before anything else has happened.
            if (node.heard.back() != folded(room) + " " + std::to_string(outcome->sequence) + " " + words(*outcome)) {
                node.wrong += "an answer came late\n";
            }
            if (outcome->kind == Line::Kind::said) node.spoken[person].push_back(text);
        }
    }

    simulated::World world_;
    simulated::Log log_;
    std::vector<std::unique_ptr<Node>> nodes_;
    int busy_ = 0;
};

struct Engines : testing::Test {
    Engines() { app::story::mode = app::Log::quiet; }
};

}  // namespace

TEST_F(Engines, AllNodesAgreeWhateverTheNetworkDoes) {
    const std::uint64_t first = number_from("FIVE_FIRST_SEED", default_first_seed);
    const std::uint64_t scenarios = number_from("FIVE_SCENARIOS", default_scenarios);
    std::size_t heard = 0;
    for (std::uint64_t seed = first; seed < first + scenarios; ++seed) {
        Town town(seed, false);
        ASSERT_EQ(town.play(), "") << "FIVE_FIRST_SEED=" << seed << " FIVE_SCENARIOS=1 plays it again";
        heard += town.heard();
    }
    EXPECT_GT(heard, 10 * scenarios);  // people come in, and talk
}

TEST_F(Engines, OneThatOrdersARepeatedRequestTwiceIsFound) {
    std::string wrong;
    for (std::uint64_t seed = 1; seed <= 100 && wrong.empty(); ++seed) wrong = Town(seed, true).play();
    EXPECT_NE(wrong, "");
}

TEST_F(Engines, TheLocalOneAnswersAtOnceInTheOrderOfTheRequests) {
    boost::asio::io_context loop;
    Backlog backlog{1 << 20, 1 << 20};
    LocalEngine engine;
    RoomService rooms(loop.get_executor(), engine, {}, "lobby", encode_text, backlog);
    std::vector<std::string> heard;
    rooms.subscribe([&](std::string_view, const Line& line) { heard.push_back(words(line)); });
    const auto submit = [&](Request request) {
        boost::asio::co_spawn(
            loop,
            [&rooms, request]() -> net::awaitable<void> {
                const Submission submission{"lobby", request};
                co_await rooms.submit(submission, app::Who{"test"});
            },
            [](const std::exception_ptr& crash) {
                if (crash) std::rethrow_exception(crash);
            });
    };
    submit(Join{rooms.next_person(), "Michael"});
    submit(Join{rooms.next_person(), "Mikey"});
    submit(Say{2, "Hello!"});
    submit(Leave{1, {}});
    loop.poll();
    EXPECT_EQ(heard, (std::vector<std::string>{"Michael has joined the room", "Mikey has joined the room",
                                               "Mikey says: Hello!", "Michael has left the room"}));
}
