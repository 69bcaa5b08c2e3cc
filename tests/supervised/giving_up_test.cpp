#include "supervised/supervised.hpp"

#include "support/process.hpp"

#include <sys/syscall.h>

#include <poll.h>

// The end of a server: when it gives up, and when its root is gone.

using namespace supervised;

namespace {

void crash_one(const Server& server) {
    Client client(server.port());
    ask(client);
    client.send("!segv\r\n");
    client.wait_for_end();
}

TEST(CrashLoop, OneTooManyWithinTheWindowEndsTheServer) {
    Server server({"--max-restarts", "2", "--max-seconds", "3600"});
    for (int crash = 1; crash <= 3; ++crash) crash_one(server);
    EXPECT_EQ(server.wait_exit(), exited(1));
    EXPECT_TRUE(support::refuses_clients(server.port()));
    EXPECT_THAT(server.errors(), HasSubstr("04_supervised gives up: worker-"));
    EXPECT_THAT(server.errors(), HasSubstr("ended: SIGSEGV; 3 restarts within 3600 s, 2 allowed"));
    EXPECT_EQ(server.count_events("supervisor_progress"), 4u);
    const auto report = server.wait_for_event("supervisor_report", {field("context", "shutdown")});
    EXPECT_EQ(report.at("supervisor"), "root");
    EXPECT_EQ(report.at("reason"), "reached_max_restart_intensity");
}

TEST(CrashLoop, SaysSoWhenQuietToo) {
    support::Server server("04_supervised", {"--log", "quiet", "--faults", "--max-restarts", "0"});
    Client client(server.port());
    client.send("!segv\r\n");
    EXPECT_EQ(server.wait_exit(), exited(1));
    EXPECT_THAT(server.errors(), HasSubstr("1 restart within 5 s, 0 allowed"));
}

TEST(CrashLoop, TheSameNumberSpreadWiderDoesNot) {
    Server server({"--max-restarts", "1", "--max-seconds", "1"});
    for (int crash = 1; crash <= 3; ++crash) {
        crash_one(server);
        // OTP counts whole seconds: two crashes more than period + 1 s apart never share a window.
        const Deadline apart(2100ms);
        while (!apart.passed()) {
            Client client(server.port());
            ask(client);
        }
    }
    EXPECT_EQ(server.count_events("supervisor_report", {field("context", "shutdown")}), 0u);
    server.signal(SIGTERM);
    EXPECT_EQ(server.wait_exit(), exited(0));
}

TEST(GivingUp, LetsTheOtherWorkersClientsFinish) {
    Server server({"--max-restarts", "0"});
    Client other(server.port());
    ask(other);
    const auto worker = server.worker_of(other) == "worker-1" ? "worker-2" : "worker-1";
    ::kill(server.pid_of(worker), SIGKILL);
    EXPECT_EQ(other.wait_for_end(), Client::End::closed);
    EXPECT_EQ(server.wait_exit(), exited(1));
}

TEST(RestartDelay, IsWaitedBeforeARestart) {
    Server server({"--workers", "1", "--restart-delay-ms", "300"});
    ::kill(server.pid_of("worker-1"), SIGKILL);
    const auto start = std::chrono::steady_clock::now();
    server.pid_of("worker-1", 2);
    EXPECT_GE(std::chrono::steady_clock::now() - start, 250ms);
}

class Pidfd {
public:
    explicit Pidfd(pid_t pid) : descriptor_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))) {}
    bool has_ended(const Deadline& deadline) const {
        pollfd ended{descriptor_.get(), POLLIN, 0};
        return ::poll(&ended, 1, deadline.left_ms()) == 1;
    }

private:
    support::Descriptor descriptor_;
};

TEST(Root, NobodyOutlivesIt) {
    Server server({"--workers", "4"});
    const auto pids = server.workers();
    ASSERT_EQ(pids.size(), 4u);
    std::vector<Pidfd> workers;
    for (const auto pid : pids) workers.emplace_back(pid);
    Client spinning(server.port());
    spinning.send("!spin\r\n");
    server.wait_for_event("got_data_from_client");
    suspend(pids[3]);
    server.signal(SIGKILL);
    EXPECT_EQ(server.wait_exit(), killed_by(SIGKILL));
    const Deadline deadline(patience());
    for (const auto& worker : workers) EXPECT_TRUE(worker.has_ended(deadline));
    EXPECT_TRUE(eventually([&] { return support::refuses_clients(server.port()); }));
}

TEST(Usage, AWorkerIsOnlyStartedByARoot) {
    const auto finished = support::run_to_end({{support::path_of("04_supervised"), "--as-worker", "1"}});
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(finished.errors, HasSubstr("04_supervised: --as-worker is only for the root to use: "));
    EXPECT_THAT(finished.lines, IsEmpty());
}

TEST(Usage, WrongWordsAreExplained) {
    const auto finished = support::run_to_end({{support::path_of("04_supervised"), "--strategy", "one_for_none"}});
    EXPECT_EQ(finished.exit, exited(2));
    EXPECT_THAT(finished.errors, HasSubstr("one_for_none: one_for_one|one_for_all|rest_for_one is allowed"));
    EXPECT_THAT(finished.errors, Not(HasSubstr("--as-worker")));
}

TEST(Usage, ATakenPortIsSaidAndWhoHasIt) {
    Server server;
    const auto port = std::to_string(server.port());
    const auto finished = support::run_to_end({{support::path_of("04_supervised"), "--port", port}});
    EXPECT_EQ(finished.exit, exited(1));
    EXPECT_THAT(finished.errors, testing::StartsWith("cannot listen on 127.0.0.1:" + port +
                                                     ": address already in use\n04_supervised (process "));
}

}  // namespace
