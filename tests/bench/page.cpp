#include "page.hpp"

#include "cases.hpp"
#include "plot.hpp"
#include "targets.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace bench {

namespace fs = std::filesystem;

namespace {

constexpr double micro = 1e6;

std::string number(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

std::string word(const boost::json::object& about, const char* name) {
    const auto* const value = about.if_contains(name);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : std::string("unknown");
}

bool is_stick(const std::string& server) {
    return server.starts_with("raw_");
}

// ---- pictures -------------------------------------------------------------------------------------------------------

// One picture, and what it teaches in two sentences.
struct Picture {
    std::string file;
    std::string title;
    std::string svg;  // empty: nothing of it was measured
    std::string lesson;
};

// A place of the x axis, and the case that was measured there.
struct Place {
    const char* name;
    const char* label;
};

LinePlot line_plot(const Results& results, const std::string& group, const std::vector<Place>& places,
                   const std::vector<std::string>& servers) {
    LinePlot plot;
    for (const Place& place : places) plot.places.emplace_back(place.name);
    for (const std::string& server : servers) {
        Series series{server, {}, is_stick(server)};
        for (const Place& place : places) {
            const CaseResult* const what = results.find(group, place.label);
            const Measured* const one = what != nullptr ? what->find(server) : nullptr;
            series.values.push_back(one != nullptr ? median_cost(*what, *one) * micro : NAN);
        }
        if (std::any_of(series.values.begin(), series.values.end(), [](double value) { return !std::isnan(value); })) {
            plot.series.push_back(std::move(series));
        }
    }
    return plot;
}

std::string drawn(const LinePlot& plot) {
    return plot.series.empty() ? "" : svg(plot);
}

Picture over_clients(const Results& results) {
    LinePlot plot = line_plot(results, "lines", {{"1", "c1 64B d1"}, {"100", "c100 64B d1"}, {"1000", "c1000 64B d1"}},
                              {"01_naive", "raw_threads", "02_thread_per_client", "raw_epoll", "03_acceptor_pool",
                               "04_supervised", "Elixir"});
    plot.title = "What a line costs the server, by the number of clients";
    plot.x_title = "clients, each with one line of 64 bytes under way";
    plot.y_title = "µs of CPU for a line";
    return {"clients.svg", plot.title, drawn(plot),
            "A thread for each client pays for a switch between threads with every line as soon as there is more than "
            "one client. An event loop asks the system once for all that is ready, so the more clients there are, the "
            "more of them share that question."};
}

Picture over_depth(const Results& results) {
    LinePlot plot =
        line_plot(results, "lines", {{"1", "c100 64B d1"}, {"16", "c100 64B d16"}, {"256", "c100 64B d256"}},
                  {"raw_threads", "02_thread_per_client", "raw_epoll", "03_acceptor_pool", "04_supervised",
                   "Asio, a write a line", "Elixir"});
    plot.title = "What a line costs the server, by how many are under way";
    plot.x_title = "lines of 64 bytes under way on each of 100 connections";
    plot.y_title = "µs of CPU for a line";
    return {"depth.svg", plot.title, drawn(plot),
            "Nearly all of a line's price is the two system calls around it, so a server that answers everything one "
            "read has brought with one write shares them among all those lines. One that writes for each line pays the "
            "full price every time, however many are waiting."};
}

Picture over_size(const Results& results) {
    LinePlot plot =
        line_plot(results, "echo", {{"64 B", "c100 64B d1"}, {"1 KiB", "c100 1K d1"}, {"16 KiB", "c100 16K d1"}},
                  {"raw_threads", "02_thread_per_client", "raw_epoll", "03_acceptor_pool", "04_supervised"});
    plot.title = "What a message costs the server, by its size";
    plot.x_title = "bytes of a message, one under way on each of 100 connections (--packet raw)";
    plot.y_title = "µs of CPU for a message";
    return {
        "size.svg", plot.title, drawn(plot),
        "Up to a few KiB bytes are nearly free: the calls cost, not the copying. Large messages stay cheap only "
        "where one read has room for all of it; with a buffer of 1 KiB the last of these would need sixteen reads."};
}

Picture memory(const Results& results) {
    BarPlot plot;
    for (const CaseResult& what : results.cases) {
        if (what.group != "idle") continue;
        plot.title = "Memory for each of " + std::to_string(what.connections) + " idle clients";
        for (const Measured& one : what.servers) {
            if (what.find(one.name) == nullptr || one.name.ends_with("blocking") || one.name == "01_naive") continue;
            const double bytes = median_cost(what, one);
            plot.bars.push_back({one.name, bytes, number("%.0f B", bytes), is_stick(one.name)});
        }
    }
    return {"idle.svg", plot.title, plot.bars.empty() ? "" : svg(plot),
            "A waiting thread keeps its stack, of which the pages it has once touched stay. A waiting coroutine keeps "
            "only the variables that it will need again, and a server written around epoll itself hardly more than "
            "nothing; what the kernel holds for the socket comes on top of all of them."};
}

Picture fan_out(const Results& results) {
    const std::vector<Place> alone{{"10", "m10 s1 w1"}, {"100", "m100 s1 w1"}, {"1000", "m1000 s1 w1"}};
    const std::vector<Place> busy{{"10", "m10 s4 w16"}, {"100", "m100 s4 w16"}, {"1000", "m1000 s4 w16"}};
    LinePlot plot;
    plot.title = "What it costs that one member hears one line";
    plot.x_title = "members of the room";
    plot.y_title = "µs of CPU for a line and a member";
    for (const auto& [places, what] : {std::pair{alone, " (one at a time)"}, {busy, " (4 speak, 16 each)"}}) {
        LinePlot part = line_plot(results, "chat", places, {"raw_room", "05_chat"});
        plot.places = part.places;
        for (Series& series : part.series) {
            series.name += what;
            plot.series.push_back(std::move(series));
        }
    }
    return {
        "fan_out.svg", plot.title, drawn(plot),
        "One line at a time, every member costs a send, and nothing that a server does around it matters much. When "
        "several speak, whoever keeps one log for all and a place in it for each member sends many lines in one "
        "call, and a line costs a small part of one."};
}

// ---- tables ---------------------------------------------------------------------------------------------------------

// How many rows of the page compare, and how many of those could not tell.
struct Count {
    std::size_t rows = 0;
    std::size_t untold = 0;

    std::string_view told(std::string_view verdict) {
        ++rows;
        if (verdict == could_not_tell) ++untold;
        return verdict;
    }
};

std::string targets_table(const Results& results, Count& page) {
    std::string to = "| stage | under | what | asked | measured | |\n| --- | --- | --- | --- | --- | --- |\n";
    for (const Target& target : all_targets()) {
        to += "| " + target.stage + " | " + target.group + " " + target.label + " | " + target.server;
        if (!target.note.empty()) to += ": " + target.note;
        to += " | " + asked(target) + " | ";
        if (const auto found = outcome(target, results)) {
            const std::string_view said = page.told(verdict(target, *found, results));
            to += measured(target, *found) + " | ";
            to.append(said.starts_with("met") ? "" : "**").append(said).append(said.starts_with("met") ? "" : "**");
        } else {
            to += "not measured | ";
        }
        to += " |\n";
    }
    return to;
}

// The stick that stands nearest above a server in its case.
const Measured* stick_of(const CaseResult& what, const Measured& server) {
    const Measured* last = nullptr;
    for (const Measured& one : what.servers) {
        if (&one == &server) break;
        if (is_stick(one.name)) last = what.find(one.name);
    }
    return last;
}

// How long nobody's line came while etcd chose another leader.
std::string silence_table(const CaseResult& what) {
    std::string to = "| server | seconds without service | at the most | kills |\n| --- | ---: | ---: | ---: |\n";
    for (const Measured& one : what.servers) {
        to += "| " + one.name + " | ";
        if (what.find(one.name) == nullptr) {
            to += "failed: " + one.failure + " | | |\n";
            continue;
        }
        const auto all = costs(what, one);
        to += number("%.2f", quantile(all, 0.5)) + " | " + number("%.2f", quantile(all, 1)) + " | " +
              std::to_string(all.size()) + " |\n";
    }
    return to;
}

// How soon a new node serves.
std::string newcomer_table(const CaseResult& what) {
    std::string to =
        "| server | seconds until it serves | lines a second | seconds of CPU |\n| --- | ---: | ---: | ---: |\n";
    for (const Measured& one : what.servers) {
        to += "| " + one.name + " | ";
        if (what.find(one.name) == nullptr) {
            to += "failed: " + one.failure + " | | |\n";
            continue;
        }
        to += number("%.3f", median(one.rounds, [](const Report& report) { return report.seconds; })) + " | " +
              number("%.0f", median(one.rounds, speed)) + " | " +
              number("%.3f", median(one.rounds, [](const Report& report) { return report.server_cpu; })) + " |\n";
    }
    return to;
}

std::string figures_table(const CaseResult& what, Count& page) {
    std::string to = "\n**" + what.group + " " + what.label + "**\n\n";
    const bool idle = what.group == "idle";
    if (what.group == etcd_leader) return to + silence_table(what);
    if (what.group == etcd_newcomer) return to + newcomer_table(what);
    to += idle ? "| server | bytes for each client |\n| --- | ---: |\n"
               : "| server | a second | µs CPU each | median µs | 99 % within µs | CPU × stick |\n"
                 "| --- | ---: | ---: | ---: | ---: | --- |\n";
    for (const Measured& one : what.servers) {
        to += "| " + one.name + " | ";
        if (what.find(one.name) == nullptr) {
            to += "failed: " + one.failure + " |" + (idle ? "\n" : " | | | |\n");
            continue;
        }
        if (idle) {
            to += number("%.0f", median_cost(what, one)) + " |\n";
            continue;
        }
        to += number("%.0f", median(one.rounds, speed)) + " | " + number("%.3f", median_cost(what, one) * micro) +
              " | " + number("%.0f", median(one.rounds, [](const Report& report) { return report.median_us; })) +
              " | " + number("%.0f", median(one.rounds, [](const Report& report) { return report.p99_us; })) + " | ";
        // What grows has too few rounds to be told from its stick.
        const bool is_compared = !is_stick(one.name) && what.group != "growth";
        if (const Measured* stick = is_compared ? stick_of(what, one) : nullptr) {
            const Interval found = ratio(costs(what, one), costs(what, *stick));
            to += number("%.2f", found.median) + number(" (%.2f", found.low) + number("–%.2f) ", found.high) +
                  stick->name + ": ";
            to += page.told(compared(found));
        }
        to += " |\n";
    }
    return to;
}

// A load that a peer was under, what it was compared with there, and how the page names that.
struct Choice {
    const char* group;
    const char* label;
    const char* ours;
    const char* words;
};

// How often what `ours` costs a peer costs, in one run.
std::string choices_table(const Results& results, const std::vector<Choice>& choices) {
    const auto* const peers = results.about.if_contains("peers");
    if (peers == nullptr) return "";
    std::string rows;
    for (const auto& [peer, version] : peers->as_object()) {
        std::string cells;
        bool was_measured = false;
        for (const Choice& choice : choices) {
            const CaseResult* const what = results.find(choice.group, choice.label);
            const Measured* const one = what != nullptr ? what->find(std::string(peer)) : nullptr;
            const Measured* const ours = what != nullptr ? what->find(choice.ours) : nullptr;
            cells += " | ";
            if (one == nullptr || ours == nullptr) continue;
            was_measured = true;
            const Interval found = ratio(costs(*what, *one), costs(*what, *ours));
            cells += number("%.2f", found.median) + number(" (%.2f", found.low) + number("–%.2f)", found.high);
        }
        if (was_measured) rows += "| " + std::string(peer) + " | " + std::string(version.as_string()) + cells + " |\n";
    }
    if (rows.empty()) return "";
    std::string heads = "\n| | version", lines = "\n| --- | ---";
    for (const Choice& choice : choices) {
        heads += std::string(" | ") + choice.words;
        lines += " | ---:";
    }
    return heads + " |" + lines + " |\n" + rows;
}

std::string choices(const Results& results) {
    const char *pool = "03_acceptor_pool", *chat = "05_chat";
    const std::string echo = choices_table(results, {{"echo", "c100 64B d1", pool, "raw, one message each"},
                                                     {"lines", "c100 64B d1", pool, "a line each"},
                                                     {"lines", "c100 64B d16", pool, "16 lines each"},
                                                     {"churn", "c32 64B", pool, "connect, a line, close"},
                                                     {"idle", "c10000 64B", pool, "memory, idle"}});
    const std::string rooms = choices_table(results, {{"chat", "m100 s1 w1", chat, "one speaks, a line at a time"},
                                                      {"chat", "m100 s4 w16", chat, "four speak, 16 lines each"}});
    if (echo.empty() && rooms.empty()) return "";
    return "\n## What one would pick instead\n\n"
           "The CPU of another server for a message, as a multiple of what 03 takes in the same run (of its memory, "
           "where clients are idle). Each is written as its own tutorials write it, and all of them write each line by "
           "itself, as it comes: 16 "
           "lines take 16 writes, where 03 takes one. Asio, libuv, Node.js and asyncio have an event loop in one "
           "thread; Go and Elixir have a goroutine or a process for each client, which their runtimes deal out to a "
           "thread for each core, here one; socat forks for each client. Go has the kernel move what is raw "
           "(`splice`).\n" +
           echo +
           "\nThe same of rooms, as a multiple of 05, with 100 members. nats-server is there with one speaker only: "
           "when "
           "several speak, its members hear them in different orders, and a room here promises one.\n" +
           rooms;
}

// Of what grows, how much there was in a case, and the server that was measured there.
struct Step {
    std::size_t many;
    const CaseResult* what;
    std::string server;
};

// The cases, by group and label, in which there is more and more of something; those that were not measured are left
// out.
std::vector<Step> steps(const Results& results, const std::string& server,
                        std::initializer_list<std::pair<std::size_t, std::string_view>> cases) {
    std::vector<Step> all;
    for (const auto& [many, name] : cases) {
        const auto blank = name.find(' ');
        const CaseResult* const what = results.find(name.substr(0, blank), name.substr(blank + 1));
        if (what != nullptr) all.push_back({many, what, server});
    }
    return all;
}

// The same of clients, with as many as this machine had descriptors for. One alone lets the server sleep between two
// lines, which is another matter.
std::vector<Step> steps_of_clients(const Results& results, const std::string& server) {
    constexpr std::size_t few = 100;
    std::vector<Step> all;
    for (const CaseResult& what : results.cases) {
        const bool usual = (what.group == "lines" || what.group == "growth") &&
                           what.label == "c" + std::to_string(what.connections) + " 64B d1";
        if (usual && what.connections >= few) all.push_back({what.connections, &what, server});
    }
    return all;
}

using Figure = double(const CaseResult&, const Measured&);

double cpu_us(const CaseResult& what, const Measured& one) {
    return median_cost(what, one) * micro;
}
double cpu_us_said(const CaseResult& what, const Measured& one) {
    return cpu_us(what, one) * static_cast<double>(what.connections);
}
double p99_us(const CaseResult&, const Measured& one) {
    return median(one.rounds, [](const Report& report) { return report.p99_us; });
}
double bytes_each(const CaseResult&, const Measured& one) {
    return median(one.rounds, [](const Report& report) { return report.bytes_per_connection; });
}

// What becomes of a figure, step by step; empty where there are no two that have it.
std::string growth_row(const std::string& what, const std::string& server, const std::vector<Step>& steps,
                       Figure figure, const char* format) {
    std::vector<double> x, y;
    std::string figures;
    for (const Step& step : steps) {
        const Measured* const one = step.what->find(step.server);
        const double value = one != nullptr ? figure(*step.what, *one) : 0;
        if (value <= 0) continue;  // an older bench did not weigh it
        x.push_back(static_cast<double>(step.many));
        y.push_back(value);
        figures += (figures.empty() ? "" : ", ") + std::to_string(step.many) + ": " + number(format, value);
    }
    if (x.size() < 2) return "";
    const double power = std::round(exponent(x, y) * 100) / 100 + 0.0;  // no -0
    std::string row = "| " + what + " | " + server + " | " + figures + " | " + number("%.2f", power) + " | ";
    row.append(growth(power)).append(" |\n");
    return row;
}

// Why there were no more of them; empty where nothing stood in the way.
std::string why_no_more(const Results& results, const std::vector<Step>& clients) {
    const auto* const about_files = results.about.if_contains("files");
    if (about_files == nullptr || clients.empty()) return "";
    const auto files = about_files->to_number<std::size_t>();
    if (most_connections(files) >= connections_wanted) return "";
    return "Clients end at " + std::to_string(clients.back().many) + ", and not at " +
           std::to_string(connections_wanted) + ", because a process may have no more than " + std::to_string(files) +
           " files open here (`ulimit -Hn`), and each connection is one. ";
}

std::string growth_table(const Results& results) {
    const std::string threads = "02_thread_per_client", pool = "03_acceptor_pool", chat = "05_chat",
                      on_etcd = "05_chat on etcd";
    const auto clients = [&](const std::string& server) { return steps_of_clients(results, server); };
    const auto members =
        steps(results, chat, {{10, "chat m10 s1 w1"}, {100, "chat m100 s1 w1"}, {1000, "chat m1000 s1 w1"}});
    const auto rooms = steps(results, chat,
                             {{1, "chat m1000 s1 w1"},
                              {10, "growth m1000 s10 w1 r10"},
                              {100, "growth m1000 s100 w1 r100"},
                              {1000, "growth m1000 s1000 w1 r1000"}});
    const auto nodes = [&](const std::string& server) {
        return steps(results, server,
                     {{1, "growth e1 n1 m40 w1"},
                      {2, "growth e1 n2 m40 w1"},
                      {4, "growth e1 n4 m40 w1"},
                      {8, "growth e1 n8 m40 w1"}});
    };
    std::vector<Step> loops;
    for (const auto& [many, server] :
         {std::pair{1, "03_acceptor_pool"}, {2, "03 --threads 2"}, {4, "03 --threads 4"}}) {
        for (Step& step : steps(results, server, {{many, "growth c100 64B d1, threads"}})) loops.push_back(step);
    }
    const std::string rows =
        growth_row("clients: µs of CPU for a line", "raw_epoll", clients("raw_epoll"), cpu_us, "%.2f") +
        growth_row("clients: µs of CPU for a line", threads, clients(threads), cpu_us, "%.2f") +
        growth_row("clients: µs of CPU for a line", pool, clients(pool), cpu_us, "%.2f") +
        growth_row("clients: µs until 99 % are answered", pool, clients(pool), p99_us, "%.0f") +
        growth_row("clients: bytes of memory for each", pool, clients(pool), bytes_each, "%.0f") +
        growth_row("threads: µs of CPU for a line", pool, loops, cpu_us, "%.2f") +
        growth_row("members: µs of CPU for a line said", chat, members, cpu_us_said, "%.0f") +
        growth_row("members: µs of CPU for a line heard", chat, members, cpu_us, "%.2f") +
        growth_row("members: µs until 99 % are heard by all", chat, members, p99_us, "%.0f") +
        growth_row("rooms: µs of CPU for a line heard", chat, rooms, cpu_us, "%.2f") +
        growth_row("rooms: bytes of memory for each person", chat, rooms, bytes_each, "%.0f") +
        growth_row("nodes: µs of CPU for a line, on all of them", "raw_etcd", nodes("raw_etcd"), cpu_us, "%.1f") +
        growth_row("nodes: µs of CPU for a line, on all of them", on_etcd, nodes(on_etcd), cpu_us, "%.1f") +
        growth_row("nodes: µs until 99 % are seen by their speaker", on_etcd, nodes(on_etcd), p99_us, "%.0f");
    if (rows.empty()) return "";
    return "\n## How cost grows\n\n"
           "The exponent is the power that a figure grows with: 0 is a figure that does not depend on how many there "
           "are, and 1 one that doubles when they double. A figure is the middle of at least three rounds. " +
           why_no_more(results, clients(pool)) +
           "Threads are 03's event loops, all of them on the one core that servers have here: the row says what it "
           "costs that they take turns. It cannot say what they bring where each has a core of its own, for then one "
           "core is not enough for the load. Rooms share 1000 people, and in each of them one speaks, a line at a "
           "time; in 1000 rooms everybody is alone, and each line is heard once. Nodes share 40 people, who all speak, "
           "over etcd with one member. All nodes run on the servers' one core: a line costs what all machines "
           "together would pay, and it takes longer than where each node has a machine of its own. What nodes cost "
           "each other is in [Many machines](many_machines.md).\n\n"
           "| how many | server | figures | exponent | it |\n| --- | --- | --- | ---: | --- |\n" +
           rows;
}

// What a busy machine cannot touch.
std::string counts_table(const Results& results) {
    std::string rows;
    const auto cell = [](const char* format, double count) {
        return " | " + (count < 0 ? std::string("not counted") : number(format, count));
    };
    for (const CaseResult& what : results.cases) {
        for (const Measured& one : what.servers) {
            if (!one.counts || what.find(one.name) == nullptr) continue;
            rows += "| " + what.group + " " + what.label + " | " + one.name + cell("%.3f", one.counts->system_calls) +
                    cell("%.0f", one.counts->instructions) + cell("%.3f", one.counts->allocations) +
                    cell("%.4f", median(one.rounds, switches)) + " |\n";
        }
    }
    if (rows.empty()) return "";
    return "\n## What each does for a message\n\n"
           "These are counts, and hardly depend on what else the machine does: system calls (`strace -f -c`), "
           "instructions "
           "of the program and its libraries and calls of `malloc` (`valgrind --tool=callgrind`), each as what a "
           "longer "
           "run had more of than a short one; and how often a thread stopped running, as `/proc` counts it. A system "
           "call "
           "costs as much as some thousand instructions.\n\n"
           "| under | server | system calls | instructions | allocations | switches |\n"
           "| --- | --- | ---: | ---: | ---: | ---: |\n" +
           rows;
}

std::string introduction(const Results& results) {
    const std::string shared = word(results.about, "shared");
    return "# How fast are they?\n\n"
           "`./lab bench` has written this page, on " +
           word(results.about, "date") + ", on " + word(results.about, "processor") + ", Linux " +
           word(results.about, "kernel") + ", g++ " + word(results.about, "compiler") +
           ". Run it again and it is about your machine; `./lab bench --quick` takes a minute and writes nothing.\n\n" +
           (results.quick ? "**This was a quick run: small differences in it mean nothing.**\n\n" : "") +
           (shared.empty() ? "" : "**Mind: " + shared + ".**\n\n") +
           "Each server stands beside a *measuring stick*, a `raw_` server in [`tests/bench`](../tests/bench) that has "
           "nothing but the system calls. Server and load have a core each. In every round each of them gets the same "
           "load for a moment, and the figures compare within a round, so that what happens to the machine happens to "
           "both; what is shown is the middle of all rounds, and in brackets where it would lie in 95 of 100 such runs "
           "(a bootstrap). Rounds go on until that interval is no wider than 5 %, or on one side of what is asked; "
           "where "
           "45 seconds were too few for that, the verdict is that the run *could not tell*. A moment in which somebody "
           "else had the machine is measured again. "
           "*Cost* is the CPU time of the server alone. Every byte of every answer is checked while the clock runs. "
           "`c100 64B d16` is 100 connections, messages of 64 bytes and 16 of them under way on each; `m100 s4 w16` "
           "are 100 members of a room, of whom 4 speak, each with 16 lines under way that not everybody has heard; "
           "with `r10`, of 10 rooms. "
           "`e3 n2 m40 w1` are 40 people on two nodes, over etcd with three members: all of them speak, each with one "
           "line of 61 bytes under way that they have not seen themselves, and a line counts once, however many hear "
           "it. etcd runs on both cores, and its work is in nobody's cost.\n\n";
}

}  // namespace

Page page_of(const Results& results) {
    Page page;
    Count count;
    page.markdown = introduction(results) + "## What the stages have to reach\n\n" + targets_table(results, count) +
                    choices(results) + "\n## What the pictures teach\n";
    for (const Picture& picture :
         {over_clients(results), over_depth(results), over_size(results), memory(results), fan_out(results)}) {
        if (picture.svg.empty()) continue;
        page.markdown += "\n![" + picture.title + "](bench/" + picture.file + ")\n\n" + picture.lesson + "\n";
        page.pictures[picture.file] = picture.svg;
    }
    page.markdown += growth_table(results) + counts_table(results);
    page.markdown += "\n## All figures\n";
    for (const CaseResult& what : results.cases) page.markdown += figures_table(what, count);
    page.rows = count.rows;
    page.untold = count.untold;
    page.markdown += "\nWhere a server's time goes is a command away: [profiling](profiling.md).\n";
    return page;
}

namespace {

// Files that are all there at the end, or none of them.
class Files {
public:
    ~Files() {
        std::error_code ignored;
        for (const fs::path& path : paths_) fs::remove(unfinished(path), ignored);
    }
    void add(const fs::path& path, const std::string& text) {
        paths_.push_back(path);
        std::ofstream file(unfinished(path));
        file << text;
        file.close();
        if (!file) throw std::runtime_error("cannot write " + path.string());
    }
    void finish() {
        for (const fs::path& path : paths_) fs::rename(unfinished(path), path);
        paths_.clear();
    }

private:
    static fs::path unfinished(const fs::path& path) { return path.string() + ".unfinished"; }
    std::vector<fs::path> paths_;
};

}  // namespace

void write_page(const Page& page, const std::string& docs) {
    std::error_code refused;
    fs::create_directories(fs::path(docs) / "bench", refused);
    if (refused) throw std::runtime_error("cannot write to " + docs + ": " + refused.message());
    Files files;
    for (const auto& [name, svg] : page.pictures) files.add(fs::path(docs) / "bench" / name, svg);
    files.add(fs::path(docs) / "bench.md", page.markdown);
    files.finish();
}

void write_file(const std::string& path, const std::string& text) {
    Files files;
    files.add(path, text);
    files.finish();
}

}  // namespace bench
