// A server's life: ending, starting again, and crashing. Only for servers that we have started.

#include "grade/bytes.hpp"
#include "grade/probe.hpp"
#include "grade/step.hpp"

#include <algorithm>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
namespace grade {

namespace {

/// Starts it anew, whatever state earlier steps have left it in.
void start_afresh(Server& server) {
    server.stop();
    server.start();
}

void start_again(Server& server, const std::string& hint) try { server.start_again(); } catch (const CannotRun& error) {
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

bool says(const std::string& text, const std::string& what) {
    const auto is_same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), what.begin(), what.end(), is_same) != text.end();
}

void says_where(Trial& trial) {
    start_afresh(trial.server);
    auto& server = trial.server;
    constexpr milliseconds look_again{10};
    server.settle();  // between listening and saying so it may be interrupted
    for (const auto deadline = Clock::now() + server.patience().a_while(); Clock::now() < deadline;) {
        if (says(server.output(), server.port())) return;
        server.sleep(look_again);
    }
    const std::string& said = server.output();
    throw Wrong("a line that says where it listens: Listening on " + server.host() + ":" + server.port(),
                said.empty() ? "nothing was printed" : in_quotes(said.substr(0, said.find('\n'))),
                "Print it when clients can connect, and flush it: where stdout is no terminal, most languages keep it "
                "in a buffer until there is much.");
}

void taken_port(Trial& trial) {
    start_afresh(trial.server);
    auto& server = trial.server;
    const auto second = server.start_second();
    const std::string awaited = "that a second one ends, which finds the port taken, with an exit code other than 0";
    if (second.shares_port) {
        throw NotPossible("a second one listens at the same port (SO_REUSEPORT), so none ever finds it taken");
    }
    if (second.ending.empty()) {
        throw Wrong(awaited, "it goes on",
                    "Nobody notices a server that waits for its port for ever: say so, and end.");
    }
    if (second.exit_code == 0) {
        throw Wrong(awaited, second.ending, "Whoever started it, a script or systemd, takes exit code 0 for success.");
    }
    if (!second.exit_code) {
        throw Wrong(awaited, second.ending, "That bind() or listen() fails is expected: say so, and exit(1).");
    }
    if (!says(second.output, server.port()) && !says(second.output, "in use")) {
        throw Wrong("a line that says what is wrong: cannot listen on " + server.host() + ":" + server.port() +
                        ": address already in use",
                    second.output.empty() ? "nothing was printed" : in_quotes(second.output),
                    "Say what it could not do, where, and why: strerror(errno) has the words.");
    }
    const Client still_served(server);  // the first one has not noticed
}

void ends_on_sigterm(Trial& trial) {
    start_afresh(trial.server);
    const Client client(trial.server);
    trial.server.signal(SIGTERM);
    if (!trial.server.wait_end(trial.server.patience().end())) {
        throw Wrong("that the server ends after SIGTERM", "it still runs after 8 seconds");
    }
}

/// One client is silent. Another has sent more lines than it reads answers to, and than both systems have room for: so
/// at the signal answers are owed, whoever is quicker; and all of its lines have arrived, so that none come after the
/// end.
void drain(Trial& trial) {
    start_afresh(trial.server);
    Client idle(trial.server);
    idle.send("hello\n").expect("ECHO hello\n");
    Client busy(trial.server, {.receive_buffer = 2 << 10, .send_buffer = 512 << 10, .segment = 536, .within = {}});
    busy.send("hello\n").expect("ECHO hello\n");
    const std::string sent = lines(trial.random, 2000, 100);  // 100 KB: a server's side takes about 55 KB of answers
    const std::string expected = echo(sent);
    busy.send(sent).all_delivered();
    trial.server.settle();
    trial.server.signal(SIGTERM);
    trial.server.sleep(trial.server.patience().a_while());  // it has obeyed before we make room for what is owed
    busy.widen(1 << 20);
    const std::string came =
        busy.rest(2 * expected.size(), "After SIGTERM: accept nobody, finish what is owed, close, and end.");
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
        if (!came.empty() && came.back() != '\n') {
            throw Wrong("whole lines until the end",
                        "the last one ends after " + in_quotes(came.substr(came.rfind('\n') + 1)),
                        "What was read is owed: write all of its answer before closing.");
        }
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

/// The processes below the first one.
std::vector<pid_t> workers(const Server& server) {
    auto all = server.processes();
    std::erase(all, server.pid());
    return all;
}

bool contains(const std::vector<pid_t>& all, pid_t pid) {
    return std::find(all.begin(), all.end(), pid) != all.end();
}

/// Makes a worker crash: by the line that does it, or else by killing every process but the first with -9. Returns the
/// workers that were there when it happened.
std::vector<pid_t> crash(Trial& trial) {
    auto& server = trial.server;
    if (!trial.crash.empty()) {
        Client client(server);
        client.send("soon\n").expect(
            "ECHO soon\n");  // somebody serves it now, in servers with a process for each client
        auto before = workers(server);
        client.send(trial.crash + "\n");
        client.rest(64 << 10, "The line " + in_quotes(trial.crash) + " (--crash) should crash the one who serves it.");
        return before;
    }
    auto before = workers(server);
    if (before.empty()) {
        throw Wrong("processes below the first one, which serve the clients", "one process that does everything",
                    "A process is the only wall that a segmentation fault respects: let the first process start "
                    "others, and serve nobody itself. If your server contains crashes in another way, name a line "
                    "that crashes a session: --crash LINE.");
    }
    for (const pid_t pid : before) ::kill(pid, SIGKILL);
    // Until they are gone: not before has the kernel closed what they had open.
    constexpr milliseconds look_again{1};
    for (const auto deadline = Clock::now() + server.patience().reply(); Clock::now() < deadline;) {
        const auto left = workers(server);
        if (std::none_of(left.begin(), left.end(), [&](pid_t pid) { return contains(before, pid); })) break;
        server.sleep(look_again);
    }
    return before;
}

/// What follows a crash, seen from outside.
struct Aftermath {
    std::optional<Wrong> wrong;    // nothing when a new client is answered; else what was wrong
    bool process_ended = false;    // of those that were there before
    bool process_started = false;  // that was not there before
};

/// Waits until a worker has gone and another has come, and a client is answered; or until it is clear that they do not.
Aftermath after_crash(Server& server, const std::vector<pid_t>& before) {
    constexpr milliseconds look_again{20};
    const auto begin = Clock::now();
    Aftermath seen;
    std::unique_ptr<Client> client;  // stays, in servers with a process for each client
    for (;; server.sleep(look_again)) {
        try {
            if (!client) {
                auto next = std::make_unique<Client>(server);
                next->send("and me?\n").expect("ECHO and me?\n");
                client = std::move(next);
                seen.wrong.reset();
            }
        } catch (const Wrong& wrong) {
            seen.wrong = wrong;
        }
        const auto now = workers(server);
        const auto is_new = [&](pid_t pid) { return !contains(before, pid); };
        const auto is_gone = [&](pid_t pid) { return !contains(now, pid); };
        seen.process_ended = seen.process_ended || std::any_of(before.begin(), before.end(), is_gone);
        seen.process_started = seen.process_started || std::any_of(now.begin(), now.end(), is_new);
        const bool is_back = client && seen.process_ended && seen.process_started;
        const bool is_unseen = client && !seen.process_ended && Clock::now() > begin + server.patience().reply();
        if (is_back || is_unseen || !server.is_running() || Clock::now() > begin + server.patience().most())
            return seen;
    }
}

constexpr auto nothing_to_see =
    "the server goes on, but no process has ended with the crash and none was started: whether somebody supervises, or "
    "the fault was only caught, cannot be seen from outside";

/// One client that is answered is not enough: the next may come to a queue that nobody empties any more.
void expect_all_served(Server& server) {
    constexpr int number = 10;
    for (int i = 1; i <= number; ++i) {
        try {
            Client client(server);
            client.send("and me?\n").expect("ECHO and me?\n");
        } catch (Wrong& wrong) {
            wrong.hint = "After the restart some clients are served, and this one, number " + std::to_string(i) +
                         ", is not: it waits at a listening socket of a worker that has gone. Close it, or share one.";
            throw;
        }
    }
}

void crash_and_restart(Trial& trial) {
    start_afresh(trial.server);
    expect_served(trial.server, "A start");
    for (int i = 0; i < 2; ++i) {
        auto [wrong, process_ended, process_started] = after_crash(trial.server, crash(trial));
        if (!wrong && !process_ended) throw NotPossible(nothing_to_see);
        if (!wrong && process_started) {
            expect_all_served(trial.server);
            continue;
        }
        // Its clients may still have been let in, and cut off or refused as it ended: that is chance.
        if (!trial.server.is_running()) {
            throw Wrong("a new process in the place of the one that crashed",
                        "the server has ended: " + trial.server.ending(),
                        "The whole server has ended with the worker that crashed.");
        }
        if (!wrong) wrong = Wrong("a new process in the place of the one that crashed", "none came");
        wrong->hint = process_started
                          ? "A new worker was started, and this client is not served all the same: it waits "
                            "at a listening socket of a worker that has gone. Close it, or share one."
                          : "Nobody has started a new worker in the place of the crashed one.";
        throw Wrong(*wrong);
    }
}

bool holds(pid_t pid, const std::string& socket) {
    std::error_code gone;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd", gone)) {
        if (std::filesystem::read_symlink(entry.path(), gone) == socket) return true;
    }
    return false;
}

/// Which process serves the client: the one that alone has the connection open. 0 where that is not clear.
pid_t who_serves(Server& server, const Client& client) {
    const auto end = client.server_end();
    const std::string inode = end && end->is_established ? end->inode : "";
    auto all = server.processes();
    std::erase_if(all, [&](pid_t pid) { return !holds(pid, "socket:[" + inode + "]"); });
    return all.size() == 1 ? all[0] : 0;
}

/// A client whom somebody else serves: while one process stands still, no other can be the one. Who was given to that
/// one all the same waits, so there are some more tries.
std::unique_ptr<Client> client_of_another(Server& server, pid_t worker, std::vector<std::unique_ptr<Client>>& waiting) {
    constexpr int tries = 10;
    for (int i = 0; i < tries; ++i) {
        auto client = std::make_unique<Client>(server);
        client->send("hello\n");
        if (client->has_news(server.patience().a_while() * 2)) {
            client->expect("ECHO hello\n");
            if (who_serves(server, *client) != worker) return client;  // SIGSTOP takes a moment to reach all threads
        }
        waiting.push_back(std::move(client));
    }
    return nullptr;
}

constexpr auto nobody_seen = "no process below the first one was seen to have a client for itself";

void spares_neighbours(Trial& trial) {
    start_afresh(trial.server);
    auto& server = trial.server;
    Client first(server);
    first.send("hello\n").expect("ECHO hello\n");
    const pid_t worker = who_serves(server, first);
    if (worker == 0 || worker == server.pid()) throw NotPossible(nobody_seen);
    ::kill(worker, SIGSTOP);
    std::vector<std::unique_ptr<Client>> waiting;
    const auto neighbour = client_of_another(server, worker, waiting);
    ::kill(worker, SIGKILL);
    if (!neighbour) throw NotPossible("while one worker stands still, no other one serves");
    first.rest(64 << 10);
    server.sleep(server.patience().a_while());  // for whatever it does about it
    server.settle();
    try {
        neighbour->send("still here\n").expect("ECHO still here\n");
    } catch (Wrong& wrong) {
        wrong.hint =
            "One worker was killed, and a client of another one lost its connection: restart the one that has ended, "
            "and "
            "leave the others alone (one_for_one).";
        throw;
    }
}

void replaces_each_worker(Trial& trial) {
    start_afresh(trial.server);
    auto& server = trial.server;
    Client first(server);
    first.send("hello\n").expect("ECHO hello\n");
    const pid_t worker = who_serves(server, first);
    if (worker == 0 || worker == server.pid()) throw NotPossible(nobody_seen);
    ::kill(worker, SIGSTOP);
    std::vector<std::unique_ptr<Client>> waiting;
    const auto neighbour = client_of_another(server, worker, waiting);
    ::kill(worker, SIGCONT);
    const pid_t other = neighbour ? who_serves(server, *neighbour) : 0;
    if (other == 0 || other == server.pid()) throw NotPossible("while one worker stands still, no other one serves");
    for (const pid_t pid : {worker, other}) {
        const auto before = workers(server);
        ::kill(pid, SIGKILL);
        auto [wrong, process_ended, process_started] = after_crash(server, before);
        if (wrong) throw Wrong(*wrong);
        if (process_started) continue;
        throw Wrong("a new process in the place of each worker that crashes, also of one alone",
                    "one was killed, and none came in its place",
                    "Wait for whichever child ends, waitpid(-1, …), and not for a certain one: otherwise the workers "
                    "become fewer, and nobody notices before the last.");
    }
}

/// While all its workers stand still, somebody answers: the first process itself.
void root_serves_nobody(Trial& trial) {
    start_afresh(trial.server);
    auto& server = trial.server;
    Client before(server);
    before.send("hello\n").expect("ECHO hello\n");
    const auto stopped = workers(server);
    if (stopped.empty()) throw NotPossible("there are no processes below the first one");
    if (!trial.crash.empty() && who_serves(server, before) == server.pid()) {
        throw NotPossible("the first process serves, and contains crashes in a way of its own (--crash)");
    }
    for (const pid_t pid : stopped) ::kill(pid, SIGSTOP);
    server.settle();
    Client client(server);
    client.send("and me?\n");
    const bool is_answered = client.has_news(2 * server.patience().a_while());
    const pid_t by = is_answered ? who_serves(server, client) : 0;
    for (const pid_t pid : stopped) ::kill(pid, SIGCONT);
    if (by != server.pid()) return;
    throw Wrong("that the first process serves nobody", "while all the others stood still, it has answered a client",
                "What crashes while it serves a client is to be one that somebody restarts, and nobody restarts the "
                "first one: let it hold the listening socket and watch its workers, and no more.");
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
            "Let the first process hold the listening socket, and the workers inherit it: clients that come "
            "while no worker lives then wait in its queue.";
        throw;
    }
}

void gives_up(Trial& trial) {
    start_afresh(trial.server);
    auto& server = trial.server;
    expect_served(server, "A start");
    constexpr int enough = 30;
    const std::string awaited = "that the server gives up when its workers crash again and again";
    int restarts = 0;
    for (; restarts < enough; ++restarts) {
        try {
            const auto seen = after_crash(server, crash(trial));
            if (!seen.wrong && !seen.process_ended) throw NotPossible(nothing_to_see);
            if (!seen.wrong && seen.process_started) continue;
            throw Wrong(awaited, "after " + count(static_cast<std::size_t>(restarts), "restart") +
                                     " it has neither started a new worker nor ended");
        } catch (const Wrong&) {
            if (server.wait_end(server.patience().reply())) break;  // which may come at any moment of a crash
            throw;
        }
    }
    if (!server.wait_end(server.patience().reply())) {
        throw Wrong(awaited, "it has started new ones " + std::to_string(restarts) + " times in a row",
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
        {"says_where",
         {"01", "02", "03", "04", "05", "budget_chat"},
         advice,
         our_process,
         "start the server, and look what it prints first",
         "Whoever starts a server, a person or a script, wants to know when it is there, and where.",
         "docs/01_naive.md",
         says_where},
        {"taken_port",
         {"01", "02", "03", "04", "05", "budget_chat"},
         advice,
         our_process,
         "start the server a second time, while it runs; echo $?",
         "The commonest error of all: the old one is running still. It is said in a line, and the exit code is not 0.",
         "docs/01_naive.md; bind(2), EADDRINUSE",
         taken_port},
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
         "A crash costs the clients of one worker; a new worker takes its place, and the server goes on. Seen from "
         "outside: "
         "a process has ended, a new one has come, and clients are answered.",
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
        {"spares_neighbours",
         {"04"},
         advice,
         our_process,
         "kill -9 of one worker, with nc HOST PORT at two of them",
         "A crash should cost the clients of the worker that crashed, and nobody else.",
         "docs/04_supervised.md; docs/limits.md",
         spares_neighbours},
        {"replaces_each_worker",
         {"04"},
         advice,
         our_process,
         "kill -9 of one worker, and then of another",
         "Whichever worker ends, a new one takes its place.",
         "docs/04_supervised.md; waitpid(2)",
         replaces_each_worker},
        {"root_serves_nobody",
         {"04"},
         advice,
         our_process,
         "kill -STOP of all the workers, then nc HOST PORT: nobody answers; kill -CONT",
         "Nobody restarts the first process, so it does nothing that may crash.",
         "docs/04_supervised.md",
         root_serves_nobody},
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
