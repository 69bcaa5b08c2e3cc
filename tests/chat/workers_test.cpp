// --workers: the chat as several processes under 04's root, all of them nodes over one etcd.

#include "chat/chat.hpp"
#include "supervised/supervised.hpp"
#include "support/etcd.hpp"

#include <fstream>
#include <sstream>

namespace chat_tests {
namespace {

using supervised::field;
using supervised::Loop;

/// What a test says of itself where there is no etcd.
constexpr const char* no_etcd = "there is no etcd in $PATH (Debian: etcd-server)";

class Workers : public testing::Test {
protected:
    void SetUp() override {
        if (!support::Etcd::is_there()) GTEST_SKIP() << no_etcd;
        etcd_ = std::make_unique<support::Etcd>();
    }

    support::Etcd& etcd() { return *etcd_; }

    /// What every one of them is started with.
    std::vector<std::string> over_etcd(const std::vector<std::string>& options = {}) const {
        std::vector<std::string> all{"--engine", "etcd", "--etcd", etcd_->urls(), "--rate", "0"};
        all.insert(all.end(), options.begin(), options.end());
        return all;
    }

    std::unique_ptr<supervised::Server> serve(const std::vector<std::string>& options = {}) const {
        return std::make_unique<supervised::Server>(over_etcd(options), "05_chat");
    }

private:
    std::unique_ptr<support::Etcd> etcd_;
};

constexpr auto lobby = "You are in the room lobby as ";

/// Comes to that worker, and is in the lobby. The kernel decides who gets whom, so this may take some.
std::unique_ptr<Person> person_at(supervised::Server& server, const std::string& worker, const std::string& name) {
    const support::Deadline deadline(patience());
    std::vector<std::unique_ptr<Person>> others;  // a worker that has people is not more eager
    while (!deadline.passed()) {
        auto person = std::make_unique<Person>(server);
        if (server.worker_of(person->client()) == worker) {
            person->say(name);
            person->hear_up_to(lobby + name + ". /help lists the commands.");
            return person;
        }
        others.push_back(std::move(person));
    }
    throw support::Failure("nobody came to " + worker);
}

/// Somebody who comes, says something, and goes.
void visit(std::uint16_t port, const std::string& name) {
    Client client(port);
    const auto hear = [&](const std::string& wanted) {
        std::string line;
        do line = client.recv_line();
        while (line.find(wanted) == line.npos);
    };
    hear("What is your name?");
    client.send(name + "\r\n");
    hear(lobby + name);
    client.send("Hello!\r\n");
    hear(name + " says: Hello!");
    client.send("/quit\r\n");
    client.recv_until_close();
}

std::string tree_of(supervised::Server& server, std::size_t count = 1) {
    server.signal(SIGUSR1);
    std::string text;
    const auto tree = server.wait_for_event("tree", {}, count);
    for (const auto& line : tree.at("lines").as_array()) text += std::string(line.as_string().c_str()) + "\n";
    return text;
}

struct Crash {
    std::string name;
    std::string line;    // what somebody types; or
    int signal;          // what comes from outside
    std::string reason;  // a part of what is reported

    friend std::ostream& operator<<(std::ostream& out, const Crash& crash) { return out << crash.name; }
};

class WorkerCrash : public Workers, public testing::WithParamInterface<Crash> {};

TEST_P(WorkerCrash, CostsItsOwnPeopleTheirConnectionAndNobodyElseAnything) {
    const auto& crash = GetParam();
    const bool hangs = !crash.line.empty() && crash.signal != 0;
    auto server = serve({"--watchdog-ms", hangs ? "1000" : "0"});
    const auto anna = person_at(*server, "worker-2", "Anna");
    const auto ben = person_at(*server, "worker-1", "Ben");
    EXPECT_EQ(anna->hear(), "Ben has joined the room");
    anna->say("Hello Ben!");
    EXPECT_EQ(ben->hear(), "Anna says: Hello Ben!");
    EXPECT_EQ(anna->hear(), "Anna says: Hello Ben!");

    if (crash.line.empty()) {
        ::kill(server->pid_of("worker-1"), crash.signal);
    } else {
        ben->say(crash.line);
    }
    ben->client().wait_for_end();
    EXPECT_EQ(anna->hear(), "Ben has left the room");
    const auto report = server->wait_for_event("supervisor_report", {field("offender", "worker-1")});
    EXPECT_THAT(std::string(report.at("reason").as_string().c_str()), HasSubstr(crash.reason));

    // It comes back, under the same number, and finds everything as it was; Ben's name is free.
    server->pid_of("worker-1", 2);
    const auto again = person_at(*server, "worker-1", "Ben");
    EXPECT_EQ(anna->hear(), "Ben has joined the room");
    anna->chat("Anna", "Where have you been?");
    EXPECT_EQ(again->hear(), "Anna says: Where have you been?");
    Person newcomer(*server);
    newcomer.say("Carla");
    EXPECT_THAT(newcomer.hear_up_to(lobby + "Carla. /help lists the commands."s),
                testing::IsSupersetOf({"Anna says: Hello Ben!", "Anna says: Where have you been?"}));
    EXPECT_EQ(server->lives_of("worker-2"), 1u);
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait_exit(), exited(0));
}

INSTANTIATE_TEST_SUITE_P(All, WorkerCrash,
                         testing::Values(Crash{"Segv", "!segv", 0, "SIGSEGV"},
                                         Crash{"Exit", "!exit 7", 0, "exit status 7"},
                                         Crash{"Kill", "", SIGKILL, "killed"},
                                         Crash{"Spin", "!spin", SIGABRT, "no heartbeat within 1000 ms: SIGABRT"}),
                         [](const auto& crash) { return crash.param.name; });

TEST_F(Workers, WhoComesWhileNoneIsThereWaits) {
    auto server = serve({"--workers", "1"});
    visit(server->port(), "Anna");
    const auto pid = server->pid_of("worker-1");
    supervised::suspend(pid);
    Client waiting(server->port());  // the kernel lets them in
    ::kill(pid, SIGKILL);
    EXPECT_EQ(waiting.recv_line(), "Welcome! What is your name?\r\n");
}

TEST_F(Workers, ADoorThatThrowsIsOpenedAnew) {
    auto server = serve({"--workers", "1"});
    Person anna(*server, "Anna");
    anna.say("!throw door");
    anna.hear();
    Person last(*server);
    server->wait_for_event("supervisor_report", {field("offender", "acceptor")});
    Person next(*server);
    anna.chat("Anna", "We are all here");
}

// ---- SIGHUP ---------------------------------------------------------------------------------------------------------

TEST_F(Workers, AreReplacedOneByOneAndNobodyIsRefused) {
    auto server = serve({"--shutdown-timeout", "60"});
    std::vector<std::unique_ptr<Loop>> visitors;
    for (int i = 0; i < 3; ++i) {
        visitors.push_back(std::make_unique<Loop>([&, name = "Visitor" + std::to_string(i), count = 0]() mutable {
            visit(server->port(), name + "_" + std::to_string(++count));
        }));
    }
    for (std::size_t round = 1; round <= 2; ++round) {
        for (auto& visitor : visitors) visitor->wait_for_rounds(2);
        server->signal(SIGHUP);
        server->wait_for_event("replaced", {}, 2 * round);
    }
    for (auto& visitor : visitors) visitor->wait_for_rounds(2);
    for (auto& visitor : visitors) EXPECT_THAT(visitor->stop(), IsEmpty());
    EXPECT_EQ(server->workers().size(), 2u);
    EXPECT_EQ(server->lives_of("worker-6"), 1u);
    EXPECT_EQ(server->count_events("supervisor_report"), 0u);
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait_exit(), exited(0));
}

TEST_F(Workers, TheirPeopleStayUntilTheyLeave) {
    auto server = serve({"--workers", "1", "--shutdown-timeout", "3600"});
    Person anna(*server, "Anna");
    server->signal(SIGHUP);
    server->wait_for_event("drains", {"\"worker\":1"});
    Person ben(*server, "Ben");
    EXPECT_EQ(server->worker_of(ben.client()), "worker-2");
    EXPECT_EQ(anna.hear(), "Ben has joined the room");
    anna.chat("Anna", "I am still here");
    EXPECT_EQ(ben.hear(), "Anna says: I am still here");
    anna.leave();
    EXPECT_EQ(ben.hear(), "Anna has left the room");
    server->wait_for_event("replaced", {field("child", "worker-1")});
    EXPECT_THAT(server->workers(), testing::ElementsAre(server->pid_of("worker-2")));
    ben.chat("Ben", "So am I");
}

TEST_F(Workers, TheirPeopleAreSentAwayWhenTheTimeIsOver) {
    auto server = serve({"--workers", "1", "--shutdown-timeout", "0.3"});
    Person anna(*server, "Anna");
    server->signal(SIGHUP);
    EXPECT_EQ(anna.hear(), "The server is closing. Goodbye!");
    anna.client().wait_for_end();
    server->wait_for_event("replaced");
    Person again(*server);
    again.say("Anna");  // is free
    EXPECT_THAT(again.hear_up_to(lobby + "Anna. /help lists the commands."s), testing::SizeIs(1));
}

// ---- SIGUSR1, SIGTERM, and the root's end ---------------------------------------------------------------------------

TEST_F(Workers, TheTreeShowsWhatIsInEachAndWhoIsThere) {
    auto server = serve();
    const auto anna = person_at(*server, "worker-1", "Anna");
    const auto ben = person_at(*server, "worker-2", "Ben");
    const auto tree = tree_of(*server);
    const auto place = [&](const std::string& part) {
        EXPECT_THAT(tree, HasSubstr(part));
        return tree.find(part);
    };
    const auto pid = [&](const std::string& worker) { return std::to_string(server->pid_of(worker)); };
    const auto one = place("    worker-1  " + pid("worker-1") + "  running");
    const auto two = place("    worker-2  " + pid("worker-2") + "  running");
    EXPECT_THAT(tree, testing::StartsWith("root  " + std::to_string(server->process().pid()) + "  one_for_one"));
    EXPECT_THAT(tree, HasSubstr("\n        rooms  "));
    EXPECT_THAT(tree, HasSubstr("\n        acceptor  "));
    const auto annas = place("\n        room lobby: Anna\n"), bens = place("\n        room lobby: Ben\n");
    EXPECT_TRUE(one < annas && annas < two && two < bens) << tree;
}

TEST_F(Workers, SigtermEndsThemInOrder) {
    auto server = serve();
    const auto anna = person_at(*server, "worker-1", "Anna");
    const auto ben = person_at(*server, "worker-2", "Ben");
    anna->hear();
    server->signal(SIGTERM);
    for (const auto& person : {anna.get(), ben.get()}) {
        person->hear_up_to("The server is closing. Goodbye!");
        person->client().wait_for_end();
    }
    EXPECT_EQ(server->wait_exit(), exited(0));
    EXPECT_EQ(server->count_events("supervisor_report"), 0u);
    EXPECT_EQ(server->errors(), "");
}

TEST_F(Workers, CrashAfterCrashIsGivenUp) {
    auto server = serve({"--max-restarts", "1", "--max-seconds", "3600"});
    for (int crash = 1; crash <= 2; ++crash) {
        Person victim(*server);
        victim.say("!segv");
        victim.client().wait_for_end();
    }
    EXPECT_EQ(server->wait_exit(), exited(1));
    EXPECT_TRUE(support::refuses_clients(server->port()));
    EXPECT_THAT(server->errors(), HasSubstr("05_chat gives up: worker-"));
    EXPECT_THAT(server->errors(), HasSubstr("ended: SIGSEGV; 2 restarts within 3600 s, 1 allowed"));
}

TEST_F(Workers, NoneOutlivesTheRoot) {
    auto server = serve({"--workers", "3"});
    const auto pids = server->workers();
    ASSERT_EQ(pids.size(), 3u);
    Person spinning(*server);
    spinning.say("!spin");
    server->wait_for_event("got_data_from_client");
    supervised::suspend(pids[2]);
    server->signal(SIGKILL);
    EXPECT_EQ(server->wait_exit(), killed_by(SIGKILL));  // whoever lives holds its stdout
    EXPECT_TRUE(eventually([&] { return support::refuses_clients(server->port()); }));
    for (const auto pid : pids) EXPECT_TRUE(eventually([&] { return ::kill(pid, 0) != 0; }));
}

// ---- without etcd ---------------------------------------------------------------------------------------------------

TEST_F(Workers, AnEtcdThatIsNotThereIsOneLineAndExit1) {
    etcd().kill();
    const auto finished = run("05_chat", over_etcd({"--port", "0", "--workers", "2"}));
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(finished.lines, IsEmpty());
    EXPECT_THAT(finished.errors, StartsWith("05_chat cannot start: worker-1: "));
    EXPECT_THAT(finished.errors, HasSubstr(etcd().url(0)));
    EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1) << finished.errors;
}

TEST_F(Workers, OneThatCrashesWhileEtcdIsAwayWaitsForIt) {
    auto server = serve({"--workers", "1", "--max-restarts", "1"});
    Person anna(*server, "Anna");
    anna.chat("Anna", "Hello!");
    etcd().kill();
    ::kill(server->pid_of("worker-1"), SIGKILL);
    anna.client().wait_for_end();
    server->pid_of("worker-1", 2);
    Client waiting(server->port());
    // Longer than a node waits for it that is started by a person.
    waiting.expect_silence(7s);
    EXPECT_EQ(server->lives_of("worker-1"), 2u);
    etcd().start();
    EXPECT_EQ(waiting.recv_line(), "Welcome! What is your name?\r\n");
    waiting.send("Anna\r\n");
    EXPECT_EQ(waiting.recv_line(), "Anna says: Hello!\r\n");
    EXPECT_EQ(server->lives_of("worker-1"), 2u);
}

TEST_F(Workers, AreNotReplacedByAnyThatCannotComeUp) {
    auto server = serve({"--workers", "1"});
    Person anna(*server, "Anna");
    etcd().kill();
    server->signal(SIGHUP);
    server->wait_for_event("keeps", {field("child", "worker-1"), etcd().url(0)});
    etcd().start();
    anna.say("I am still here");
    anna.hear_up_to("Anna says: I am still here");
    EXPECT_EQ(server->workers().size(), 1u);
    EXPECT_EQ(server->count_events("supervisor_report", {field("context", "child_terminated")}), 0u);
}

TEST_F(Workers, OneThatWaitsForEtcdEndsWhenItIsToldTo) {
    auto server = serve({"--workers", "1"});
    etcd().kill();
    ::kill(server->pid_of("worker-1"), SIGKILL);
    server->pid_of("worker-1", 2);
    server->signal(SIGTERM);
    EXPECT_EQ(server->wait_exit(), exited(0));
}

// ---- wrong usage ----------------------------------------------------------------------------------------------------

TEST(WorkersUsage, AMistakeIsOneLineAndExit2) {
    const std::vector<std::pair<std::vector<std::string>, std::string>> mistakes{
        {{"--workers", "2"}, "--workers needs --engine etcd"},
        {{"--workers", "2", "--engine", "etcd", "--node-port", "0"}, "--node-port"},
        {{"--workers", "2", "--engine", "etcd", "--sname", "room1"}, "--sname"},
        {{"--workers", "2", "--engine", "etcd", "--join", "127.0.0.1:1"}, "--join"},
        {{"--workers", "257", "--engine", "etcd"}, "--workers: 257"},
        {{"--watchdog-ms", "5"}, "--watchdog-ms needs --workers"},
        {{"--shutdown-timeout", "5"}, "--shutdown-timeout needs --workers"},
    };
    for (const auto& [options, words] : mistakes) {
        const auto finished = run("05_chat", options);
        EXPECT_EQ(finished.exit, exited(2)) << words;
        EXPECT_THAT(finished.errors, HasSubstr(words));
        EXPECT_EQ(std::ranges::count(finished.errors, '\n'), 1) << finished.errors;
        EXPECT_THAT(finished.lines, IsEmpty());
    }
}

TEST(WorkersUsage, AWorkerIsOnlyStartedByARoot) {
    const auto finished = run("05_chat", {"--engine", "etcd", "--workers", "1", "--as-worker", "1"});
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(finished.errors, HasSubstr("05_chat: --as-worker is only for the root to use: "));
    EXPECT_THAT(finished.lines, IsEmpty());
}

}  // namespace
}  // namespace chat_tests
