// Peers that mean no good: each is refused with a reason in the story, costs little, and nobody else notices.

#include "chat/erlang_peer.hpp"

#include "05_chat/link/message.hpp"

#include <random>

namespace chat_tests {
namespace {

constexpr std::size_t mebi = 1 << 20;

/// Two people who go on talking in a room that all kinds of peers can reach, whatever those do.
class Hostile : public testing::Test {
protected:
    void TearDown() override {
        for (int line = 0; line < 3; ++line) {
            michael.chat("Michael", "Is everything all right?");
            EXPECT_EQ(mikey.hear(), "Michael says: Is everything all right?");
        }
        // A sanitizer keeps what was freed for a while.
        if (!support::sanitized) {
            EXPECT_LT(server->process().resident_bytes(), memory + 8 * mebi);
        }
    }

    void expect_gone(const std::string& who, const std::string& why) {
        server->wait_for_line(who + " is gone: " + why);
    }

    std::unique_ptr<Server> server =
        erlang_node({"--node-port", "0", "--handshake-timeout", "1", "--max-backlog", "65536"});
    Person michael{*server, "Michael"}, mikey{*server, "Mikey"};
    std::string joined = michael.hear();
    std::size_t memory = server->process().resident_bytes();
};

/// Says this a byte at a time, a tenth of a second apart, until the server has enough of it.
void dribble(Client& client, const std::string& bytes) {
    const support::Deadline deadline(patience());
    for (std::size_t i = 0; !deadline.passed(); ++i) {
        try {
            client.send(bytes.substr(i % bytes.size(), 1));
        } catch (const std::system_error&) {
            return;
        }
        if (client.has_news(100ms)) {
            client.wait_for_end();
            return;
        }
    }
    throw support::Failure("the server puts up with everything");
}

TEST_F(Hostile, ErlangNodeThatShakesHandsAByteATime) {
    Client peer(server->dist_port());
    dribble(peer, "\x01\x2c"s + std::string(300, 'N'));
    expect_gone("node 1", "the handshake took too long");
}

TEST_F(Hostile, ErlangNodeThatSaysNothing) {
    Client peer(server->dist_port());
    expect_gone("node 1", "the handshake took too long");
    EXPECT_EQ(peer.wait_for_end(), Client::End::closed);
}

TEST_F(Hostile, SomethingElseThanAnErlangNode) {
    Client browser(server->dist_port());
    browser.send("GET / HTTP/1.1\r\nHost: chat\r\n\r\n");
    browser.wait_for_end();
    expect_gone("node 1", "a frame of 18245 bytes, over the limit of 512");
    Client other(server->dist_port());
    other.send("\x00\x04nope"s);
    other.wait_for_end();  // told or not: strangers' ends are told once a second
}

TEST_F(Hostile, ErlangNodeWithAFrameOfFourGibibytes) {
    ErlangPeer peer(*server, "evil@localhost");
    peer.client().send("\xff\xff\xff\xff"s + std::string(1000, 'p'));
    peer.client().wait_for_end();
    expect_gone("node 1", "a frame of 4294967295 bytes, over the limit of 1048576");
}

TEST_F(Hostile, ErlangNodesWithGarbageAfterTheHandshake) {
    std::mt19937 random(4711);
    for (int number = 1; number <= 20; ++number) {
        ErlangPeer peer(*server, "evil" + std::to_string(number) + "@localhost");
        std::string garbage;
        for (int i = 0; i < 200; ++i) garbage += static_cast<char>(random());
        peer.send_frame(garbage);
        peer.client().wait_for_end();
        expect_gone("node " + std::to_string(number), "an ill-formed frame");
    }
}

TEST_F(Hostile, ErlangNodesWithLengthsThatLie) {
    // A control tuple of 250 elements that has none; a binary that is said to be longer than its frame.
    for (const auto& lie : {"p\x83h\xfa"s, "p\x83m\xff\xff\xff\xff"s, "p\x83l\x7f\xff\xff\xff"s}) {
        ErlangPeer peer(*server, "liar@localhost");
        peer.send_frame(lie);
        peer.client().wait_for_end();
    }
    EXPECT_TRUE(eventually([&] { return server->count_lines("is gone: an ill-formed frame") == 3; }));
    ErlangPeer peer(*server, "liar@localhost");
    std::string term;
    erlang::put_tuple(term, 3);
    erlang::put_pid(term, peer.pid(1));
    erlang::put_atom(term, "join");
    repeat_until_told(*server, "ignores a message that the room does not know",
                      [&] { peer.send_to_room(term + "m\xff\xff\xff\xffshort"); });
}

TEST_F(Hostile, ErlangNodeWithADeepTerm) {
    ErlangPeer peer(*server, "deep@localhost");
    std::string deep;
    for (int level = 0; level < 200'000; ++level) deep += "h\x01"s;
    repeat_until_told(*server, "ignores a message that the room does not know", [&] { peer.send_to_room(deep + "j"); });
    std::string lists;
    for (int level = 0; level < 100'000; ++level) lists += "l\x00\x00\x00\x01"s;
    peer.send_to_room(lists);
    // The same where a control message is expected.
    peer.send_frame("p\x83" + deep + "j");
    expect_gone("node 1", "an ill-formed frame");
}

TEST_F(Hostile, ErlangNodeWithAFloodOfAtoms) {
    ErlangPeer peer(*server, "flood@localhost");
    std::string flood;
    for (int i = 0; i < 200'000; ++i) {
        std::string atom;
        erlang::put_atom(atom, "atom_number_" + std::to_string(i));
        erlang::put_send(flood, peer.pid(1), "chatroom", atom);
        if (flood.size() > mebi / 2) {
            peer.client().send(flood);
            flood.clear();
        }
    }
    peer.client().send(flood);
    // It is still a node among others.
    peer.tell_room(peer.pid(2), "join", "Flood");
    EXPECT_EQ(michael.hear(), "Flood has joined the room");
    EXPECT_EQ(mikey.hear(), "Flood has joined the room");
    peer.client().close();
    EXPECT_EQ(michael.hear(), "Flood has left the room (node down)");
    EXPECT_EQ(mikey.hear(), "Flood has left the room (node down)");
}

TEST_F(Hostile, ErlangNodeWithANameThatIsNone) {
    ErlangPeer peer(*server, "rude@localhost");
    peer.tell_room(peer.pid(1), "join", "\x1b[2J\x1b[31mMichael");
    EXPECT_EQ(peer.hear().text, "a name has no spaces or control characters");
    peer.tell_room(peer.pid(1), "join", "MICHAEL");
    EXPECT_EQ(peer.hear().text, "the name is taken");
    peer.tell_room(peer.pid(1), "join", "Rude");
    EXPECT_EQ(michael.hear(), "Rude has joined the room");
    EXPECT_EQ(mikey.hear(), "Rude has joined the room");
    peer.tell_room(peer.pid(1), "message", "\x1b[2Jboo");
    EXPECT_EQ(michael.hear(), "Rude says: [2Jboo");
    EXPECT_EQ(mikey.hear(), "Rude says: [2Jboo");
    peer.client().reset();
    EXPECT_EQ(michael.hear(), "Rude has left the room (node down)");
    EXPECT_EQ(mikey.hear(), "Rude has left the room (node down)");
}

TEST_F(Hostile, ErlangNodeThatSpeaksForAnothersProcess) {
    ErlangPeer anna(*server, "anna@localhost");
    anna.tell_room(anna.pid(7), "join", "Anna");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    EXPECT_EQ(mikey.hear(), "Anna has joined the room");
    ErlangPeer thief(*server, "thief@localhost");
    repeat_until_told(*server, "node 2 ignores a message in the name of a process of anna@localhost",
                      [&] { thief.tell_room(anna.pid(7), "message", "I am not Anna"); });
    // Nor may a frame's own sender be another's.
    std::string frame;
    erlang::put_send(frame, anna.pid(7), "chatroom", ErlangPeer::message(anna.pid(7), "message", "I am not Anna"));
    erlang::put_exit(frame, anna.pid(7), {"room1@localhost", 1, 0, 1}, "w\x04kill");
    thief.client().send(frame);
    thief.tell_room(thief.pid(1), "join", "Thief");
    EXPECT_EQ(michael.hear(), "Thief has joined the room");
    EXPECT_EQ(mikey.hear(), "Thief has joined the room");
    EXPECT_EQ(anna.hear().text, "Thief has joined the room");
    anna.tell_room(anna.pid(7), "message", "But I am");
    for (Person* person : {&michael, &mikey}) EXPECT_EQ(person->hear(), "Anna says: But I am");
    thief.client().close();
    for (Person* person : {&michael, &mikey}) EXPECT_EQ(person->hear(), "Thief has left the room (node down)");
    anna.client().close();
    for (Person* person : {&michael, &mikey}) EXPECT_EQ(person->hear(), "Anna has left the room (node down)");
}

TEST_F(Hostile, ErlangNodeThatIsResetWhileItMayNotSpeak) {
    const auto slow = erlang_node({"--rate", "1", "--burst", "2"});
    Person anna(*slow, "Anna");
    ErlangPeer peer(*slow, "ghost@localhost");
    peer.tell_room(peer.pid(1), "join", "Ghost");
    for (int line = 0; line < 100; ++line) peer.tell_room(peer.pid(1), "message", "x");
    EXPECT_EQ(anna.hear(), "Ghost has joined the room");
    slow->wait_for_line("node 1 has Ghost in the room lobby");
    EXPECT_EQ(anna.hear(), "Ghost says: x");
    peer.client().reset();
    // A hundred seconds before the last line would have been said.
    std::string heard;
    while (heard = anna.hear(), heard == "Ghost says: x") {
    }
    EXPECT_EQ(heard, "Ghost has left the room (node down)");
    slow->wait_for_line("node 1 has Ghost no longer in the room lobby");
}

TEST_F(Hostile, ErlangNodeThatNeverReads) {
    ErlangPeer peer(*server, "sleepy@localhost");
    peer.tell_room(peer.pid(1), "join", "Sleepy");
    for (Person* person : {&michael, &mikey}) EXPECT_EQ(person->hear(), "Sleepy has joined the room");
    const std::string text(4000, 'x');
    std::string heard;
    for (int line = 0; line < 5000 && !heard.starts_with("Sleepy"); ++line) {
        michael.say(text);
        heard = michael.hear();
        if (heard.starts_with("Sleepy")) michael.hear();
        mikey.hear();
    }
    EXPECT_EQ(heard, "Sleepy has left the room (node down)");
    mikey.hear();
    server->wait_for_line("node 1 is gone: it reads too slowly");
}

// ---- the door for C++ nodes
// ------------------------------------------------------------------------------------------

std::string hello() {
    std::string frames;
    chat::link::encode(chat::link::Hello{.node = "evil"}, frames);
    chat::link::encode(chat::link::Challenge{1, 2}, frames);
    chat::link::encode(chat::link::Proof{}, frames);
    return frames;
}

TEST_F(Hostile, NodesThatTakeTheirTimeToSayHello) {
    Client silent(server->node_port());
    Client slow(server->node_port());
    dribble(slow, hello());
    server->wait_for_line("is gone: it is silent");
    EXPECT_NO_THROW(silent.wait_for_end());
}

TEST_F(Hostile, NodeThatIsResetWhileItMayNotSpeak) {
    Server slow({"--node-port", "0", "--rate", "1", "--burst", "2"});
    Person anna(slow, "Anna");
    Client peer(slow.node_port());
    std::string frames = hello();
    chat::link::encode(chat::link::Enter{1, "lobby", "Ghost"}, frames);
    for (int line = 0; line < 1000; ++line) chat::link::encode(chat::link::Speak{1, "x"}, frames);
    peer.send(frames);
    EXPECT_EQ(anna.hear(), "Ghost has joined the room");
    EXPECT_EQ(anna.hear(), "Ghost says: x");
    peer.reset();
    std::string heard;
    while (heard = anna.hear(), heard == "Ghost says: x") {
    }
    EXPECT_EQ(heard, "Ghost has left the room (node down)");
}

TEST_F(Hostile, NodesThatAreNone) {
    std::string other_version;
    chat::link::encode(chat::link::Hello{chat::link::magic, 1, "old"}, other_version);
    std::string early;
    chat::link::encode(chat::link::Enter{1, "lobby", "Early"}, early);
    std::string proof;
    chat::link::encode(chat::link::Hello{.node = "evil"}, proof);
    chat::link::encode(chat::link::Challenge{1, 2}, proof);
    chat::link::encode(chat::link::Proof{"0123456789abcdef"}, proof);
    const std::vector<std::pair<std::string, std::string>> peers{
        {"\x00\x00\x00\x04GET "s, "is refused: a message of an unknown type"},
        {"GET / HTTP/1.1\r\n\r\n", "is gone: packet too long"},
        {"\xff\xff\xff\xff"s + std::string(1000, 'x'), ""},  // the same, too soon to be told
        {other_version, "is refused: a node of another version"},
        {early, "is refused: it did not introduce itself"},
        {proof, "is refused: only one of the two nodes has a --link-secret-file"},
    };
    for (const auto& [words, told] : peers) {
        Client peer(server->node_port());
        peer.send(words);
        peer.wait_for_end();
        server->wait_for_line(told);
    }
}

TEST_F(Hostile, NodesThatBreakTheRulesOfTheLink) {
    std::string twice = hello();
    for (const std::string name : {"One", "Two"}) chat::link::encode(chat::link::Enter{1, "x", name}, twice);
    std::string owners = hello();
    chat::link::encode(chat::link::Entered{1, 1}, owners);
    const std::vector<std::pair<std::string, std::string>> peers{
        {hello() + hello(), "it introduces itself twice"},
        {twice, "it uses a number twice"},
        {owners, "it speaks as if the rooms were its own"},
        {hello() + "\x00\x00\x00\x01\x02"s, "a message that ends too early"},
        {hello() + "\x00\x00\x00\x00"s, "a message that ends too early"},
        // Enter with a room's name of 65535 bytes.
        {hello() + "\x00\x00\x00\x0b\x02\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff"s, "a text over its limit"},
    };
    for (std::size_t i = 0; i < peers.size(); ++i) {
        Client peer(server->node_port());
        peer.send(peers[i].first);
        peer.wait_for_end();
        expect_gone("link " + std::to_string(i + 1), peers[i].second);
    }
}

/// Whoever guesses secrets has to wait for each answer, and the story does not grow with the guesses.
TEST_F(Hostile, NodesThatGuessTheSecret) {
    constexpr std::size_t guesses = 20;
    std::string proof;
    chat::link::encode(chat::link::Hello{.node = "evil"}, proof);
    chat::link::encode(chat::link::Challenge{1, 2}, proof);
    chat::link::encode(chat::link::Proof{"0123456789abcdef"}, proof);
    const auto begin = std::chrono::steady_clock::now();
    std::vector<std::unique_ptr<Client>> peers;
    for (std::size_t i = 0; i < guesses; ++i) {
        peers.push_back(std::make_unique<Client>(server->node_port()));
        peers.back()->send(proof);
    }
    for (const auto& peer : peers) peer->wait_for_end();
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1s);
    EXPECT_LT(server->count_lines("is refused: "), guesses / 2);
}

TEST_F(Hostile, NodeWithNamesAndRoomsThatAreNone) {
    Client peer(server->node_port());
    std::string frames = hello();
    chat::link::encode(chat::link::Enter{1, "lobby", "\x1b[31mred"}, frames);
    chat::link::encode(chat::link::Enter{2, "lobby", "michael"}, frames);
    chat::link::encode(chat::link::Enter{3, "\x1b[31mred", "Anna"}, frames);
    chat::link::encode(chat::link::Speak{77, "of nobody"}, frames);
    chat::link::encode(chat::link::Go{78, "of nobody"}, frames);
    peer.send(frames);
    std::vector<std::string> answers;
    while (answers.size() < 3) {
        const auto length = peer.recv_exactly(4);
        const auto message = chat::link::decode(peer.recv_exactly(chat::ByteReader(length).u32()));
        ASSERT_TRUE(message.has_value());
        if (const auto* refused = std::get_if<chat::link::Refused>(&*message)) answers.push_back(refused->why);
    }
    EXPECT_THAT(answers, testing::ElementsAre("a name has no spaces or control characters", "the name is taken",
                                              "a name has no spaces or control characters"));
    michael.expect_silence();
}

// ---- what all of them cost ------------------------------------------------------------------------------------------

/// Two who read nothing: that node, and a person. None of them is behind by as much as one of them may be.
void expect_too_much_waits_for(Server& server, const std::string& node) {
    Person michael(server, "Michael"), mikey(server, "Mikey");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    // More than the system keeps for the node. What it does not keep waits.
    const std::string text(4000, 'x');
    for (int said = 0; said < 1300; ++said) {
        michael.chat("Michael", text);
        mikey.hear();
    }
    mikey.say("/join garden");
    EXPECT_EQ(mikey.hear(), "You are in the room garden as Mikey. /help lists the commands.");
    Client sleepy(server.port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n/join garden\r\n");
    EXPECT_EQ(mikey.hear(), "Sleepy has joined the room");
    for (int said = 0; said < 5000 && server.count_lines(node + " is gone") == 0; ++said) {
        mikey.say(text);
        mikey.hear();
    }
    server.wait_for_line(node + " is gone: too much waits for those who do not read");
}

const std::vector<std::string> eight_mebi_for_all{"--max-backlog", "8388608", "--max-waiting", "8388608"};

TEST(ThatReadNothing, LinksAreCutOffForWhatAllOfThemCost) {
    auto options = eight_mebi_for_all;
    options.insert(options.end(), {"--node-port", "0"});
    Server server(options);
    Client node(server.node_port(), {.receive_buffer = 4096});
    node.send(hello());
    server.wait_for_line("link 1 is connected with");
    expect_too_much_waits_for(server, "link 1");
    EXPECT_EQ(server.count_lines("cuts off its client"), 0u) << "what the link was owed is free, and that is enough";
}

TEST(ThatReadNothing, ErlangNodesAreCutOffForWhatAllOfThemCost) {
    const auto server = erlang_node(eight_mebi_for_all);
    ErlangPeer node(*server, "sleepy@localhost", {.receive_buffer = 4096});
    node.tell_room(node.pid(1), "join", "Somebody");
    server->wait_for_line("node 1 has Somebody in the room lobby");
    expect_too_much_waits_for(*server, "node 1");
}

}  // namespace
}  // namespace chat_tests
