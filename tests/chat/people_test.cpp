// The text door from outside: what people, and programs that read lines, say to it and hear.

#include "chat/chat.hpp"

#include <csignal>

namespace chat_tests {
namespace {

using testing::ElementsAre;

TEST(People, JoinSpeakAndLeaveInTheWordsOfTheOriginal) {
    Server server;
    Person michael(server, "Michael");
    Person mikey(server, "Mikey");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    michael.say("Hello!");
    EXPECT_EQ(michael.hear(), "Michael says: Hello!");
    EXPECT_EQ(mikey.hear(), "Michael says: Hello!");
    mikey.chat("Mikey", "Hi, Michael!");
    EXPECT_EQ(michael.hear(), "Mikey says: Hi, Michael!");
    mikey.say("/quit");
    EXPECT_EQ(mikey.client().recv_until_close(), "Goodbye!\r\n");
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    michael.expect_silence();
}

TEST(People, OfThreeAllHearTheSameInTheSameOrder) {
    Server server;
    std::vector<std::unique_ptr<Person>> people;
    for (const std::string name : {"a", "b", "c"}) {
        people.push_back(std::make_unique<Person>(server, name));
        for (std::size_t older = 0; older + 1 < people.size(); ++older) people[older]->hear();
    }
    constexpr int lines = 50;
    for (int line = 0; line < lines; ++line) {
        for (auto& person : people) person->say(std::to_string(line));
    }
    const auto first = people[0]->hear(3 * lines);
    EXPECT_EQ(people[1]->hear(3 * lines), first);
    EXPECT_EQ(people[2]->hear(3 * lines), first);
    for (const std::string name : {"a", "b", "c"}) {
        int next = 0;
        for (const auto& line : first) {
            if (line.starts_with(name)) {
                EXPECT_EQ(line, name + " says: " + std::to_string(next++));
            }
        }
        EXPECT_EQ(next, lines);
    }
}

TEST(People, AreToldWhyANameIsRefusedAndMayTryAgain) {
    Server server;
    Person michael(server, "Michael");
    Person person(server);
    for (const auto& [name, answer] : std::vector<std::pair<std::string, std::string>>{
             {"", "A name needs at least one character"},
             {"   ", "A name needs at least one character"},
             {"Michael", "The name is taken"},
             {"mICHAEL", "The name is taken"},
             {"two words", "A name has no spaces or control characters"},
             {"e\x1b[31mred", "A name has no spaces or control characters"},
             {"bell\a", "A name has no spaces or control characters"},
             {"turned\u202e", "A name has nothing invisible in it"},
             {"Michael\u200d", "A name has nothing invisible in it"},
             {"wide\u00a0space", "A name has no spaces or control characters"},
             {std::string(33, 'x'), "A name has at most 32 characters"},
             {"\xff\xff\xc3(", "The name is not UTF-8"},
         }) {
        person.say(name);
        EXPECT_EQ(person.hear(), answer + ". What is your name?") << name;
    }
    person.say("/who");
    EXPECT_EQ(person.hear(), "First tell me your name.");
    std::string name;
    for (int i = 0; i < 32; ++i) name += "é";
    person.say(name);
    EXPECT_EQ(person.hear(), "You are in the room lobby as " + name + ". /help lists the commands.");
    EXPECT_EQ(michael.hear(), name + " has joined the room");
}

TEST(People, MayTakeANameThatHasBecomeFree) {
    Server server;
    Person mikey(server, "Mikey");
    {
        Person michael(server, "Michael");
        EXPECT_EQ(mikey.hear(), "Michael has joined the room");
    }
    EXPECT_EQ(mikey.hear(), "Michael has left the room");
    Person michael(server, "michael");
}

TEST(People, AskWhoIsThereAndWhichRoomsThereAre) {
    Server server;
    Person michael(server, "Michael");
    Person mikey(server, "Mikey");
    michael.hear();
    mikey.say("/who");
    EXPECT_EQ(mikey.hear(), "In the room: Michael, Mikey");
    mikey.say("/rooms");
    EXPECT_EQ(mikey.hear(), "Rooms: lobby (2)");
    mikey.say("/join garden");
    EXPECT_EQ(mikey.hear(), "You are in the room garden as Mikey. /help lists the commands.");
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    mikey.say("/rooms");
    EXPECT_EQ(mikey.hear(), "Rooms: garden (1), lobby (1)");
    mikey.say("/who");
    EXPECT_EQ(mikey.hear(), "In the room: Mikey");
    mikey.chat("Mikey", "Is anybody here?");
    michael.expect_silence();
    mikey.say("/join LOBBY");
    EXPECT_EQ(mikey.hear_up_to("You are in the room LOBBY as Mikey. /help lists the commands.").size(), 1u);
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    michael.say("/rooms");
    EXPECT_EQ(michael.hear(), "Rooms: lobby (2)");
    michael.say("/nonsense");
    EXPECT_EQ(michael.hear(), "There is no command /nonsense; /help lists them.");
    michael.say("/help");
    for (const std::string command : {"/who", "/rooms", "/join ROOM", "/me ", "/quit", "/help"}) {
        EXPECT_THAT(michael.hear(), StartsWith(command));
    }
    EXPECT_EQ(michael.hear(), "Everything else you type is said to the room.");
    michael.expect_silence();
}

TEST(People, WhoComeLaterAreShownTheLastThingsSaid) {
    Server server({"--history", "3"});
    Person michael(server, "Michael");
    for (const std::string text : {"one", "two", "three", "four"}) michael.chat("Michael", text);
    Person mikey(server);
    mikey.say("Mikey");
    EXPECT_THAT(mikey.hear(4), ElementsAre("Michael says: two", "Michael says: three", "Michael says: four",
                                           "You are in the room lobby as Mikey. /help lists the commands."));
}

TEST(People, ComeIntoARoomWhoseHistoryIsMoreThanTheyMayBeBehind) {
    Server server({"--max-backlog", "65536", "--node-port", "0"});
    Person michael(server, "Michael");
    const std::string line(4096, 'x');
    for (int said = 0; said < 20; ++said) michael.chat("Michael", line);
    Person mikey(server, "Mikey", 7);  // as many of them as half the backlog holds
    michael.hear();
    // Over a link, too: the whole node would go down with one newcomer.
    Server guests({"--join", "127.0.0.1:" + std::to_string(server.node_port())});
    Person anna(guests, "Anna", 7);
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    EXPECT_EQ(mikey.hear(), "Anna has joined the room");
    anna.chat("Anna", "Here we are");
}

TEST(People, AreNotTakenForSlowBecauseMuchIsSaidAtOnce) {
    Server server({"--max-backlog", "65536"});
    const std::string name(32, 'm');
    Person michael(server, name);
    Person mikey(server, "Mikey");
    EXPECT_EQ(michael.hear(), "Mikey has joined the room");
    // One read of the server's, in which nobody else has a turn.
    constexpr std::size_t lines = 3000;
    std::string burst;
    for (std::size_t i = 0; i < lines; ++i) burst += "x\n";
    michael.client().send(burst);
    for (Person* person : {&mikey, &michael}) EXPECT_EQ(person->hear(lines).back(), name + " says: x");
}

TEST(People, AreNotShownControlCharactersOfOthers) {
    Server server;
    Person michael(server, "Michael");
    michael.say("a\x1b[2Jb\a\x7f\u0085c é 日本");
    EXPECT_EQ(michael.hear(), "Michael says: a[2Jbc é 日本");
    michael.say("x\u2028server stopped\u202e\u2066 שלום\u200f 👩\u200d🚀");
    EXPECT_EQ(michael.hear(), "Michael says: xserver stopped שלום\u200f 👩\u200d🚀");
    michael.say("\xff\xff\xc3(");
    EXPECT_EQ(michael.hear(), "The line is not UTF-8.");
    michael.chat("Michael", "still here");
}

TEST(People, MayEndTheirLinesAsTheyLikeAndPauseInThem) {
    Server server;
    Person michael(server, "Michael");
    for (const auto& ending : std::vector<std::string>{"\n", "\r\n", "\r\0"s}) {
        michael.client().send("wo");
        michael.client().send("rd" + ending);
        EXPECT_EQ(michael.hear(), "Michael says: word");
    }
    // Enter alone says nothing, and an unfinished last line counts.
    michael.client().send("\r\n\r\nlast");
    michael.client().half_close();
    EXPECT_EQ(michael.client().recv_until_close(), "Michael says: last\r\n");
}

TEST(People, HearOfALineThatIsTooLongAndStay) {
    Server server;
    Person michael(server, "Michael");
    Person mikey(server, "Mikey");
    michael.hear();
    michael.say(std::string(10'000, 'x'));
    EXPECT_EQ(michael.hear(), "The line is too long.");
    michael.say(std::string(4097, 'x'));
    EXPECT_EQ(michael.hear(), "The line is too long.");
    michael.chat("Michael", std::string(4096, 'x'));
    EXPECT_EQ(mikey.hear(), "Michael says: " + std::string(4096, 'x'));
    mikey.expect_silence();
}

TEST(People, WhoseLineNeverEndsAreToldAndClosed) {
    Server server;
    Person michael(server, "Michael");
    Person mikey(server, "Mikey");
    michael.hear();
    const std::string endless(100'000, 'x');
    mikey.client().send(endless);
    EXPECT_EQ(mikey.hear(), "The line is too long. Goodbye!");
    EXPECT_EQ(mikey.client().wait_for_end(), Client::End::closed);
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
}

TEST(People, MayBeProgramsThatSayAllAtOnce) {
    if (!support::is_installed("nc")) GTEST_SKIP() << "nc is not installed (apt-get install netcat-openbsd)";
    Server server;
    const auto nc =
        support::run_to_end(shell("printf 'Michael\\nHello!\\n' | nc -N 127.0.0.1 " + std::to_string(server.port())));
    EXPECT_EQ(nc.exit, exited(0));
    EXPECT_THAT(nc.lines, ElementsAre("Welcome! What is your name?\r",
                                      "You are in the room lobby as Michael. /help lists the commands.\r",
                                      "Michael says: Hello!\r"));
    // Without -N it stays, and hears what comes.
    support::Program stays(shell("printf 'Michael\\nHello!\\n' | nc 127.0.0.1 " + std::to_string(server.port())));
    stays.wait_for_line("Michael says: Hello!", 2);  // the first is history
    Person mikey(server, "Mikey", 2);
    stays.wait_for_line("Mikey has joined the room");
}

TEST(People, WhoAreFastAreReadMoreSlowlyAndLoseNothing) {
    Server server({"--rate", "10", "--burst", "2"});
    Person mikey(server, "Mikey");
    Client michael(server.port());
    const auto begin = std::chrono::steady_clock::now();
    michael.send("Michael\n1\n2\n3\n4\n5\n6\n");
    EXPECT_EQ(mikey.hear(), "Michael has joined the room");
    for (int line = 1; line <= 6; ++line) EXPECT_EQ(mikey.hear(), "Michael says: " + std::to_string(line));
    // Seven lines with the name, two of them at once, the others a tenth of a second apart.
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 500ms);
}

TEST(People, WhoAreSilentAreAskedAndThenSentAway) {
    Server server({"--idle-timeout", "0.5"});
    Person mikey(server, "Mikey");
    EXPECT_EQ(mikey.hear(), "Are you still there? Press Enter, or I shall say goodbye.");
    mikey.say("");  // yes
    EXPECT_EQ(mikey.hear(), "Are you still there? Press Enter, or I shall say goodbye.");
    EXPECT_EQ(mikey.hear(), "Goodbye!");
    EXPECT_EQ(mikey.client().wait_for_end(), Client::End::closed);
    server.wait_for_line("has been idle for 500 ms");
}

TEST(People, FindAFullRoomClosedUntilSomebodyLeaves) {
    Server server({"--max-people", "2", "--max-rooms", "2"});
    Person michael(server, "Michael");
    auto mikey = std::make_unique<Person>(server, "Mikey");
    michael.hear();
    Person third(server);
    third.say("Third");
    EXPECT_EQ(third.hear(), "The room is full. What is your name?");
    mikey.reset();
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    third.say("Third");
    EXPECT_EQ(third.hear(), "You are in the room lobby as Third. /help lists the commands.");
    EXPECT_EQ(michael.hear(), "Third has joined the room");
    third.say("/join garden");
    EXPECT_EQ(third.hear(), "You are in the room garden as Third. /help lists the commands.");
    michael.hear();
    michael.say("/join cellar");
    EXPECT_EQ(michael.hear(), "There are too many rooms already.");
    michael.chat("Michael", "here, then");
}

TEST(People, WhoDoNotReadAreCutOffAndNobodyWaitsForThem) {
    Server server({"--max-backlog", "65536", "--log", "json"});
    Person michael(server, "Michael");
    Client sleepy(server.port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n");
    EXPECT_EQ(michael.hear(), "Sleepy has joined the room");
    const auto before = server.process().resident_bytes();
    const std::string text(4000, 'x');
    const std::string line = "Michael says: " + text;
    // The system keeps some megabytes for Sleepy besides; then the bound counts.
    std::string heard;
    for (int said = 0; heard != "Sleepy has left the room (it reads too slowly)" && said < 5000; ++said) {
        michael.say(text);
        heard = michael.hear();
        if (heard != line) {
            EXPECT_EQ(michael.hear(), line);
        }
    }
    EXPECT_EQ(heard, "Sleepy has left the room (it reads too slowly)");
    server.wait_for_line("\"cuts_off_client\"");
    // A sanitizer keeps what was freed for a while.
    if (!support::sanitized) {
        EXPECT_LT(server.process().resident_bytes(), before + (4u << 20));
    }
}

TEST(People, WhoseConnectionBreaksHaveLeft) {
    Server server;
    Person michael(server, "Michael");
    Person mikey(server, "Mikey");
    michael.hear();
    mikey.client().reset();
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    server.wait_for_line("connection lost");
}

TEST(People, WhoAreResetWhileTheyPauseHaveLeft) {
    Server server({"--rate", "1", "--burst", "2"});
    Person michael(server, "Michael");
    Client ghost(server.port());
    std::string lines = "Ghost\n";
    for (int line = 0; line < 1000; ++line) lines += "x\n";
    ghost.send(lines);
    EXPECT_EQ(michael.hear(), "Ghost has joined the room");
    EXPECT_EQ(michael.hear(), "Ghost says: x");
    ghost.reset();
    // A thousand seconds before the last line would have been said.
    while (michael.hear() == "Ghost says: x") {
    }
    server.wait_for_line("handler 2 connection lost: connection reset by peer");
    Person back(server);
    back.say("Ghost");
    back.hear_up_to("You are in the room lobby as Ghost. /help lists the commands.");
}

TEST(People, WhoHalfCloseWhileTheyPauseAreHeardToTheEnd) {
    Server server({"--rate", "10", "--burst", "2"});
    Person michael(server, "Michael");
    Client program(server.port());
    program.send("Program\n1\n2\n3\n4\n5");
    program.half_close();
    EXPECT_EQ(michael.hear(), "Program has joined the room");
    for (int line = 1; line <= 5; ++line) EXPECT_EQ(michael.hear(), "Program says: " + std::to_string(line));
    EXPECT_EQ(michael.hear(), "Program has left the room");
}

TEST(People, WhoReadNothingAreCutOffInTime) {
    Server server({"--idle-timeout", "1", "--max-backlog", "67108864"});
    Person michael(server, "Michael");
    Client sleepy(server.port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n");
    EXPECT_EQ(michael.hear(), "Sleepy has joined the room");
    // Awake, but not reading. The system keeps some megabytes, and the room far more than comes. On a slow machine
    // their time is over while these are still said.
    constexpr int long_lines = 2000;
    const std::string text(4000, 'x');
    std::string heard;
    const support::Deadline deadline(patience());
    for (int said = 0; !heard.starts_with("Sleepy") && !deadline.passed(); ++said) {
        try {
            sleepy.send_some("\r\n");
        } catch (const support::Failure&) {  // they are cut off, and Michael is about to hear it
        }
        michael.say(said < long_lines ? text : "Wake up!");
        heard = michael.hear();
    }
    EXPECT_EQ(heard, "Sleepy has left the room (it reads nothing)");
}

TEST(People, WhoDoNotReadAreCutOffForWhatAllOfThemCost) {
    Server server({"--max-waiting", "1048576"});
    Person michael(server, "Michael"), mikey(server, "Mikey");
    Client first(server.port(), {.receive_buffer = 4096}), second(server.port(), {.receive_buffer = 4096});
    first.send("First\r\n");
    EXPECT_EQ(michael.hear_up_to("First has joined the room").size(), 2u);
    mikey.say("/join garden");
    mikey.hear_up_to("You are in the room garden as Mikey. /help lists the commands.");
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    second.send("Second\r\n/join garden\r\n");
    EXPECT_EQ(mikey.hear(), "Second has joined the room");
    michael.hear_up_to("Second has left the room");
    // Each of the two is behind by half of what one of them might be alone. Which of them has taken nothing for longer
    // is the system's affair; that one goes.
    const std::string text(4000, 'x');
    std::string heard;
    for (int said = 0; !heard.ends_with(")") && said < 10'000; ++said) {
        Person& speaker = said % 2 == 0 ? mikey : michael;
        speaker.say(text);
        heard = speaker.hear();
    }
    EXPECT_THAT(heard, testing::EndsWith(" has left the room (too much waits for those who do not read)"));
}

TEST(People, WhoAreCutOffAreToldWhyAfterAWholeLine) {
    Server server({"--max-backlog", "65536"});
    Person michael(server, "Michael");
    Client sleepy(server.port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n");
    EXPECT_EQ(michael.hear(), "Sleepy has joined the room");
    const std::string text(4000, 'x');
    for (int said = 0; said < 5000; ++said) {
        michael.say(text);
        if (michael.hear().starts_with("Sleepy has left")) break;
    }
    // Then they wake up.
    const std::string all = sleepy.recv_until_close();
    EXPECT_THAT(all, testing::EndsWith("\r\nYou are cut off: it reads too slowly. Goodbye!\r\n"));
}

TEST(People, WhoGiveNoNameAreSentAway) {
    Server server({"--name-timeout", "0.3"});
    Person michael(server, "Michael");
    Person nobody(server);
    EXPECT_EQ(nobody.hear(), "You have not told me your name. Goodbye!");
    EXPECT_EQ(nobody.client().wait_for_end(), Client::End::closed);
    michael.chat("Michael", "I have a name");
    // Only names that are one count.
    Person odd(server);
    odd.say("two words");
    odd.hear();
    EXPECT_EQ(odd.hear(), "You have not told me your name. Goodbye!");
}

TEST(People, WhoGiveNoNameKeepNobodyOut) {
    Server server({"--node-port", "0"}, {.words = {}, .max_open_files = 100});
    std::vector<std::unique_ptr<Client>> silent;
    for (int client = 0; client < 150; ++client) silent.push_back(std::make_unique<Client>(server.port()));
    Person michael(server, "Michael");
    EXPECT_EQ(silent.front()->recv_until_close(),
              "Welcome! What is your name?\r\nYou are in no room yet, and others need the place. Goodbye!\r\n");
    // The door for nodes is open, too.
    Server guests({"--join", "127.0.0.1:" + std::to_string(server.node_port())});
    Person anna(guests, "Anna");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
}

TEST(People, WhoFindEveryPlaceTakenAreToldSo) {
    Server server({}, {.words = {}, .max_open_files = 100});
    std::vector<std::unique_ptr<Person>> people;
    for (int person = 0; person < 50; ++person) {
        people.push_back(std::make_unique<Person>(server, "p" + std::to_string(person)));
    }
    Client late(server.port());
    EXPECT_EQ(late.recv_until_close(), "ERROR the server has no place left: try again later\r\n");
    people.front()->say("/quit");
    people.front()->client().wait_for_end();
    people.front()->leave();
    EXPECT_TRUE(eventually([&] { return Client(server.port()).recv_line() == "Welcome! What is your name?\r\n"; }));
}

TEST(People, WhoComeByTheHundredWaitForTheirTurn) {
    Server server({"--rate", "2"});
    std::vector<std::unique_ptr<Client>> people;
    const auto begin = std::chrono::steady_clock::now();
    for (int person = 0; person < 120; ++person) {
        people.push_back(std::make_unique<Client>(server.port()));
        people.back()->send("p" + std::to_string(person) + "\n");
    }
    people.back()->recv_line();
    EXPECT_THAT(people.back()->recv_line(), StartsWith("You are in the room lobby as p119"));
    EXPECT_GE(std::chrono::steady_clock::now() - begin, 1500ms);  // twenty of them, a tenth of a second each
}

TEST(People, OutliveAShortageOfMemory) {
    if (support::sanitized) GTEST_SKIP() << "a sanitizer needs terabytes of address space";
    Server server({"--max-backlog", "134217728", "--max-waiting", "134217728"},
                  {.words = {}, .max_address_space = std::uint64_t{64} << 20});
    Person michael(server, "Michael");
    Client sleepy(server.port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n");
    EXPECT_EQ(michael.hear(), "Sleepy has joined the room");
    const std::string text(4000, 'x');
    std::string heard;
    for (int said = 0; !heard.starts_with("Sleepy has left") && said < 40'000; ++said) {
        michael.say(text);
        heard = michael.hear();
    }
    EXPECT_EQ(heard, "Sleepy has left the room (it reads nothing)");
    michael.hear();
    michael.chat("Michael", "That was close");
    EXPECT_EQ(server.terminate(), exited(0));
}

TEST(People, AreNotWebPages) {
    Server server;
    Person michael(server, "Michael");
    Client browser(server.port());
    browser.send("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept:*/*\r\n\r\nhello\r\n");
    EXPECT_EQ(browser.recv_line(), "Welcome! What is your name?\r\n");
    EXPECT_EQ(browser.recv_line(), "This is a chat, and no web server. Goodbye!\r\n");
    browser.wait_for_end();
    michael.expect_silence();
}

TEST(People, AreShownToTheOperatorAtSigusr1AndNotEndedBySighup) {
    Server server({"--node-port", "0"});
    Server guests({"--join", "127.0.0.1:" + std::to_string(server.node_port())});
    Person michael(server, "Michael");
    Person anna(guests, "Anna");
    EXPECT_EQ(michael.hear(), "Anna has joined the room");
    server.wait_for_line("link 1 has Anna in the room lobby");
    michael.say("/join garden");
    michael.hear();
    server.wait_for_line("server opens the room garden");
    for (Server* each : {&server, &guests}) {
        each->signal(SIGHUP);
        each->wait_for_line("server got signal SIGHUP");
        each->signal(SIGUSR1);
        each->wait_for_line("    acceptor");
        each->wait_for_line("    room lobby: Anna");
    }
    server.wait_for_line("    room garden: Michael");
    michael.say("/quit");
    server.wait_for_line("server closes the room garden: nobody is in it");
    anna.leave();
    server.wait_for_line("link 1 has Anna no longer in the room lobby");
}

TEST(People, WhoNeverGiveANameAreNothingToTheRoom) {
    Server server;
    Person michael(server, "Michael");
    Person nobody(server);
    nobody.say("/rooms");
    EXPECT_EQ(nobody.hear(), "Rooms: lobby (1)");
    nobody.leave();
    server.wait_for_line("connection closed");
    michael.expect_silence();
}

TEST(People, WhoTalkAndDoNotReadDoNotHoldUpTheEnd) {
    Server server({"--max-backlog", "67108864"});
    Person michael(server, "Michael");
    Client sleepy(server.port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n");
    EXPECT_EQ(michael.hear(), "Sleepy has joined the room");
    // More than the system keeps: then whoever talks is not read either, until they read.
    for (int said = 0; said < 2000; ++said) michael.chat("Michael", std::string(4000, 'x'));
    sleepy.send("Hello!\r\n");
    EXPECT_EQ(michael.hear(), "Sleepy says: Hello!");
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(People, AreToldWhenTheServerCloses) {
    for (const int signal : {SIGTERM, SIGINT}) {
        Server server;
        Person michael(server, "Michael");
        Person nobody(server);
        server.signal(signal);
        EXPECT_EQ(michael.client().recv_until_close(), "The server is closing. Goodbye!\r\n");
        EXPECT_EQ(nobody.client().recv_until_close(), "The server is closing. Goodbye!\r\n");
        michael.leave();
        nobody.leave();
        EXPECT_EQ(server.wait_exit(), exited(0));
        EXPECT_TRUE(support::refuses_clients(server.port()));
        EXPECT_EQ(server.lines().back(), "server stopped");
    }
}

// A system that gets bytes which nobody will read resets the connection, and forgets what was to be sent.
TEST(People, WhoTypeWhileTheServerClosesAreSentWhatTheyAreOwed) {
    Server server;
    Person michael(server, "Michael");
    Client busy(server.port(), {.receive_buffer = 4096});
    busy.send("Busy\r\n");
    EXPECT_EQ(michael.hear(), "Busy has joined the room");
    for (int said = 0; said < 50; ++said) michael.chat("Michael", std::string(4000, 'x'));
    server.signal(SIGTERM);
    EXPECT_EQ(michael.client().recv_until_close(), "The server is closing. Goodbye!\r\n");
    // Our end of the stream is still open.
    std::string heard;
    while (heard != "The server is closing. Goodbye!\r\n") {
        busy.send_some("Are you there?\r\n");
        heard = busy.recv_line();
    }
    busy.close();
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(People, WhoDoNotReadDoNotKeepTheServerFromClosing) {
    Server server;
    Person michael(server, "Michael");
    Client sleepy(server.port(), {.receive_buffer = 4096});
    sleepy.send("Sleepy\r\n");
    EXPECT_EQ(michael.hear(), "Sleepy has joined the room");
    for (int line = 0; line < 100; ++line) michael.chat("Michael", std::string(4000, 'x'));
    EXPECT_EQ(server.terminate(), exited(0));
}

TEST(People, MayBreakTheirOwnSessionWithAFaultAndNoOther) {
    Server server({"--faults"});
    Person michael(server, "Michael");
    Person mikey(server, "Mikey");
    michael.hear();
    mikey.say("!throw");
    EXPECT_EQ(michael.hear(), "Mikey has left the room");
    EXPECT_EQ(mikey.client().wait_for_end(), Client::End::closed);
    server.wait_for_line("crashed: !throw");
    michael.chat("Michael", "hm");
}

}  // namespace
}  // namespace chat_tests
