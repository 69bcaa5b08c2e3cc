// A thousand people at three doors, while others come and go and one never reads.

#include "chat/erlang_peer.hpp"

#include <atomic>
#include <functional>
#include <map>
#include <thread>

namespace chat_tests {
namespace {

// A thousand. With a sanitizer each costs ten times as much, and an Erlang peer that is silent for a minute is gone.
constexpr std::size_t at_each_door = support::sanitized ? 220 : 333;
constexpr std::size_t lines_of_each = 40;
const std::string the_end = "The_end says: now";

using Lines = std::vector<std::string>;

bool is_speech(const std::string& line) {
    return line.find(" says: ") != line.npos;
}

/// A thread; what goes wrong in it is kept.
class Task {
public:
    explicit Task(std::function<void()> work)
        : thread_([this, work = std::move(work)] {
              try {
                  work();
              } catch (const std::exception& error) {
                  failure_ = error.what();
              }
          }) {}
    ~Task() { wait(); }
    /// What went wrong; empty: nothing.
    std::string wait() {
        if (thread_.joinable()) thread_.join();
        return failure_;
    }

private:
    std::string failure_;
    std::thread thread_;
};

/// Everybody at one text door.
class Tables {
public:
    Tables(const Server& server, const std::string& prefix) {
        for (std::size_t i = 0; i < at_each_door; ++i) {
            people_.push_back(std::make_unique<Person>(server, prefix + std::to_string(i)));
        }
    }
    Person& person(std::size_t i) { return *people_[i]; }
    void expect_all_hear(const Lines& speech) {
        for (auto& person : people_) {
            Lines heard = person->hear_up_to(the_end);
            std::erase_if(heard, [](const std::string& line) { return !is_speech(line); });
            ASSERT_EQ(heard, speech);
        }
    }

private:
    std::vector<std::unique_ptr<Person>> people_;
};

/// Everybody on one Erlang node: a process each.
class Processes {
public:
    explicit Processes(Server& server) : peer_(server, "crowd@localhost"), ear_([this] { listen(); }) {
        for (std::uint32_t id = 1; id <= at_each_door; ++id) {
            peer_.tell_room(peer_.pid(id), "join", "erlang" + std::to_string(id));
        }
    }
    void say(std::uint32_t id, const std::string& text) { peer_.tell_room(peer_.pid(id), "message", text); }
    void expect_all_hear(const Lines& speech) {
        ASSERT_EQ(ear_.wait(), "");
        ASSERT_EQ(heard_.size(), at_each_door);
        for (const auto& [pid, heard] : heard_) ASSERT_EQ(heard, speech);
    }

private:
    void listen() {
        for (std::size_t finished = 0; finished < at_each_door;) {
            auto heard = peer_.hear();
            finished += heard.text == the_end ? 1 : 0;
            if (is_speech(heard.text)) heard_[heard.to].push_back(std::move(heard.text));
        }
    }

    ErlangPeer peer_;
    std::map<erlang::Pid, Lines> heard_;
    Task ear_;
};

TEST(Crowd, OfAThousandHearsEveryLineOnceInOneOrder) {
    support::raise_open_files_limit();
    // Each line goes 333 times to the Erlang node, whose backlog is that of one member: more than 1 MiB of it may wait
    // where the machine is busy.
    constexpr std::size_t max_backlog = 16 << 20;
    const auto owner =
        erlang_node({"--node-port", "0", "--history", "0", "--max-backlog", std::to_string(max_backlog)});
    const Server guest({"--join", "127.0.0.1:" + std::to_string(owner->node_port())});
    Client sleepy(owner->port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n");
    Tables here(*owner, "here"), there(guest, "there");
    Person last(*owner, "The_end");
    Processes elsewhere(*owner);
    // A node's people come in one after the other, at a pace.
    last.hear_up_to("erlang" + std::to_string(at_each_door) + " has joined the room");
    std::atomic<int> visits = 0;
    std::jthread churn([&](const std::stop_token& over) {
        try {
            for (; !over.stop_requested(); ++visits) {
                Person passer_by(visits % 2 == 0 ? *owner : guest, "passer_by_" + std::to_string(visits));
            }
        } catch (const std::exception& error) {
            ADD_FAILURE() << error.what();
        }
    });
    const auto memory = owner->process().resident_bytes();

    for (std::size_t line = 0; line < lines_of_each; ++line) {
        const auto text = std::to_string(line) + " " + std::string(80, '.');
        for (std::size_t sender = 0; sender < 3; ++sender) here.person(100 * sender).say(text);
        for (std::size_t sender = 0; sender < 3; ++sender) there.person(100 * sender).say(text);
        for (const std::uint32_t sender : {1u, std::uint32_t{at_each_door}}) elsewhere.say(sender, text);
    }
    Lines speech;
    const support::Deadline deadline(6 * patience());  // those who come and go would keep us listening for ever
    while (speech.size() < 8 * lines_of_each) {
        ASSERT_FALSE(deadline.passed()) << speech.size() << " lines, the last of them: " << speech.back();
        if (auto line = last.hear(); is_speech(line)) speech.push_back(std::move(line));
    }
    last.say("now");
    last.hear_up_to(the_end);
    speech.push_back(the_end);

    here.expect_all_hear(speech);
    there.expect_all_hear(speech);
    elsewhere.expect_all_hear(speech);
    churn.request_stop();
    churn.join();
    EXPECT_GT(visits, 0);
    // Everything is said once, however many hear it.
    if (!support::sanitized) {
        EXPECT_LT(owner->process().resident_bytes(), memory + 2 * max_backlog);
    }
    // Each sender's lines came in the order in which the sender said them.
    std::map<std::string, std::size_t> next;
    for (std::size_t i = 0; i + 1 < speech.size(); ++i) {
        const auto name = speech[i].substr(0, speech[i].find(' '));
        EXPECT_THAT(speech[i], StartsWith(name + " says: " + std::to_string(next[name]++) + " "));
    }
    EXPECT_EQ(next.size(), 8u);
}

}  // namespace
}  // namespace chat_tests
