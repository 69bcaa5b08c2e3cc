#include "supervised/supervised.hpp"
#include "support/flood.hpp"

// Who pays for a crash: one session, or one worker and its own clients; nobody else, ever.

using namespace supervised;

namespace {

TEST(Throw, CostsOneSession) {
    Server server;
    Client victim(server.port());
    ask(victim);
    const auto worker = server.worker_of(victim);
    const auto neighbour = server.client_of(worker);
    ask(*neighbour);
    victim.send("!throw\r\n");
    EXPECT_EQ(victim.wait_for_end(), Client::End::closed);
    const auto report = server.wait_for_event("supervisor_report");
    EXPECT_EQ(report.at("supervisor"), "sessions");
    EXPECT_EQ(report.at("context"), "child_terminated");
    EXPECT_EQ(report.at("reason"), "!throw");
    EXPECT_EQ(report.at("offender"), "session");
    ask(*neighbour);
    EXPECT_EQ(server.lives_of(worker), 1u);
}

struct Crash {
    std::string name;
    std::string line;    // what a client types; or
    int signal;          // what comes from outside
    std::string reason;  // a part of what is reported

    friend std::ostream& operator<<(std::ostream& out, const Crash& crash) { return out << crash.name; }
};

class Crashes : public testing::TestWithParam<Crash> {};

TEST_P(Crashes, CostOneWorkerAndItsOwnClients) {
    const auto& crash = GetParam();
    const bool hangs = crash.reason.starts_with("no heartbeat");
    Server server({"--workers", "3", "--watchdog-ms", hangs ? "1000" : "0", "--max-restarts", "100"});
    Client victim(server.port());
    ask(victim);
    const auto worker = server.worker_of(victim);
    const auto neighbour = server.client_of(worker);
    ask(*neighbour);

    std::vector<std::unique_ptr<Client>> bystanders;
    std::vector<std::unique_ptr<Loop>> loops;
    for (const std::string other : {"worker-1", "worker-2", "worker-3"}) {
        if (other == worker) continue;
        bystanders.push_back(server.client_of(other));
        loops.push_back(std::make_unique<Loop>([&client = *bystanders.back()] {
            ask(client);
            // A server that tells more than is read leaves lines out, and we wait for some of them.
            std::this_thread::sleep_for(1ms);
        }));
        loops.back()->wait_for_rounds(10);
    }

    if (crash.line.empty()) {
        ::kill(server.pid_of(worker), crash.signal);
    } else {
        victim.send(crash.line + "\r\n");
    }
    victim.wait_for_end();
    neighbour->wait_for_end();
    const auto report = server.wait_for_event("supervisor_report", {field("offender", worker)});
    EXPECT_EQ(report.at("supervisor"), "root");
    EXPECT_EQ(report.at("context"), "child_terminated");
    EXPECT_THAT(report.at("reason").as_string().c_str(), HasSubstr(crash.reason));
    server.pid_of(worker, 2);
    ask(*server.client_of(worker));  // its second life serves

    for (auto& loop : loops) {
        loop->wait_for_rounds(10);
        EXPECT_THAT(loop->stop(), IsEmpty());
    }
    std::size_t lives = 0;
    for (const std::string any : {"worker-1", "worker-2", "worker-3"}) lives += server.lives_of(any);
    EXPECT_EQ(lives, 4u) << "somebody else was restarted";
    EXPECT_EQ(server.workers().size(), 3u);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

INSTANTIATE_TEST_SUITE_P(All, Crashes,
                         testing::Values(Crash{"Abort", "!abort", 0, "SIGABRT"}, Crash{"Segv", "!segv", 0, "SIGSEGV"},
                                         Crash{"StackOverflow", "!overflow", 0, "SIGSEGV"},
                                         Crash{"Exit", "!exit 3", 0, "exit status 3"},
                                         Crash{"Sigkill", "", SIGKILL, "killed"},
                                         Crash{"Spin", "!spin", 0, "no heartbeat within 1000 ms: SIGABRT"},
                                         Crash{"Sigstop", "", SIGSTOP, "no heartbeat within 1000 ms: SIGKILL"}),
                         [](const auto& instance) { return instance.param.name; });

// With two event loops, the one that does not spin still answers its clients, but no heartbeat gets by the other one.
TEST(Spin, InOneOfSeveralLoopsIsFound) {
    Server server({"--workers", "1", "--threads", "2", "--watchdog-ms", "500"});
    Client first(server.port()), second(server.port());
    ask(first);
    ask(second);
    first.send("!spin\r\n");
    server.wait_for_event("supervisor_report", {field("offender", "worker-1")});
    second.wait_for_end();
}

// One read of 64 KiB holds 65536 empty lines. A loop that is busy with those of many clients is not hung.
TEST(Watchdog, SparesTheBusy) {
    Server server({"--workers", "4"});
    Client innocent(server.port());
    ask(innocent);
    const auto workers = server.workers();
    server.close_output();  // what is told of so many lines, nobody here wants to read
    const support::LineFeedFlood flood(server.port(), 200);
    const support::Deadline until(5s);  // more than twice the watchdog's time
    while (!until.passed()) {
        ask(innocent);
        std::this_thread::sleep_for(50ms);
    }
    EXPECT_EQ(server.workers(), workers);
}

TEST(WaitingClient, IsServedByTheNextLifeOfTheWorker) {
    Server server({"--workers", "1"});
    const auto worker = server.pid_of("worker-1");
    server.wait_for_event("waits_for_client", {}, 8);
    suspend(worker);
    Client waiting(server.port());  // the kernel has accepted it, and nobody else has
    waiting.send("hello\r\n");
    waiting.expect_silence(100ms);
    ::kill(worker, SIGKILL);
    EXPECT_EQ(waiting.recv_line(), "ECHO hello\r\n");
}

TEST(AllWorkersKilledAtOnce, ClientsStillConnectAndAreServed) {
    Server server({"--workers", "4", "--max-restarts", "100"});
    const auto workers = server.workers();
    ASSERT_EQ(workers.size(), 4u);
    for (const auto pid : workers) ::kill(pid, SIGKILL);
    for (int i = 0; i < 20; ++i) {
        Client client(server.port());
        ask(client);
    }
    server.wait_for_event("supervisor_progress", {}, 8);
}

TEST(OneForAll, RestartsEveryWorkerWhenOneCrashes) {
    Server server({"--strategy", "one_for_all"});
    Client client(server.port());
    ask(client);
    client.send("!segv\r\n");
    server.pid_of("worker-1", 2);
    server.pid_of("worker-2", 2);
    Client another(server.port());
    ask(another);
}

TEST(RestForOne, RestartsThoseThatWereStartedLater) {
    Server server({"--strategy", "rest_for_one", "--workers", "3"});
    ::kill(server.pid_of("worker-2"), SIGKILL);
    server.pid_of("worker-2", 2);
    server.pid_of("worker-3", 2);
    EXPECT_EQ(server.lives_of("worker-1"), 1u);
}

}  // namespace
