#include "limits/guest.hpp"
#include "limits/limits.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>
#include <numeric>
#include <sstream>

namespace limits {

namespace {

using namespace std::chrono_literals;

constexpr Answer yes = Answer::yes;
constexpr Answer no = Answer::no;
constexpr Answer skip = Answer::not_asked;

/// Options that let a person break the stage, and its supervisor, where it has one, restart as often as is needed.
std::vector<std::string> breakable(const Trial& trial) {
    if (trial.is_supervised()) return {"--faults", "--max-restarts", "1000", "--watchdog-ms", "500"};
    return {"--faults"};
}

// ---- serving several ------------------------------------------------------------------------------------------------

bool second_client_is_answered(const Trial& trial) {
    House house(trial, {});
    const auto first = house.guest();
    first->begin();
    return house.guest()->is_answered(trial.wait);
}

bool thousand_idle_clients(const Trial& trial) {
    support::raise_open_files_limit();
    House house(trial, {});
    const auto idle = house.guests(1000);
    return house.guest()->is_answered(trial.wait) && house.all_are_answered(idle, trial.wait);
}

std::size_t threads_of(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Threads:")) return std::stoul(line.substr(line.find(':') + 1));
    }
    return 0;
}

std::size_t resident_bytes_of(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) return std::stoul(line.substr(line.find(':') + 1)) * 1024;
    }
    return 0;
}

/// A server's process and those that it has started.
std::vector<pid_t> processes_of(const support::Process& process) {
    const auto pid = std::to_string(process.pid());
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    std::vector<pid_t> all{std::istream_iterator<pid_t>(children), std::istream_iterator<pid_t>()};
    all.push_back(process.pid());
    return all;
}

std::size_t sum(const std::vector<pid_t>& processes, std::size_t (*of)(pid_t)) {
    return std::accumulate(processes.begin(), processes.end(), std::size_t{0},
                           [of](std::size_t total, pid_t pid) { return total + of(pid); });
}

bool client_costs_no_thread(const Trial& trial) {
    House house(trial, {});
    const auto before = sum(processes_of(house.server().process()), threads_of);
    const auto guests = house.guests(20);
    guests.back()->is_answered(trial.wait);  // those before it have been accepted
    return sum(processes_of(house.server().process()), threads_of) < before + guests.size();
}

bool ten_thousand_idle_clients_are_cheap(const Trial& trial) {
    constexpr int number = 10'000;
    constexpr std::size_t most_bytes_each = 6 * 1024;
    if (support::raise_open_files_limit() < number + 100) return false;
    House house(trial, {"--log", "quiet"});
    house.guest()->begin();
    const auto before = sum(processes_of(house.server().process()), resident_bytes_of);
    const auto idle = house.guests(number);
    if (!house.all_are_answered(idle, support::patience())) return false;
    return sum(processes_of(house.server().process()), resident_bytes_of) - before < number * most_bytes_each;
}

bool serves_all_when_descriptors_run_out(const Trial& trial) {
    support::Command few_descriptors;
    few_descriptors.max_open_files = 64;
    House house(trial, {}, few_descriptors);
    // A guest that has been answered leaves, and makes room for another.
    for (auto& guest : house.guests(200)) {
        if (!guest->is_answered(support::patience())) return false;
        guest.reset();
    }
    return true;
}

// ---- who holds up whom ----------------------------------------------------------------------------------------------

bool slow_reader_holds_up_nobody(const Trial& trial) {
    House house(trial, {});
    const auto slow = house.guest();
    slow->begin();
    std::string line(1000, 'x');
    line += "\r\n";
    // Until the server takes no more, or has taken more than it can have room for, or has cut this client off.
    try {
        for (int sent = 0; sent < 16'000 && slow->client().wait_until_it_takes_more(200ms); ++sent) {
            slow->client().send_some(line);
        }
    } catch (const support::Failure&) {
    }
    return house.guest()->is_answered(trial.wait);
}

/// Whether a second connection is accepted while the first one is set up, which takes a minute.
bool is_accepted_during_set_up(const Trial& trial, const std::string& acceptors) try {
    House house(trial, {"--setup-ms", "60000", "--acceptors", acceptors, "--shutdown-timeout", "0"});
    const auto guests = house.guests(2);
    house.server().wait_for_line("got client connection", 2, trial.wait);
    return true;
} catch (const support::Failure&) {
    return false;
}
bool one_acceptor_sets_up(const Trial& trial) {
    return is_accepted_during_set_up(trial, "1");
}
bool several_acceptors_set_up(const Trial& trial) {
    return is_accepted_during_set_up(trial, "8");
}

bool lines_of_one_read_are_answered_in_one_write(const Trial& trial) {
    constexpr std::size_t number = 100;
    constexpr std::size_t most_writes = 10;
    House house(trial, {});
    const auto guest = house.guest();
    guest->begin();
    const auto before = guest->client().segments_received();
    std::string lines;
    for (std::size_t i = 0; i < number; ++i) lines += "x\n";
    guest->client().send(lines);
    guest->client().recv_exactly(number * std::string("ECHO x\n").size());
    return guest->client().segments_received() - before <= most_writes;
}

// ---- what breaks ----------------------------------------------------------------------------------------------------

bool exception_costs_one_session(const Trial& trial) {
    House house(trial, breakable(trial));
    const auto victim = house.guest();
    victim->begin();
    const auto bystander = house.guest();
    victim->say("!throw");
    return victim->is_ended(trial.wait) && bystander->is_answered(trial.wait) && house.guest()->is_answered(trial.wait);
}

/// Guests of which at least one is not in the first one's process, where the stage has several.
Guests guests_in_several_processes(House& house, const Trial& trial) {
    Guests guests = house.guests(4);
    if (!trial.is_supervised()) return guests;
    const auto has_guests = [&](const std::string& worker) {
        return support::eventually([&] { return house.server().count_lines(worker + " handler") > 0; }, 100ms);
    };
    // The kernel decides who goes where.
    for (int more = 0; more < 500 && !(has_guests("worker 1") && has_guests("worker 2")); ++more) {
        guests.push_back(house.guest());
    }
    return guests;
}

bool segfault_spares_others(const Trial& trial) {
    House house(trial, breakable(trial));
    const auto guests = guests_in_several_processes(house, trial);
    guests.front()->say("!segv");
    if (!guests.front()->is_ended(support::patience())) return false;
    return std::any_of(guests.begin() + 1, guests.end(),
                       [&](const auto& guest) { return guest->is_answered(trial.wait); });
}

bool remembers_after_segfault(const Trial& trial) try {
    House house(trial, breakable(trial));
    const auto victim = house.guest();
    victim->say("Remember this");
    if (victim->hear("Remember this", support::patience()).empty()) return false;
    victim->say("!segv");
    if (!victim->is_ended(support::patience())) return false;
    return !house.guest()->hear("Remember this", trial.wait).empty();
} catch (const std::exception&) {  // refused
    return false;
}

bool is_back_after_segfault(const Trial& trial) try {
    House house(trial, breakable(trial));
    const auto victim = house.guest();
    victim->say("!segv");
    if (!victim->is_ended(support::patience())) return false;
    return house.guest()->is_answered(trial.wait);
} catch (const std::exception&) {  // refused
    return false;
}

std::vector<std::string> hangable(const Trial& trial) {
    auto options = breakable(trial);
    if (trial.server.program == std::string("03_acceptor_pool")) options.insert(options.end(), {"--threads", "2"});
    return options;
}

bool hang_holds_up_no_newcomer(const Trial& trial) {
    House house(trial, hangable(trial));
    const auto victim = house.guest();
    victim->begin();
    victim->say("!spin");
    // A worker that is killed takes newcomers with it, so where there is a watchdog, its bite comes first.
    if (trial.is_supervised()) victim->is_ended(support::patience());
    return house.all_are_answered(house.guests(8), trial.wait);
}

bool hang_is_ended(const Trial& trial) {
    House house(trial, hangable(trial));
    const auto victim = house.guest();
    victim->begin();
    victim->say("!spin");
    return victim->is_ended(trial.is_supervised() ? support::patience() : 2 * trial.wait);
}

bool crash_loop_is_given_up(const Trial& trial) try {
    constexpr int allowed = 2;
    auto options = breakable(trial);
    if (trial.is_supervised()) {
        options.insert(options.end(), {"--max-restarts", std::to_string(allowed), "--max-seconds", "3600"});
    }
    House house(trial, options);
    for (int crash = 0; crash <= allowed; ++crash) {
        const auto victim = house.guest();
        victim->say("!segv");
        if (!victim->is_ended(support::patience())) return false;
    }
    return house.server().wait_exit() == support::exited(1) && support::refuses_clients(house.server().port());
} catch (const std::exception&) {  // it was gone before
    return false;
}

// ---- ends and replacements ------------------------------------------------------------------------------------------

bool sigterm_ends_it_in_order(const Trial& trial) {
    House house(trial, {});
    const auto guest = house.guest();
    guest->begin();
    house.server().signal(SIGTERM);
    return guest->is_ended(trial.wait) && house.server().wait_exit() == support::exited(0);
}

bool sighup_replaces_it(const Trial& trial) try {
    House house(trial, {});
    const auto processes = processes_of(house.server().process());
    const auto guest = house.guest();
    guest->begin();
    house.server().signal(SIGHUP);
    // Other processes serve, and who is in a conversation can end it.
    return support::eventually([&] { return processes_of(house.server().process()) != processes; }, trial.wait) &&
           guest->is_answered(trial.wait) && house.guest()->is_answered(trial.wait);
} catch (const std::exception&) {  // refused
    return false;
}

// ---- together -------------------------------------------------------------------------------------------------------

bool all_hear_all_in_one_order(const Trial& trial) {
    constexpr int lines = 20;
    House house(trial, {});
    const auto guests = house.guests(4);
    for (const auto& guest : guests) {
        if (trial.is_chat() && guest->hear("You are in", support::patience()).empty()) return false;
    }
    for (int i = 0; i < lines; ++i) {
        guests[2]->say("said " + std::to_string(i));
        guests[3]->say("said " + std::to_string(i));
    }
    for (int i = 0; i < 2 * lines; ++i) {
        const auto one = guests[0]->hear("said", trial.wait);
        const auto other = guests[1]->hear("said", trial.wait);
        if (one.empty() || one != other) return false;
    }
    return true;
}

}  // namespace

const std::vector<Property>& properties() {
    static const std::vector<Property> all{
        {"SecondClient",
         "a second client is answered while the first one stays",
         "01 has one thread, and it waits for the first client. A thread, or a coroutine, for each waits for its own.",
         second_client_is_answered,
         {no, yes, yes, yes, yes, yes}},
        {"ThousandIdle",
         "a thousand silent clients leave room for one more",
         "Silence costs 02 a thread that sleeps, 03 a coroutine that is put aside.",
         thousand_idle_clients,
         {no, yes, yes, yes, skip, skip}},
        {"NoThreadEach",
         "a client costs no thread",
         "02 needs a stack and a place in the kernel's scheduler for each client; 03 two or three KiB of memory.",
         client_costs_no_thread,
         {skip, no, yes, yes, yes, yes}},
        {"TenThousandCheap",
         "ten thousand silent clients cost less than 6 KiB each",
         "The touched part of a stack is a page or two, and the kernel's side of a thread comes on top.",
         ten_thousand_idle_clients_are_cheap,
         {skip, no, yes, yes, skip, skip},
         false},
        {"OutOfDescriptors",
         "200 clients are all served in the end, with 64 descriptors",
         "accept fails when descriptors run out. No stage gives up: it waits a moment, and the backlog keeps the "
         "clients.",
         serves_all_when_descriptors_run_out,
         {yes, yes, yes, yes, skip, skip}},
        {"SlowReader",
         "a client that never reads holds up nobody else",
         "The reply cannot be sent, so whoever sends it waits: in 01 that is everybody, later only that client's own "
         "thread "
         "or coroutine.",
         slow_reader_holds_up_nobody,
         {no, yes, yes, yes, yes, yes}},
        {"OneAcceptor",
         "with one acceptor, a slow set-up does not delay the next client",
         "Whoever sets a connection up does not accept meanwhile.",
         one_acceptor_sets_up,
         {skip, skip, no, skip, skip, skip}},
        {"EightAcceptors",
         "with eight acceptors, a slow set-up does not delay the next client",
         "That is what the pool is for: while one acceptor works, the others accept.",
         several_acceptors_set_up,
         {skip, skip, yes, yes, skip, skip}},
        {"OneWrite",
         "a hundred lines that come at once are answered in a few writes",
         "03 answers all whole lines of one read in one write; a system call for each line is most of the cost of a "
         "line.",
         lines_of_one_read_are_answered_in_one_write,
         {no, no, yes, yes, skip, skip}},
        {"Throw",
         "an exception (`!throw`) costs one session",
         "01 has nobody to catch it. From 02 on, each session ends for itself.",
         exception_costs_one_session,
         {no, yes, yes, yes, yes, yes}},
        {"Segv",
         "a segmentation fault (`!segv`) spares other clients",
         "A fault ends the process, and with it all threads and coroutines. Only another process survives it.",
         segfault_spares_others,
         {no, no, no, yes, no, yes}},
        {"BackAfterSegv",
         "after a segmentation fault the next client is served",
         "04's root holds the listening socket and does nothing that could crash, so it can start the worker again. "
         "05's "
         "`--workers` are under the same root.",
         is_back_after_segfault,
         {no, no, no, yes, no, yes}},
        {"RemembersAfterSegv",
         "after a segmentation fault a newcomer is shown what was said before",
         "05 alone has its rooms in the process that dies. Over etcd each worker has a copy of them, and a new one "
         "makes "
         "its own from the log.",
         remembers_after_segfault,
         {skip, skip, skip, skip, no, yes}},
        {"HangSparesNewcomers",
         "while a session hangs (`!spin`), all newcomers are served",
         "02's other threads go on: the kernel takes the processor away from a loop. A coroutine gives it up only by "
         "itself, so 03's clients on that event loop wait for ever; 04's watchdog ends the worker.",
         hang_holds_up_no_newcomer,
         {no, yes, no, yes, no, yes}},
        {"HangIsEnded",
         "a session that hangs is ended",
         "A thread cannot be killed safely; a process can. 02 burns a processor until it is restarted by hand.",
         hang_is_ended,
         {no, no, no, yes, no, yes}},
        {"CrashLoop",
         "crash after crash is survived, and too many end the server with exit code 1",
         "A restart helps against a rare fault. Against one that comes at once again it does not, and hides it: so a "
         "supervisor counts, and gives up loudly.",
         crash_loop_is_given_up,
         {no, no, no, yes, no, yes}},
        {"Sigterm",
         "SIGTERM ends it in order, with exit code 0",
         "01 dies by the signal, in the middle of whatever it does.",
         sigterm_ends_it_in_order,
         {no, yes, yes, yes, yes, yes}},
        {"Replacement",
         "SIGHUP replaces the serving process and cuts nobody off",
         "The listening socket outlives the worker, so a new one can be ready before the old one drains.",
         sighup_replaces_it,
         {no, no, no, yes, no, yes}},
        {"OneOrder",
         "everybody hears what everybody says, in one order",
         "An echo has nobody else to talk to. A room puts all lines into one order before anybody hears them.",
         all_hear_all_in_one_order,
         {no, no, no, no, yes, yes}},
    };
    return all;
}

std::string document() {
    std::ostringstream page;
    page << "# The limits of each stage\n\n"
            "Each stage exists because the one before it fails at something. Here is what each of them can and cannot "
            "do, "
            "asked\nof the running servers by `tests/limits` with every run of `./lab test`, in both directions: where "
            "it "
            "says no, the\nweakness must show; where it says yes, it must be gone. This page is written by that "
            "test.\n\n"
            "| |";
    for (const Server& server : servers) page << " " << server.title << " |";
    page << "\n| --- |";
    for (std::size_t i = 0; i < servers.size(); ++i) page << " :-: |";
    page << "\n";
    for (const auto& property : properties()) {
        page << "| " << property.text << " |";
        for (const Answer answer : property.expected) {
            page << (answer == yes ? " yes |" : answer == no ? " **no** |" : " |");
        }
        page << '\n';
    }
    page << "\nEmpty: the question does not arise there.\n\n## Why\n";
    for (const auto& property : properties()) {
        std::string text = property.text;
        text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
        page << "\n**" << text << ".** " << property.why << '\n';
    }
    return page.str();
}

}  // namespace limits
