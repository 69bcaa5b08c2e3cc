#include "page.hpp"

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
        if (const Measured* stick = is_stick(one.name) ? nullptr : stick_of(what, one)) {
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

// What becomes of a figure of one server, from case to case.
struct Growth {
    const char* what;
    const char* server;
    std::string group;
    std::vector<const char*> labels;
    double (*figure)(const CaseResult&, const Measured&);
    const char* format;
};

std::string growth_table(const Results& results) {
    const auto cpu = [](const CaseResult& what, const Measured& one) { return median_cost(what, one) * micro; };
    const auto said = [](const CaseResult& what, const Measured& one) {
        return median_cost(what, one) * micro * static_cast<double>(what.connections);
    };
    const auto late = [](const CaseResult&, const Measured& one) {
        return median(one.rounds, [](const Report& report) { return report.p99_us; });
    };
    // One connection alone lets the server sleep between two lines, which is another matter.
    const std::vector<const char*> clients{"c100 64B d1", "c1000 64B d1", "c10000 64B d1"};
    const std::vector<const char*> members{"m10 s1 w1", "m100 s1 w1", "m1000 s1 w1"};
    std::string rows;
    for (const Growth& one : std::initializer_list<Growth>{
             {"clients: µs of CPU for a line", "raw_epoll", "lines", clients, cpu, "%.2f"},
             {"clients: µs of CPU for a line", "02_thread_per_client", "lines", clients, cpu, "%.2f"},
             {"clients: µs of CPU for a line", "03_acceptor_pool", "lines", clients, cpu, "%.2f"},
             {"clients: µs until 99 % are answered", "03_acceptor_pool", "lines", clients, late, "%.0f"},
             {"members: µs of CPU for a line said", "05_chat", "chat", members, said, "%.0f"},
             {"members: µs of CPU for a line heard", "05_chat", "chat", members, cpu, "%.2f"},
             {"members: µs until 99 % are heard by all", "05_chat", "chat", members, late, "%.0f"}}) {
        std::vector<double> x, y;
        std::string places;
        for (const char* label : one.labels) {
            const CaseResult* const what = results.find(one.group, label);
            const Measured* const found = what != nullptr ? what->find(one.server) : nullptr;
            if (found == nullptr) continue;
            x.push_back(static_cast<double>(what->connections));
            y.push_back(one.figure(*what, *found));
            places +=
                (places.empty() ? "" : ", ") + std::to_string(what->connections) + ": " + number(one.format, y.back());
        }
        if (x.size() < 2) continue;
        const double power = std::round(exponent(x, y) * 100) / 100 + 0.0;  // no -0
        rows +=
            std::string("| ") + one.what + " | " + one.server + " | " + places + " | " + number("%.2f", power) + " | ";
        rows.append(growth(power)).append(" |\n");
    }
    if (rows.empty()) return "";
    return "\n## How cost grows\n\n"
           "The exponent is the power that a figure grows with: 0 is a figure that does not depend on how many there "
           "are, "
           "and 1 one that doubles when they double. What nodes cost each other is in [Many "
           "machines](many_machines.md).\n\n"
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
           "are 100 members of a room, of whom 4 speak, each with 16 lines under way that not everybody has heard. "
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
