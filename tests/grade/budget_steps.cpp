// Another dialect of the chat room: Budget Chat, Protohackers' problem 3, described here in our own words.
//
// The server asks for a name with a line of its own. A name has letters and digits only, at least one, and at least
// sixteen are allowed; another one is refused by closing. Whoever has said a name gets one line that begins with * and
// holds the names of those present; those get one line that begins with * and holds the newcomer's. A line is passed on
// to everybody but its sender as "[name] line"; 1000 characters must be possible. When a member leaves, the others get
// a line that begins with * and holds the member's name. Whoever never gave a name is never mentioned, and hears
// nothing.

#include "grade/bytes.hpp"
#include "grade/probe.hpp"
#include "grade/step.hpp"

namespace grade {

namespace {

const std::vector<std::string> budget{"budget_chat"};

struct Guest {
    std::string name;
    std::unique_ptr<Client> client;
    std::vector<std::string> known = {};  // people whom this guest has been told of, and the guest

    std::string line(const std::string& awaited) const {
        std::string line = client->line(awaited);
        line.erase(line.find_last_not_of("\r\n") + 1);
        return line;
    }
    /// A line of the server's own about nobody whom this guest knows: somebody of an earlier step is leaving at last.
    bool is_about_strangers(const std::string& line) const {
        const auto is_named = [&](const std::string& each) { return line.find(each) != line.npos; };
        return line.starts_with('*') && std::none_of(known.begin(), known.end(), is_named);
    }
    /// The next line is one of the server's own, about these people. Returns it.
    std::string is_told_of(const std::vector<std::string>& names, const std::string& hint = "") {
        std::string all;
        for (const auto& each : names) all += (all.empty() ? "" : " and ") + each;
        const std::string awaited = "a line that begins with * and names " + (all.empty() ? "nobody" : all);
        const auto names_all = [&](const std::string& line) {
            return line.starts_with('*') && std::all_of(names.begin(), names.end(), [&](const std::string& each) {
                       return line.find(each) != line.npos;
                   });
        };
        std::string got = line(awaited);
        while (!names_all(got) && is_about_strangers(got)) got = line(awaited);
        if (!names_all(got)) throw Wrong(awaited, in_quotes(got), hint);
        known.insert(known.end(), names.begin(), names.end());
        return got;
    }
    void hears(const std::string& expected, const std::string& hint = "") const {
        std::string got = line(in_quotes(expected));
        while (is_about_strangers(got)) got = line(in_quotes(expected));
        if (got != expected) throw differing(expected, got, hint);
    }
    void says(const std::string& text) const { client->send(text + "\n"); }
};

/// Connects, answers the question for the name, and is told who is there.
Guest enters(Trial& trial, const std::vector<std::string>& present) {
    Guest guest{"guest" + word(trial.random, 6), std::make_unique<Client>(trial.server)};
    guest.line("a question for the name, as one line");
    guest.says(guest.name);
    guest.known.push_back(guest.name);
    const std::string hint = "Newcomers are told who is there, themselves not included.";
    const std::string told = guest.is_told_of(present, hint);
    if (told.find(guest.name) != told.npos) {
        throw Wrong("a line that does not name the newcomer, " + guest.name, in_quotes(told), hint);
    }
    return guest;
}

void asks_for_a_name(Trial& trial) {
    auto guest = enters(trial, {});
    guest.client->expect_silence("nobody else is there");
}

void presence(Trial& trial) {
    auto first = enters(trial, {});
    auto second = enters(trial, {first.name});
    first.is_told_of({second.name});
    auto third = enters(trial, {first.name, second.name});
    first.is_told_of({third.name});
    second.is_told_of({third.name});
}

void passes_on(Trial& trial) {
    auto first = enters(trial, {});
    auto second = enters(trial, {first.name});
    first.is_told_of({second.name});
    auto third = enters(trial, {first.name, second.name});
    first.is_told_of({third.name});
    second.is_told_of({third.name});
    first.says("hi, all");
    second.hears("[" + first.name + "] hi, all");
    third.hears("[" + first.name + "] hi, all");
    second.says("hi");
    first.hears("[" + second.name + "] hi", "The sender does not get the line back.");
    third.hears("[" + second.name + "] hi");
}

void split_and_joined(Trial& trial) {
    auto first = enters(trial, {});
    auto second = enters(trial, {first.name});
    first.is_told_of({second.name});
    first.client->send("one\ntw");
    trial.server.sleep(trial.server.patience().pause());
    first.client->send("o\nthree\n");
    for (const std::string text : {"one", "two", "three"}) second.hears("[" + first.name + "] " + text);
}

void leaving(Trial& trial) {
    auto first = enters(trial, {});
    {
        auto second = enters(trial, {first.name});
        first.is_told_of({second.name});
        second.client->close();
        first.is_told_of({second.name},
                         "When a member's connection ends, the others are told, with the member's name.");
    }
    auto third = enters(trial, {first.name});
    first.is_told_of({third.name});
}

void nameless(Trial& trial) {
    auto first = enters(trial, {});
    auto second = enters(trial, {first.name});
    first.is_told_of({second.name});
    Client nobody(trial.server);
    nobody.line("a question for the name, as one line");
    Client(trial.server).line("a question for the name, as one line");
    first.says("psst");
    second.hears("[" + first.name + "] psst", "Somebody who has not said a name comes and goes unnoticed.");
    nobody.expect_silence("no name has been given", "Only members hear what is said.");
}

void bad_names(Trial& trial) {
    auto first = enters(trial, {});
    auto second = enters(trial, {first.name});
    first.is_told_of({second.name});
    for (const std::string bad : {"", "two words", "semi;colon", "na\xc3\xafve"}) {
        Client client(trial.server);
        client.line("a question for the name, as one line");
        client.send(bad + "\n");
        if (!bad.empty()) second.known.push_back(bad);  // a line about that one is no line about a stranger
        client.rest(1 << 16, "The name " + in_quotes(bad) + " is not allowed: say so, if you like, and close.");
    }
    first.says("still here");
    second.hears("[" + first.name + "] still here",
                 "Whoever was refused was never there: the others are not told of them.");
}

void long_lines(Trial& trial) {
    auto first = enters(trial, {});
    auto second = enters(trial, {first.name});
    first.is_told_of({second.name});
    const std::string text = word(trial.random, 1000);
    first.says(text);
    second.hears("[" + first.name + "] " + text);
}

void ten_guests(Trial& trial) {
    std::vector<Guest> guests;
    std::vector<std::string> names;
    for (int i = 0; i < 10; ++i) {
        guests.push_back(enters(trial, names));
        names.push_back(guests.back().name);
        for (std::size_t other = 0; other + 1 < guests.size(); ++other) guests[other].is_told_of({names.back()});
    }
    guests[0].says("hello");
    for (std::size_t i = 1; i < guests.size(); ++i) guests[i].hears("[" + names[0] + "] hello");
}

}  // namespace

std::vector<Step> budget_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    const std::string read = "https://protohackers.com/problem/3";
    return {
        {"asks_for_a_name", budget, required, nothing, "nc HOST PORT, then bob",
         "The server speaks first: a line that asks for a name; then one that begins with * and says who is there.",
         read, asks_for_a_name},
        {"presence", budget, required, nothing, "nc HOST PORT in three terminals",
         "A newcomer learns who is there, and those learn of the newcomer.", read, presence},
        {"passes_on", budget, required, nothing, "nc HOST PORT in three terminals, and each says something",
         "\"[bob] hi\" goes to everybody but bob.", read, passes_on},
        {"split_and_joined", budget, required, nothing,
         "(printf 'bob\\none\\ntw'; sleep 1; printf 'o\\n') | nc HOST PORT", "Lines are made of bytes, not of reads.",
         read, split_and_joined},
        {"leaving", budget, required, nothing, "nc HOST PORT in two terminals, and Ctrl-C in one",
         "The others are told who has left, and newcomers do not hear that name.", read, leaving},
        {"nameless", budget, required, nothing, "nc HOST PORT, and say nothing",
         "Whoever has no name yet hears nothing and is not heard of.", read, nameless},
        {"bad_names", budget, required, nothing, "printf 'two words\\n' | nc HOST PORT",
         "Names are letters and digits. Others could look like the server's own lines.", read, bad_names},
        {"long_lines", budget, required, nothing,
         "(echo bob; head -c 1000 /dev/zero | tr '\\0' x; echo) | nc HOST PORT", "1000 characters are little.", read,
         long_lines},
        {"ten_guests", budget, required, nothing, "ten times nc HOST PORT", "Ten at once must be possible.", read,
         ten_guests},
    };
}

}  // namespace grade
