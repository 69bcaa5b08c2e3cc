// Several clients: what stage 02 is for, and the later ones do better.

#include "grade/bytes.hpp"
#include "grade/probe.hpp"
#include "grade/step.hpp"

#include <functional>

#include <poll.h>

namespace grade {

namespace {

const std::vector<std::string> concurrent{"02", "03", "04"};

constexpr auto serves_one_at_a_time =
    "If nothing came: the clients are served one after the other; while one session runs, nobody accepts. If something "
    "else came: two sessions share what each should have for itself.";

/// 01's weakness is that the second client waits; its duty is that it is served in the end.
void second_client_waits(Trial& trial) {
    Client first(trial.server);
    first.send("I am first\n").expect("ECHO I am first\n");
    Client second(trial.server);
    second.send("I wait\n");
    first.send("and still here\n")
        .expect("ECHO and still here\n", "The second client's coming ended the first's turn.");
    first.close();
    second.expect("ECHO I wait\n",
                  "The kernel has accepted the second client and kept its line; after the first one "
                  "has left, it is its turn.");
}

void second_client(Trial& trial) {
    Client first(trial.server);
    first.send("I am first\n").expect("ECHO I am first\n");
    first.send("and stop in the mid");
    trial.server.sleep(trial.server.patience().pause());
    trial.server.settle();
    Client second(trial.server);
    second.send("and me?\n").expect("ECHO and me?\n", serves_one_at_a_time);
    first.send("dle\n").expect(
        "ECHO and stop in the middle\n",
        "Each session has its own connection and its own buffer, from its first line to its last.");
}

/// All write many lines at once, and read then: whoever serves them does so at the same time.
void all_burst(Trial& trial, const std::vector<std::unique_ptr<Client>>& clients) {
    constexpr std::size_t number = 400;
    constexpr std::size_t size = 40;
    std::vector<std::string> all;
    for (std::size_t i = 0; i < clients.size(); ++i) {
        all.emplace_back();
        for (std::size_t line = 1; line <= number; ++line) {
            all[i] += "client " + std::to_string(i + 1) + " line " + std::to_string(line) + " " +
                      word(trial.random, trial.random() % size) + "\n";
        }
    }
    for (std::size_t i = 0; i < clients.size(); ++i) clients[i]->send(all[i]);
    for (std::size_t i = 0; i < clients.size(); ++i) {
        try {
            clients[i]->exchange("", echo(all[i]), [] { return 1; });
        } catch (Wrong& wrong) {
            wrong.hint =
                "All five send four hundred lines at the same time, and get what is not theirs, or not in order: "
                "something is shared that each session, or each thread, should have for itself.";
            throw;
        }
    }
}

/// All write a part, then all write the next part: a buffer that two sessions share mixes them up.
void five_at_once(Trial& trial) {
    constexpr std::size_t number = 5;
    constexpr int rounds = 3;
    constexpr std::size_t parts = 3;
    const auto clients = connect(trial.server, number);
    for (int round = 0; round < rounds; ++round) {
        std::vector<std::string> all(number);
        for (std::size_t part = 0; part < parts; ++part) {
            for (std::size_t i = 0; i < number; ++i) {
                const std::string text = "client" + std::to_string(i) + word(trial.random, 1 + trial.random() % 5);
                clients[i]->send(part + 1 < parts ? text : text + "\n");
                all[i] += part + 1 < parts ? text : text + "\n";
            }
            trial.server.sleep(trial.server.patience().pause());
        }
        for (std::size_t i = 0; i < number; ++i) {
            try {
                clients[i]->expect(echo(all[i]),
                                   "Each session needs a buffer of its own; one that several share mixes their lines.");
            } catch (Wrong& wrong) {
                if (!clients[i]->has_heard()) {
                    wrong.hint = "Client " + std::to_string(i + 1) + " of " + std::to_string(number) +
                                 " has never been answered: only some are served at once, and the others wait.";
                }
                throw;
            }
        }
    }
    all_burst(trial, clients);
}

/// Whoever finds out first that not all are served, somebody who connects or somebody who speaks, it is told alike.
void expect_all_answered(std::size_t number, const std::function<void()>& crowd) try { crowd(); } catch (Wrong& wrong) {
    if (!wrong.hint.empty()) throw;
    wrong.got = (wrong.sent.empty() ? "" : "instead of " + wrong.expected + ": ") + wrong.got;
    wrong.expected = std::to_string(number) + " clients at once, each of whom is answered";
    wrong.pointer.clear();  // it stood under the answer
    wrong.hint = "Not everybody who is connected is served: look what happens when threads, or descriptors, run out.";
    throw;
}

/// So many clients, as fast as they can. A queue of listen() that is full is no error: the kernel ignores whoever
/// comes, and they ask again after a second. In that second a server empties the queue, so that behind a queue for N
/// the next N + 1 find a place, whatever the machine is doing: one in four ignored is a queue for less than three.
/// Usual are 5 to 4096.
std::vector<std::unique_ptr<Client>> expect_places(Server& server, std::size_t number) {
    constexpr std::size_t bearable = 10;
    constexpr std::size_t one_in = 4;
    std::vector<std::unique_ptr<Client>> clients;
    std::size_t ignored = 0;
    while (clients.size() < number) {
        clients.push_back(std::make_unique<Client>(server));
        if (clients.back()->was_ignored()) ++ignored;
        if (ignored <= bearable || ignored * one_in <= clients.size()) continue;
        throw Wrong("that clients who come at once find a place in the queue of listen()",
                    std::to_string(ignored) + " of " + std::to_string(clients.size()) +
                        " found it full, and were connected a second later, or more",
                    "The queue that listen() makes is too short for those who come between two calls of accept(): "
                    "listen(socket, 128), and accept again at once, before anything is done for the one who came.");
    }
    return clients;
}

void idle_clients(Trial& trial, std::size_t number) {
    expect_open_files(number);
    expect_all_answered(number, [&] {
        const auto idle = expect_places(trial.server, number);
        // A client that was not accepted would not notice, so some of them speak: the last ones most likely wait.
        for (std::size_t i = 0; i < number; i += number / 10) {
            idle[number - 1 - i]->send("still here\n").expect("ECHO still here\n");
        }
        Client client(trial.server);
        client.send("and me?\n").expect("ECHO and me?\n", "Clients that say nothing may cost memory, but no turn.");
    });
}

void hundred_idle(Trial& trial) {
    idle_clients(trial, 100);
}
void thousand_idle(Trial& trial) {
    idle_clients(trial, 1100);  // more than the 1024 descriptors that select(2) can count
    expect_served(trial.server, "A thousand clients that left at once");
}

/// All connect at once, say a line, finish, and are answered.
void burst(Trial& trial) {
    constexpr std::size_t number = 100;
    expect_all_answered(number, [&] {
        const auto clients = expect_places(trial.server, number);
        for (std::size_t i = 0; i < number; ++i) {
            clients[i]->send("burst " + std::to_string(i) + "\n");
            clients[i]->half_close();
        }
        for (std::size_t i = 0; i < number; ++i) {
            clients[i]->expect(echo("burst " + std::to_string(i) + "\n"));
            clients[i]->expect_end();
        }
    });
    expect_served(trial.server, "A hundred clients at once");
}

/// Each says a line; half of them wait for the end.
void come_and_go(Server& server, std::size_t number) {
    const auto crowd = connect(server, number);
    for (const auto& client : crowd) client->send("hello\n");
    for (std::size_t i = 0; i < number; ++i) {
        crowd[i]->expect("ECHO hello\n");
        if (i % 2 == 0) continue;
        crowd[i]->half_close();
        crowd[i]->expect_end();
    }
}

/// What has grown with each of several crowds has no bound: a pool grows to one, and whoever waits for children only
/// when the next client comes has never more of them than clients at once.
void leaves_nothing_behind(Trial& trial) {
    auto& server = trial.server;
    if (!server.is_ours()) throw NotPossible("needs a server that the grader has started: grade STAGE -- COMMAND");
    constexpr std::size_t number = 100;
    constexpr std::size_t crowds = 11;  // together more than the threads of any pool we know of
    constexpr std::size_t much = number * 9 / 10;
    constexpr milliseconds look_again{10};
    struct Count {
        std::size_t threads, zombies;
    };
    const auto count_now = [&server] {
        server.settle();
        return Count{server.threads(), server.zombies()};
    };
    const auto has_grown = [](const Count& before, const Count& now, std::size_t by) {
        return now.threads >= before.threads + by || now.zombies >= before.zombies + by;
    };
    expect_served(server, "A start");
    const Count first = count_now();
    Count now = first;
    for (std::size_t crowd = 0; crowd < crowds; ++crowd) {
        const Count before = now;
        expect_all_answered(number, [&] { come_and_go(server, number); });
        now = count_now();
        if (!has_grown(before, now, much)) return;
    }
    // Whatever ends late is not to be taken for what never ends.
    for (const auto deadline = Clock::now() + server.patience().most(); Clock::now() < deadline; now = count_now()) {
        if (!has_grown(first, now, crowds * much)) return;
        server.sleep(look_again);
    }
    const std::string after =
        " when " + std::to_string(crowds) + " crowds of " + std::to_string(number) + " clients have come and gone";
    if (now.threads >= first.threads + crowds * much) {
        throw Wrong("about as many threads" + after + " as before: " + std::to_string(first.threads),
                    count(now.threads, "thread"),
                    "With each client a thread, or a process, has stayed: it ends when the function that it runs "
                    "returns, and that waits for something that never comes, or goes back to accept().");
    }
    throw Wrong("no more children that have ended" + after + " than before: " + std::to_string(first.zombies),
                std::to_string(now.zombies) + " (state Z, \"defunct\")",
                "A child that has ended stays until its parent waits for it: waitpid(-1, 0, WNOHANG) before each "
                "accept(), or signal(SIGCHLD, SIG_IGN).");
}

void slow_reader(Trial& trial) {
    Client slow(trial.server, {.receive_buffer = 16 << 10, .send_buffer = 512 << 10, .segment = 0, .within = {}});
    constexpr std::size_t limit = 8 << 20;
    send_until_stuck(trial.server, slow, lines(trial.random, 1000, 1000), limit);
    Client other(trial.server);
    other.send("and me?\n")
        .expect("ECHO and me?\n", "The server waits for a client that does not read, and everybody waits with it.");
    slow.reset();
    trial.server.settle();  // it has noticed, and whatever it does about that is done
    other.send("thanks\n")
        .expect("ECHO thanks\n", "Another client's connection was reset: that ends its own session only.");
}

}  // namespace

std::vector<Step> company_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    return {
        {"second_client_waits",
         {"01"},
         required,
         nothing,
         "nc HOST PORT in one terminal, nc HOST PORT and a line in a second; then close the first",
         "One client at a time: the second is connected by the kernel, waits in the queue of listen(), and is served "
         "when the first has left. Serving it at once is right, too.",
         "docs/01_naive.md",
         second_client_waits},
        {"second_client", concurrent, required, nothing,
         "nc HOST PORT in one terminal, with half a line; nc HOST PORT and a line in a second",
         "It is what a thread (a coroutine, a process) for each client is for: a client that says nothing costs nobody "
         "else anything.",
         "docs/02_thread_per_client.md", second_client},
        {"five_at_once", concurrent, required, nothing, "five times nc HOST PORT, all typing parts of lines by turns",
         "Sessions share the process, not their lines. Whatever belongs to one client must belong to its session.",
         "docs/02_thread_per_client.md", five_at_once},
    };
}

std::vector<Step> crowd_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    return {
        {"slow_reader", concurrent, required, nothing,
         "yes | nc HOST PORT | sleep 60 in one terminal, nc HOST PORT and a line in a second",
         "A client that sends and never reads must block at most its own session.", "docs/02_thread_per_client.md",
         slow_reader},
        {"burst", concurrent, required, nothing, "for i in $(seq 100); do echo burst $i | nc -N HOST PORT & done",
         "Clients come in crowds: after a restart, all of them. The queue of listen() holds those who come faster than "
         "accept() takes them; who finds it full hears nothing, and asks again after a second, then after two, four, "
         "eight.",
         "docs/03_acceptor_pool.md; listen(2)", burst},
        {"hundred_idle", concurrent, required, nothing, "for i in $(seq 100); do sleep 60 | nc HOST PORT & done",
         "Most clients of most servers are silent most of the time.", "docs/02_thread_per_client.md", hundred_idle},
        {"thousand_idle",
         {"02"},
         advice,
         nothing,
         "for i in $(seq 1100); do sleep 60 | nc HOST PORT & done",
         "A thousand threads are possible and cost memory; a thousand coroutines cost little.",
         "docs/02_thread_per_client.md",
         thousand_idle},
        {"thousand_idle",
         {"03", "04"},
         required,
         nothing,
         "for i in $(seq 1100); do sleep 60 | nc HOST PORT & done",
         "It is what a pool is for: few threads, many clients. (select(2) can watch descriptors up to 1023 only.)",
         "docs/03_acceptor_pool.md",
         thousand_idle},
        {"leaves_nothing_behind", concurrent, advice, nothing,
         "grep Threads /proc/PID/status, and ps, before and after crowds of for i in $(seq 100); do echo hello | nc -N "
         "HOST PORT & done",
         "What a client has had for itself ends with it. A thread that stays, or a child that nobody waits for, is one "
         "more with each client, until the system gives no more.",
         "docs/02_thread_per_client.md; wait(2)", leaves_nothing_behind},
    };
}

}  // namespace grade
