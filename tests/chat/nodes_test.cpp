// C++ nodes: one has the rooms, the others put their people into them.

#include "chat/chat.hpp"
#include "chat/relay.hpp"

#include <csignal>

namespace chat_tests {
namespace {

/// The node that has the rooms.
class Owner : public Server {
public:
    explicit Owner(std::uint16_t node_port = 0, std::vector<std::string> options = {})
        : Server(with_node_port(node_port, std::move(options))) {}

private:
    static std::vector<std::string> with_node_port(std::uint16_t port, std::vector<std::string> options) {
        options.insert(options.end(), {"--node-port", std::to_string(port)});
        return options;
    }
};

/// A node whose people are in the rooms of another.
std::unique_ptr<Server> guest_of(std::uint16_t node_port, std::vector<std::string> options = {}) {
    options.insert(options.end(), {"--join", "127.0.0.1:" + std::to_string(node_port)});
    return std::make_unique<Server>(options);
}

TEST(Nodes, ShareARoomAsIfItWereOne) {
    Owner owner;
    const auto guest = guest_of(owner.node_port());
    Person michael(owner, "Michael");
    michael.chat("Michael", "Is anybody there?");
    Person mikey(*guest, "Mikey", 1);
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    mikey.say("Hello!");
    EXPECT_EQ(michael.hear(), "Mikey says: Hello!");
    EXPECT_EQ(mikey.hear(), "Mikey says: Hello!");
    michael.chat("Michael", "Grüß dich!");
    EXPECT_EQ(mikey.hear(), "Michael says: Grüß dich!");

    Person second(*guest);
    second.say("MICHAEL");
    EXPECT_EQ(second.hear(), "The name is taken. What is your name?");
    second.say("Anna");
    EXPECT_EQ(second.hear_up_to("You are in the room lobby as Anna. /help lists the commands.").size(), 4u);
    for (Person* person : {&michael, &mikey}) EXPECT_EQ(person->hear(), "Anna has joined the room");

    mikey.say("/who");
    EXPECT_EQ(mikey.hear(), "In the room: Michael, Mikey, Anna");
    mikey.say("/join garden");
    EXPECT_EQ(mikey.hear(), "You are in the room garden as Mikey. /help lists the commands.");
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    EXPECT_EQ(second.hear(), "Mikey has left the room");
    mikey.say("/rooms");
    EXPECT_EQ(mikey.hear(), "Rooms: garden (1), lobby (2)");
    mikey.chat("Mikey", "alone");
    michael.chat("Michael", "with Anna");
    EXPECT_EQ(second.hear(), "Michael says: with Anna");
    mikey.expect_silence();
    second.say("/quit");
    EXPECT_EQ(second.client().recv_until_close(), "Goodbye!\r\n");
    EXPECT_EQ(michael.hear(), "Anna has left the room");
}

TEST(Nodes, OfThreeAllPeopleHearTheSameInTheSameOrder) {
    Owner owner;
    const auto second = guest_of(owner.node_port());
    const auto third = guest_of(owner.node_port());
    std::vector<std::unique_ptr<Person>> people;
    int number = 0;
    for (const Server* node : std::vector<const Server*>{&owner, second.get(), third.get()}) {
        for (int i = 0; i < 2; ++i) {
            people.push_back(std::make_unique<Person>(*node, "p" + std::to_string(number++)));
            for (std::size_t older = 0; older + 1 < people.size(); ++older) people[older]->hear();
        }
    }
    constexpr std::size_t lines = 100;
    for (std::size_t line = 0; line < lines; ++line) {
        for (auto& person : people) person->say(std::to_string(line));
    }
    const auto first = people[0]->hear(people.size() * lines);
    for (auto& person : people) {
        if (person != people[0]) {
            EXPECT_EQ(person->hear(people.size() * lines), first);
        }
    }
    for (std::size_t i = 0; i < people.size(); ++i) {
        const auto beginning = "p" + std::to_string(i) + " says: ";
        std::size_t next = 0;
        for (const auto& line : first) {
            if (line.starts_with(beginning)) {
                EXPECT_EQ(line, beginning + std::to_string(next++));
            }
        }
        EXPECT_EQ(next, lines);
    }
}

TEST(Nodes, TellTheirPeopleThatTheOwnerIsGone) {
    auto owner = std::make_unique<Owner>();
    const auto guest = guest_of(owner->node_port());
    Person mikey(*guest, "Mikey");
    Person nobody(*guest);
    owner->signal(SIGKILL);
    EXPECT_EQ(mikey.hear(), away);
    mikey.say("Hello?");
    EXPECT_EQ(mikey.hear(), away);
    mikey.say("/who");
    EXPECT_EQ(mikey.hear(), away);
    nobody.say("Anna");
    EXPECT_EQ(nobody.hear(), "The node that has this room is away. What is your name?");
    mikey.say("/quit");
    EXPECT_EQ(mikey.client().recv_until_close(), "Goodbye!\r\n");
    EXPECT_EQ(guest->terminate(), exited(0));
}

TEST(Nodes, ComeBackWithTheOwnerWhenTheyMay) {
    auto owner = std::make_unique<Owner>();
    const auto port = owner->node_port();
    const auto guest = guest_of(port, {"--rejoin"});
    const auto faithless = guest_of(port);
    Person mikey(*guest, "Mikey");
    Person anna(*faithless, "Anna");
    EXPECT_EQ(mikey.hear(), "Anna has joined the room");
    owner->signal(SIGKILL);
    owner->wait_exit();
    EXPECT_EQ(mikey.hear(), awaited);
    EXPECT_EQ(anna.hear(), away);
    owner = std::make_unique<Owner>(port);
    Person michael(*owner);
    michael.say("Michael");
    EXPECT_EQ(mikey.hear_up_to("You are in the room lobby as Mikey. /help lists the commands.").size(), 1u);
    mikey.say("Here I am again.");
    michael.hear_up_to("Mikey says: Here I am again.");
    mikey.hear_up_to("Mikey says: Here I am again.");
    anna.say("And I?");
    EXPECT_EQ(anna.hear(), away);
}

TEST(Nodes, WhoseNameWasTakenMeanwhileAreToldSoAndNothingTheySayBecomesTheirName) {
    auto owner = std::make_unique<Owner>();
    const auto port = owner->node_port();
    const auto guest = guest_of(port, {"--rejoin"});
    Person mikey(*guest, "Mikey");
    owner->signal(SIGKILL);
    owner->wait_exit();
    EXPECT_EQ(mikey.hear(), awaited);
    guest->signal(SIGSTOP);  // so that somebody else is faster
    owner = std::make_unique<Owner>(port);
    Person other(*owner, "Mikey");
    guest->signal(SIGCONT);
    constexpr auto taken =
        "The name is taken: you are out of the room, and what you type is lost. /quit, and come in anew.";
    EXPECT_EQ(mikey.hear(), taken);
    mikey.say("Michael");
    EXPECT_EQ(mikey.hear(), taken);
    mikey.say("/quit");
    EXPECT_EQ(mikey.client().recv_until_close(), "Goodbye!\r\n");
    other.chat("Mikey", "Alone.");
}

TEST(Nodes, MayStartBeforeTheOwnerWhenTheyMayWait) {
    std::uint16_t port = 0;
    {
        Owner owner;
        port = owner.node_port();
    }
    const auto guest = guest_of(port, {"--rejoin"});
    guest->wait_for_line("is DOWN: connection refused");
    Person mikey(*guest);
    mikey.say("Mikey");
    EXPECT_EQ(mikey.hear(), "The node that has this room is away. What is your name?");
    Owner owner(port);
    guest->wait_for_line("is linked with the node");
    mikey.say("Mikey");
    EXPECT_EQ(mikey.hear(), "You are in the room lobby as Mikey. /help lists the commands.");
}

TEST(Nodes, AreToldThatWhatTheyJoinIsNoNode) {
    const Server text_door;
    const auto where = "127.0.0.1:" + std::to_string(text_door.port());
    const auto guest = run("05_chat", {"--port", "0", "--join", where});
    EXPECT_EQ(guest.exit, exited(1));
    EXPECT_THAT(guest.errors, StartsWith("cannot join " + where + ": "));
    EXPECT_EQ(std::count(guest.errors.begin(), guest.errors.end(), '\n'), 1) << guest.errors;
}

TEST(Nodes, AreMissedByTheOthersWhenTheyDie) {
    Owner owner;
    auto guest = guest_of(owner.node_port());
    Person michael(owner, "Michael");
    Person mikey(*guest, "Mikey");
    michael.hear();
    guest->signal(SIGKILL);
    EXPECT_EQ(michael.hear(), "Mikey has left the room (node down)");
    michael.chat("Michael", "Oh.");
}

TEST(Nodes, LeaveInOrderWhenTheyAreClosed) {
    Owner owner;
    auto guest = guest_of(owner.node_port());
    Person michael(owner, "Michael");
    Person mikey(*guest, "Mikey");
    michael.hear();
    guest->signal(SIGTERM);
    EXPECT_EQ(mikey.client().recv_until_close(), "The server is closing. Goodbye!\r\n");
    mikey.leave();
    EXPECT_EQ(guest->wait_exit(), exited(0));
    EXPECT_THAT(michael.hear(), StartsWith("Mikey has left the room"));
    owner.signal(SIGTERM);
    michael.client().recv_until_close();
    michael.leave();
    EXPECT_EQ(owner.wait_exit(), exited(0));
}

// Nobody closes anything here: it is silence that tells. A link asks after 4 s and gives up after 8.

TEST(Nodes, ThatHangAreNoticedFromBothSides) {
    Owner owner;
    const auto guest = guest_of(owner.node_port());
    const auto other = guest_of(owner.node_port());
    Person michael(owner, "Michael");
    Person mikey(*guest, "Mikey");
    Person anna(*other, "Anna");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    EXPECT_EQ(mikey.hear(), "Anna has joined the room");
    guest->signal(SIGSTOP);
    // Nobody waits for it meanwhile.
    michael.chat("Michael", "Where is Mikey?");
    EXPECT_EQ(anna.hear(), "Michael says: Where is Mikey?");
    EXPECT_EQ(michael.hear(), "Mikey has left the room (node down)");
    EXPECT_EQ(anna.hear(), "Mikey has left the room (node down)");
    owner.wait_for_line("is gone: it is silent");
    owner.signal(SIGSTOP);
    guest->signal(SIGCONT);
    EXPECT_EQ(mikey.hear_up_to(away).size(), 2u);
    EXPECT_EQ(anna.hear(), away);
    other->wait_for_line("is gone: it is silent");
    owner.signal(SIGCONT);
}

TEST(Nodes, NoticeALinkThatIsCut) {
    Owner owner;
    Relay cable(owner.node_port());
    const auto guest = guest_of(cable.port(), {"--rejoin"});
    Person michael(owner, "Michael");
    Person mikey(*guest, "Mikey");
    michael.hear();
    mikey.chat("Mikey", "Hello!");
    EXPECT_EQ(michael.hear(), "Mikey says: Hello!");
    cable.cut();  // nothing gets through, and nobody is told
    EXPECT_EQ(michael.hear(), "Mikey has left the room (node down)");
    EXPECT_EQ(mikey.hear(), awaited);
    cable.mend();
    EXPECT_EQ(mikey.hear_up_to("You are in the room lobby as Mikey. /help lists the commands.").size(), 2u);
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    mikey.chat("Mikey", "Again!");
}

TEST(Nodes, ThatDoNotReadAreCutOff) {
    Owner owner(0, {"--max-backlog", "65536"});
    const auto guest = guest_of(owner.node_port());
    Person michael(owner, "Michael");
    Person mikey(*guest, "Mikey");
    michael.hear();
    guest->signal(SIGSTOP);
    const std::string text(4000, 'x');
    std::string heard;
    for (int line = 0; line < 5000 && !heard.starts_with("Mikey has left the room"); ++line) {
        michael.say(text);
        heard = michael.hear();
        if (heard.starts_with("Mikey")) michael.hear();
    }
    EXPECT_EQ(heard, "Mikey has left the room (node down)");
    guest->signal(SIGCONT);
}

}  // namespace
}  // namespace chat_tests
