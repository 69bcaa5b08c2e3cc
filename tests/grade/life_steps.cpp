// A server's life: ending, starting again, and crashing. Only for servers that we have started.

#include "grade/bytes.hpp"
#include "grade/probe.hpp"
#include "grade/step.hpp"

#include <csignal>

namespace grade {

namespace {

/// Starts it anew, whatever state earlier steps have left it in.
void start_afresh(Server& server) {
    server.stop();
    server.start();
}

void start_again(Server& server, const std::string& hint) try { server.start(); } catch (const CannotRun& error) {
    const std::string what = error.what();  // its last words follow in lines of their own, and are told anyway
    throw Wrong("that it starts again on the same port", what.substr(0, what.find('\n')), hint);
}

void restart(Trial& trial) {
    start_afresh(trial.server);
    Client client(trial.server);
    client.send("x\n");
    client.has_news(trial.server.patience().reply());
    trial.server.stop();  // the server's end closes first, so its port stays in TIME-WAIT for a minute
    client.rest(1 << 20);
    client.close();
    start_again(trial.server, "Set SO_REUSEADDR before bind(): old connections in TIME-WAIT hold the port otherwise.");
    const Client again(trial.server);
}

void ends_on_sigterm(Trial& trial) {
    start_afresh(trial.server);
    const Client client(trial.server);
    trial.server.signal(SIGTERM);
    if (!trial.server.wait_end(trial.server.patience().end())) {
        throw Wrong("that the server ends after SIGTERM", "it still runs after 8 seconds");
    }
}

/// One client is silent, another has just sent many lines.
void drain(Trial& trial) {
    start_afresh(trial.server);
    Client idle(trial.server);
    idle.send("hello\n").expect("ECHO hello\n");
    Client busy(trial.server);
    const std::string sent = lines(trial.random, 500, 100);
    const std::string expected = echo(sent);
    busy.send(sent);
    const std::string first = busy.line("a reply to the first of 500 lines");
    trial.server.signal(SIGTERM);
    const std::string came = first + busy.rest(2 * expected.size(),
                                               "After SIGTERM: accept nobody, finish what is owed, "
                                               "close, and end.");
    // Lines that it had not read by then are not owed, so less than everything may come; but nothing else.
    if (expected.compare(0, came.size(), came) != 0) throw differing(expected, came);
    const auto expect_orderly_end = [&server = trial.server] {
        if (server.exit_code() == 0) return;
        throw Wrong("an orderly end after SIGTERM: exit code 0", server.ending(),
                    "Handle the signal (sigwait, signalfd, signal_set): left alone, it ends the process.");
    };
    try {
        // Had it closed with our bytes unread, the kernel would have reset the connection, and replies could be lost.
        busy.expect_end("Shut down the sending half when the last reply is sent, read the rest away, and close then.");
        idle.expect_end();
    } catch (const Wrong&) {
        // Whoever was killed has closed nothing in order; the cause comes before what follows from it.
        if (trial.server.wait_end(trial.server.patience().reply())) expect_orderly_end();
        throw;
    }
    if (!trial.server.wait_end(trial.server.patience().end())) {
        throw Wrong("that the server ends after SIGTERM", "it still runs, though all its clients have gone");
    }
    expect_orderly_end();
}

// ---- crashes --------------------------------------------------------------------------------------------------------

/// Makes a worker crash: by the line that does it, or else by killing every process but the first with -9.
void crash(Trial& trial) {
    auto& server = trial.server;
    if (!trial.crash.empty()) {
        Client client(server);
        client.send(trial.crash + "\n");
        client.rest(64 << 10, "The line " + in_quotes(trial.crash) + " (--crash) should crash the one who serves it.");
        return;
    }
    const auto all = server.processes();
    if (all.size() < 2) {
        throw Wrong("processes below the first one, which serve the clients", "one process that does everything",
                    "A process is the only wall that a segmentation fault respects: let the first process start "
                    "others, and serve nobody itself. If your server contains crashes in another way, name a line "
                    "that crashes a session: --crash LINE.");
    }
    for (const pid_t pid : all) {
        if (pid != server.pid()) ::kill(pid, SIGKILL);
    }
    // Until they are gone: not before has the kernel closed what they had open.
    constexpr milliseconds look_again{1};
    for (const auto deadline = Clock::now() + server.patience().reply(); Clock::now() < deadline;) {
        const auto left = server.processes();
        const auto was_killed = [&](pid_t pid) {
            return pid != server.pid() && std::find(all.begin(), all.end(), pid) != all.end();
        };
        if (std::none_of(left.begin(), left.end(), was_killed)) return;
        server.sleep(look_again);
    }
}

/// Whether a new client is answered. Nothing when it is; else what was wrong.
std::optional<Wrong> try_client(Server& server) try {
    Client client(server);
    client.send("and me?\n").expect("ECHO and me?\n");
    return std::nullopt;
} catch (const Wrong& wrong) {
    return wrong;
}

void crash_and_restart(Trial& trial) {
    start_afresh(trial.server);
    constexpr milliseconds look_again{20};
    for (int i = 0; i < 2; ++i) {
        expect_served(trial.server, "A restart");
        crash(trial);
        std::optional<Wrong> wrong;
        const auto deadline = Clock::now() + trial.server.patience().most();
        while ((wrong = try_client(trial.server)) && trial.server.is_running() && Clock::now() < deadline) {
            trial.server.sleep(look_again);
        }
        if (!wrong) continue;
        wrong->hint = trial.server.is_running() ? "Nobody has started a new worker in the place of the crashed one."
                                                : "The whole server has ended with the worker that crashed.";
        throw Wrong(*wrong);
    }
}

void no_refusal(Trial& trial) {
    start_afresh(trial.server);
    expect_served(trial.server, "A start");
    crash(trial);
    try {
        Client client(trial.server);
        client.send("I come while nobody is there\n").expect("ECHO I come while nobody is there\n");
    } catch (Wrong& wrong) {
        wrong.hint =
            "Let the first process hold the listening socket, and the workers inherit it: clients who come "
            "while no worker lives then wait in its queue.";
        throw;
    }
}

void gives_up(Trial& trial) {
    start_afresh(trial.server);
    auto& server = trial.server;
    constexpr int enough = 30;
    for (int crashes = 0; crashes < enough && server.is_running(); ++crashes) {
        try {
            expect_served(server, "A restart");
            crash(trial);
        } catch (const Wrong&) {
            if (server.wait_end(server.patience().reply())) break;
            throw;
        }
        server.sleep(milliseconds(30));
    }
    if (!server.wait_end(server.patience().reply())) {
        throw Wrong("that the server gives up when its workers crash again and again",
                    "it has started new ones 30 times in a row",
                    "Count the restarts of the last seconds. What crashes at once, again and again, is not healed by "
                    "another try; somebody above has to learn of it.");
    }
    if (server.exit_code() == 0) {
        throw Wrong("that giving up is an error: an exit code other than 0", server.ending());
    }
}

void no_orphans(Trial& trial) {
    start_afresh(trial.server);
    expect_served(trial.server, "A start");
    auto& server = trial.server;
    if (server.processes().size() < 2) throw NotPossible("the server is a single process, which leaves no orphans");
    server.signal(SIGKILL);
    server.wait_end(server.patience().reply());
    constexpr milliseconds look_again{20};
    const auto deadline = Clock::now() + server.patience().most() / 2;
    std::vector<pid_t> left;
    while (!(left = server.processes()).empty() && Clock::now() < deadline) server.sleep(look_again);
    if (left.empty()) return;
    throw Wrong("that the workers end when the first process has been killed with -9",
                std::to_string(left.size()) + (left.size() > 1 ? " processes go" : " process goes") + " on without it" +
                    (server.is_listened_at() ? ", and the port is still taken" : ""),
                "A worker notices its parent's end by a pipe between them that ends, or by prctl(PR_SET_PDEATHSIG).");
}

}  // namespace

std::vector<Step> life_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    return {
        {"restart",
         {"01", "02", "03", "04", "05", "budget_chat"},
         advice,
         our_process,
         "nc HOST PORT; kill the server while it is connected; start the server again at once",
         "After a restart old connections are still known to the kernel, for a minute. Without SO_REUSEADDR the new "
         "server is refused its own port (\"address already in use\").",
         "docs/01_naive.md; socket(7), SO_REUSEADDR",
         restart},
        {"ends_on_sigterm",
         {"01", "05", "budget_chat"},
         advice,
         our_process,
         "kill PID, while a client is connected",
         "SIGTERM is how systems ask a program to end. What does not obey is killed, and cannot tidy up.",
         "docs/02_thread_per_client.md; signal(7)",
         ends_on_sigterm},
        {"drain",
         {"02", "03", "04"},
         advice,
         our_process,
         "kill PID, while one client is silent and one is being answered",
         "An orderly end: nobody new, whoever is owed replies gets them, then the end, with exit code 0.",
         "docs/03_acceptor_pool.md; signal(7)",
         drain},
        {"crash_and_restart",
         {"04"},
         required,
         our_process,
         "kill -9 of the workers (or --crash LINE typed), then nc HOST PORT",
         "A crash costs the clients of one worker; a new worker takes its place, and the server goes on.",
         "docs/04_supervised.md",
         crash_and_restart},
        {"no_orphans",
         {"04"},
         required,
         our_process,
         "kill -9 of the first process, then ps",
         "Workers that outlive their root hold the port: the server cannot be started again, and nobody knows them.",
         "docs/04_supervised.md; prctl(2), PR_SET_PDEATHSIG",
         no_orphans},
        {"no_refusal",
         {"04"},
         advice,
         our_process,
         "kill -9 of the workers, and nc HOST PORT in the same moment",
         "Clients who come between crash and restart need not notice, if somebody holds the listening socket.",
         "docs/04_supervised.md; listen(2)",
         no_refusal},
        {"gives_up",
         {"04"},
         advice,
         our_process,
         "kill -9 of the workers, again as soon as there are new ones",
         "Restarting for ever hides the fault and burns the processor. A supervisor that cannot help says so and ends.",
         "docs/04_supervised.md",
         gives_up},
    };
}

}  // namespace grade
