// C++ nodes: one has the rooms, the others put their people into them.

#include "chat/chat.hpp"
#include "chat/relay.hpp"

#include "05_chat/base/bytes.hpp"
#include "05_chat/link/message.hpp"

#include <csignal>
#include <filesystem>
#include <fstream>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

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
    guest->wait_for_line("link tries again in 500 ms");
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
    guest->wait_for_line("link is connected with ");
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

/// The relay hangs up on the guest; the owner notices nothing for 8 s, and has the guest's people meanwhile.
TEST(Nodes, ThatAreBackBeforeTheOwnerMissedThemHaveTheirNames) {
    Owner owner;
    Relay router(owner.node_port());
    const auto guest = guest_of(router.port(), {"--rejoin"});
    Person michael(owner, "Michael");
    Person mikey(*guest, "Mikey");
    michael.hear();
    router.forget_clients();
    EXPECT_EQ(mikey.hear(), awaited);
    EXPECT_EQ(mikey.hear(), "You are in the room lobby as Mikey. /help lists the commands.");
    EXPECT_EQ(michael.hear(), "Mikey has left the room (node down)");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    owner.wait_for_line("link 1 is gone: its node has linked again");
    mikey.chat("Mikey", "Still Mikey.");
    EXPECT_EQ(michael.hear(), "Mikey says: Still Mikey.");
}

TEST(Nodes, ComeBackToARoomFullOfLongLines) {
    Owner owner;
    Relay router(owner.node_port());
    const auto guest = guest_of(router.port(), {"--rejoin"});
    constexpr std::size_t crowd = 40;  // times the history: three times what may wait for one who does not read
    constexpr std::size_t history = 20;
    std::vector<std::unique_ptr<Person>> people;
    for (std::size_t i = 0; i < crowd; ++i) {
        people.push_back(std::make_unique<Person>(*guest, "p" + std::to_string(i)));
        for (std::size_t older = 0; older < i; ++older) people[older]->hear();
    }
    Person michael(owner, "Michael");
    for (std::size_t line = 0; line < history; ++line) michael.chat("Michael", std::string(4000, '#'));
    for (const auto& person : people) EXPECT_EQ(person->hear(1 + history).front(), "Michael has joined the room");
    router.forget_clients();
    for (std::size_t i = 0; i < crowd; ++i) {
        people[i]->hear_up_to(awaited);
        people[i]->hear_up_to("You are in the room lobby as p" + std::to_string(i) + ". /help lists the commands.");
    }
    EXPECT_EQ(owner.count_lines("is gone"), 1u);
}

TEST(Nodes, TellTheirPeopleHowManyLinesDidNotComeBack) {
    Owner owner;
    Relay cable(owner.node_port());
    const auto guest = guest_of(cable.port());
    Person mikey(*guest, "Mikey");
    Person anna(*guest, "Anna");
    EXPECT_EQ(mikey.hear(), "Anna has joined the room");
    mikey.chat("Mikey", "Hello!");
    anna.hear();
    cable.cut();
    mikey.say("Is anybody there?");
    mikey.say("Anna?");
    EXPECT_EQ(mikey.hear(), away);
    EXPECT_EQ(mikey.hear(), "Your last 2 lines did not come back: perhaps the others have not heard them.");
    EXPECT_EQ(anna.hear(), away);
    mikey.say("/who");
    EXPECT_EQ(mikey.hear(), away);
    anna.expect_silence();
}

/// An owner that introduces itself and is there, but answers nothing else.
class SilentOwner {
public:
    SilentOwner() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        EXPECT_EQ(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
        EXPECT_EQ(::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { run(); });
    }
    ~SilentOwner() {
        ::shutdown(listener_.get(), SHUT_RDWR);
        thread_.join();
    }
    std::uint16_t port() const { return port_; }

private:
    void run() const {
        const support::Descriptor guest(::accept(listener_.get(), nullptr, nullptr));
        std::string first_words;
        chat::link::encode(chat::link::Hello{.node = "silent"}, first_words);
        chat::link::encode(chat::link::Challenge{1, 2}, first_words);
        chat::link::encode(chat::link::Proof{}, first_words);
        std::string pong;
        chat::link::encode(chat::link::Pong{0}, pong);
        std::string out = first_words;
        std::array<char, 4096> read;
        do {
            if (::send(guest.get(), out.data(), out.size(), MSG_NOSIGNAL) < 0) return;
            out = pong;  // whatever it was: we are there
        } while (::recv(guest.get(), read.data(), read.size(), 0) > 0);
    }

    support::Descriptor listener_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

TEST(Nodes, DoNotWaitForEverForAnOwnerThatDoesNotAnswer) {
    SilentOwner owner;
    const auto guest = guest_of(owner.port());
    Person mikey(*guest), gone(*guest);
    mikey.say("Mikey");
    gone.say("Gone");
    gone.leave();
    EXPECT_EQ(mikey.hear(), "The node that has this room does not answer. What is your name?");
    guest->wait_for_line("handler 2 connection ");
}

TEST(Nodes, MayHaveOnlySoManyPeople) {
    Owner owner(0, {"--max-node-people", "2"});
    const auto guest = guest_of(owner.node_port());
    Person michael(owner, "Michael");
    Person one(*guest, "One"), two(*guest, "Two");
    Person three(*guest);
    three.say("Three");
    EXPECT_EQ(three.hear(), "Your node has as many people here as it may. What is your name?");
    Person mikey(owner, "Mikey");
    two.say("/quit");
    two.client().recv_until_close();
    three.say("Three");
    EXPECT_EQ(three.hear(), "You are in the room lobby as Three. /help lists the commands.");
}

/// A file with a link's secret, which is there while this object lives.
class SecretFile {
public:
    explicit SecretFile(const std::string& secret, mode_t mode = S_IRUSR)
        : path_(testing::TempDir() + "five-link-" + std::to_string(::getpid()) + "-" + std::to_string(++last_)) {
        std::ofstream(path_) << secret;
        ::chmod(path_.c_str(), mode);
    }
    ~SecretFile() { std::filesystem::remove(path_); }
    SecretFile(const SecretFile&) = delete;
    SecretFile& operator=(const SecretFile&) = delete;
    const std::string& path() const { return path_; }

private:
    static inline int last_ = 0;
    std::string path_;
};

TEST(Nodes, WithTheSameSecretShareARoom) {
    const SecretFile one("a long secret\n"), copy("a long secret");
    Owner owner(0, {"--link-secret-file", one.path()});
    const auto guest = guest_of(owner.node_port(), {"--link-secret-file", copy.path()});
    Person michael(owner, "Michael");
    Person mikey(*guest, "Mikey");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
}

TEST(Nodes, WithAnotherSecretAreRefusedAndBothSidesSayWhy) {
    const SecretFile right("right"), wrong("wrong");
    Owner owner(0, {"--link-secret-file", right.path()});
    const auto where = "127.0.0.1:" + std::to_string(owner.node_port());
    const auto join = [&](std::vector<std::string> options) {
        options.insert(options.end(), {"--port", "0", "--join", where});
        return run("05_chat", options);
    };
    const auto stranger = join({"--link-secret-file", wrong.path()});
    EXPECT_EQ(stranger.exit, exited(1));
    EXPECT_EQ(stranger.errors, "cannot join " + where + ": it refuses us: wrong link secret\n");
    EXPECT_THAT(owner.wait_for_line("is refused: wrong link secret"), StartsWith("link 1 from 127.0.0.1:"));
    const auto without = join({});
    EXPECT_EQ(without.exit, exited(1));
    EXPECT_EQ(without.errors,
              "cannot join " + where + ": it refuses us: only one of the two nodes has a --link-secret-file\n");
}

TEST(Nodes, TellInOneLineWhatIsWrongWithTheSecretsFile) {
    const SecretFile open_to_all("secret", 0444);
    const auto started = run("05_chat", {"--port", "0", "--node-port", "0", "--link-secret-file", open_to_all.path()});
    EXPECT_EQ(started.exit, exited(1));
    EXPECT_EQ(started.errors, "--link-secret-file: " + open_to_all.path() +
                                  " must be accessible by its owner only: chmod 400 " + open_to_all.path() + "\n");
    const auto useless = run("05_chat", {"--port", "0", "--link-secret-file", open_to_all.path()});
    EXPECT_EQ(useless.exit, exited(2));
    EXPECT_THAT(useless.errors, HasSubstr("--link-secret-file needs --node-port, or --join HOST:PORT"));
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
