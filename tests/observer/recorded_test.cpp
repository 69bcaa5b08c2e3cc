// Stories that the real servers have told, kept in stories/: what each moment of them shows.

#include "observer/story.hpp"

#include <fstream>
#include <map>

namespace observed {
namespace {

/// stories/README.md says how they were made.
class Recorded {
public:
    explicit Recorded(const std::string& name) : file_(std::string(STORIES) + "/" + name) {
        EXPECT_TRUE(file_.good()) << name;
    }

    /// Up to the line of that event, the `count`th since the last call, in which all of these words stand.
    void play_to(std::string_view event, std::initializer_list<std::string_view> words = {}) {
        for (std::string line; std::getline(file_, line);) {
            story.take(line);
            story.now = std::max(story.now, story.model.time());
            const auto told = observer::read(line);
            const bool has_words = std::ranges::all_of(words, [&](auto word) { return line.find(word) != line.npos; });
            if (told->event == event && has_words) return;
        }
        ADD_FAILURE() << "the story is over before " << event;
    }
    void play_to_end() {
        for (std::string line; std::getline(file_, line);) story.take(line);
        story.now = std::max(story.now, story.model.time());
    }

    /// Everybody in the room that is shown first: by name, through whom or through which node.
    std::map<std::string, std::string> people(std::string_view key) const {
        std::map<std::string, std::string> all;
        const auto people = story.see("/rooms/shown/0/people");
        for (const auto& person : people.as_array()) {
            all[std::string(person.at("name").as_string())] = json::value_to<std::string>(person.at(key));
        }
        return all;
    }
    std::size_t nodes_that(const std::function<bool(const json::value&)>& are_so) const {
        const auto nodes = story.see("/rooms/nodes");
        return static_cast<std::size_t>(std::ranges::count_if(nodes.as_array(), are_so));
    }

    Story story;

private:
    std::ifstream file_;
};

using testing::ElementsAre;
using testing::Pair;

/// Ann and Bob in the room Tea, Mikey behind a link in the lobby; the rooms crash and begin anew.
TEST(RecordedStory, OfRoomsWithALinkThatCrash) {
    Recorded recorded("chat_link.jsonl");
    recorded.play_to("room_line", {"hi all"});
    EXPECT_THAT(recorded.people("via"), ElementsAre(Pair("Mikey", "link 1")));
    EXPECT_EQ(recorded.story.see("/rooms/shown/1/name"), "Tea");
    EXPECT_EQ(recorded.story.see("/rooms/shown/1/now"), 2);
    EXPECT_EQ(recorded.story.see("/rooms/links/0/people"), 1);
    EXPECT_EQ(recorded.story.see("/tree/0/name"), "chat");
    EXPECT_EQ(recorded.story.see("/tree/0/intensity"), 3);
    recorded.play_to("has_in_room", {"Bob"});
    EXPECT_THAT(recorded.people("via"), ElementsAre(Pair("Bob", "handler 2"))) << "nobody else is left of before";
    EXPECT_EQ(recorded.story.see("/restarts/0/within"), 1);
    recorded.play_to("link_lost");
    EXPECT_EQ(recorded.story.see("/rooms/links"), json::array());
    recorded.play_to_end();
    EXPECT_EQ(recorded.story.see("/server/ended_badly"), false);
    EXPECT_EQ(recorded.story.see("/rooms/shown"), json::array());
}

/// Three workers with eight people, and a node outside with Xavier. A worker is made to crash, the node outside is
/// killed, etcd is stopped for longer than a lease lasts, and the workers begin to be replaced.
TEST(RecordedStory, OfWorkersOverEtcd) {
    Recorded recorded("chat_workers.jsonl");
    const auto lives = [](const json::value& node) { return node.at("state") == "lives" && node.at("epoch") != 0; };
    recorded.play_to("room_line", {"joined", "Xavier"});
    recorded.play_to("node_has_in_room", {"Xavier"});
    auto nodes = recorded.people("node");
    EXPECT_EQ(nodes.size(), 9u);
    EXPECT_EQ(nodes["Xavier"], "outside");
    EXPECT_EQ(recorded.people("via")["Xavier"], "");
    EXPECT_EQ(recorded.nodes_that(lives), 4u);
    EXPECT_EQ(recorded.story.see("/clients/now"), 8);
    const auto dead = nodes["p0"];  // p0 types !segv
    const auto with_p0 =
        static_cast<std::size_t>(std::ranges::count(nodes, dead, [](auto& each) { return each.second; }));

    recorded.play_to("supervisor_report", {"SIGSEGV"});
    EXPECT_EQ(recorded.story.see("/clients/now"), 8 - with_p0);
    EXPECT_EQ(recorded.people("via")["p0"], "") << "still in the room, as its node is to the others";
    recorded.play_to("supervisor_progress", {"worker-"});
    recorded.play_to("has_lease");
    for (int heartbeats = 0; heartbeats < 8; ++heartbeats) recorded.play_to("has_lease");
    nodes = recorded.people("node");
    EXPECT_EQ(nodes.size(), 9 - with_p0);
    EXPECT_EQ(nodes["Xavier"], "outside") << "the new worker finds Xavier there, and the others knew";
    EXPECT_EQ(recorded.nodes_that(lives), 4u);
    EXPECT_EQ(recorded.story.see("/tree/1"), "there is no /tree/1");

    recorded.play_to("room_line", {"left", "Xavier"});
    EXPECT_FALSE(recorded.people("node").contains("Xavier"));
    recorded.play_to("log_is_silent");
    EXPECT_EQ(recorded.nodes_that([](const json::value& node) { return node.at("state") == "waits for etcd"; }), 1u);
    recorded.play_to("room_line", {"into the void"});
    EXPECT_EQ(recorded.people("node").size(), 9 - 1 - with_p0) << "everybody is back, or their place is kept";
    recorded.play_to("drains");
    const auto tree = json::serialize(recorded.story.see("/tree"));
    EXPECT_NE(tree.find(R"("state":"drains")"), tree.npos);
    recorded.play_to_end();
    EXPECT_EQ(recorded.story.see("/server/how_it_ended"), "with exit status 0");
    EXPECT_EQ(recorded.story.see("/rooms/nodes"), json::array());
}

}  // namespace
}  // namespace observed
