// The chat room at the text door, in the original's words.

#include "grade/bytes.hpp"
#include "grade/people.hpp"
#include "grade/step.hpp"

#include <poll.h>

namespace grade {

namespace {

const std::vector<std::string> chat{"05"};

constexpr auto one_loop =
    "Deliver from one place, one message after the other (a lock around the whole delivery, one "
    "thread, one process that owns the room).";

void own_words(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    Person& person = room.visitor();
    person.types(michael);
    person.types("Hello!");
    person.hears_in_the_end(michael + " says: Hello!",
                            "The first line is the name; what follows is said to everybody, the speaker included.");
}

void in_one_write(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    Person& person = room.visitor();
    Person& witness = room.witness_of(person);
    person.sends(michael + "\nHello!\nAgain!\n");
    witness.hears_in_the_end(michael + " says: Hello!", "One recv() may bring the name and two lines.");
    witness.hears(michael + " says: Again!");
}

void joins(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& first = room.enters(michael);
    Person& second = room.visitor();
    second.types(mikey);
    second.types("Hello!");
    first.hears(mikey + " has joined the room",
                "Whoever is in the room hears who joins, before anything that the newcomer says.");
    first.hears(mikey + " says: Hello!", "Once is enough: look whether the join is told in two places.");
}

void newcomer_hears_others(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& first = room.enters(michael);
    Person& second = room.visitor();
    second.types(mikey);
    second.types("Am I in?");
    for (;;) {
        const auto news = second.news(in_quotes(mikey + " says: Am I in?"));
        if (news == mikey + " says: Am I in?") break;
        if (news == mikey + " has joined the room") {
            throw Wrong("nothing about themselves for those who join", in_quotes(news),
                        "Tell those who are there, and only then add the newcomer.");
        }
    }
    first.hears(mikey + " has joined the room");
}

void says(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& first = room.enters(michael);
    Person& second = room.enters(mikey);
    for (const auto& [speaker, name] : {std::pair(&first, michael), std::pair(&second, mikey)}) {
        speaker->types("Hello!");
        first.hears(name + " says: Hello!");
        second.hears(name + " says: Hello!");
    }
}

void split_words(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& first = room.enters(michael);
    Person& second = room.enters(mikey);
    const auto pause = trial.server.patience().pause();
    first.sends("Hel");
    trial.server.sleep(pause);
    second.sends("Good mor");
    trial.server.sleep(pause);
    first.sends("lo!\n");
    first.hears(michael + " says: Hello!",
                "A line is whole when its line feed has come, however many reads that took.");
    second.hears(michael + " says: Hello!");
    second.sends("ning\n");
    first.hears(mikey + " says: Good morning", "Each member's unfinished line needs a place of its own.");
}

/// Somebody gets in under this name, as soon as the server has noticed that the one who had it has gone.
void expect_free(Room& room, const std::string& name, const Server& server) {
    for (const auto deadline = Clock::now() + server.patience().most();;) {
        Person& back = room.visitor();
        try {
            back.types(name);
            back.types("I am back");
            return room.witness_of(back).hears_in_the_end(
                name + " says: I am back", "The name of somebody who has gone, in whatever way, is free again.");
        } catch (const Wrong&) {
            if (Clock::now() > deadline) throw;
            back.client.close();
        }
    }
}

void goes_on_without(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    Person& stays = room.enters(michael);
    Person& witness = room.witness_of(stays);
    for (int i = 0; i < 4; ++i) {
        const auto name = room.name("Mikey");
        Person& leaves = room.enters(name);
        room.forget(leaves);
        if (i % 2 == 0) {
            leaves.client.close();
        } else {
            leaves.client.reset();
        }
        for (int said = 0; said < 3; ++said) {
            const std::string words = "still here " + std::to_string(i) + std::to_string(said);
            stays.types(words);
            witness.hears_in_the_end(
                michael + " says: " + words,
                "Writing to a member who has gone fails: that is this member's end, and nobody else's.");
        }
        expect_free(room, name, trial.server);
        stays.hears_in_the_end(name + " says: I am back");
    }
}

void leaver_hears_nothing(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& stays = room.enters(michael);
    Person& leaves = room.enters(mikey);
    room.forget(leaves);
    leaves.client.half_close();
    const std::string last = leaves.client.rest(1 << 20, "When a member has finished, close their connection.");
    if (last.find(mikey + " has left") != last.npos) {
        throw Wrong("nothing about themselves for those who leave", in_quotes(last),
                    "Take the leaver out of the room first, then tell those who are left.");
    }
    stays.types("Goodbye");
    stays.hears_in_the_end(michael + " says: Goodbye");
}

/// What is said may run into the leaver once more: that they are gone is no news then.
void expect_left_once(Person& stays, const std::string& name, const std::string& leaver, Server& server) {
    for (const std::string words : {"Are they gone?", "And for good?"}) {  // a second time may take a moment longer
        stays.types(words);
        for (std::string news; (news = stays.news(in_quotes(name + " says: " + words))) != name + " says: " + words;) {
            if (news != leaver + " has left the room") continue;
            throw Wrong("that the room hears once that somebody has left", in_quotes(news) + ", twice",
                        "The leaving is told in two places, as where reading ends and where writing fails: whoever "
                        "takes the member out of the room tells it, and whoever finds nobody there does not.");
        }
        server.sleep(server.patience().pause());
        server.settle();
    }
}

void leaves(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    Person& stays = room.enters(michael);
    for (const bool in_order : {true, false}) {
        const auto mikey = room.name("Mikey");
        Person& goes = room.enters(mikey);
        room.forget(goes);
        if (in_order) {
            goes.client.close();
        } else {
            goes.client.reset();
        }
        stays.hears(mikey + " has left the room");
        expect_left_once(stays, michael, mikey, trial.server);
    }
}

constexpr int rounds_of_two = 5;

/// Two say one name in the same moment: the room hears of one of them.
void expect_one_of_two(Room& room, Person& witness, const std::string& witness_name, Server& server,
                       const std::string& name, const std::string& same_name) {
    Person& one = room.visitor();
    Person& other = room.visitor();
    one.client.send(name + "\n");
    other.client.send(same_name + "\n");
    int joined = 0;
    for (const std::string words : {"Who is it?", "And who else?"}) {  // the second one may take a moment longer
        witness.types(words);
        for (std::string news;
             (news = witness.news(in_quotes(witness_name + " says: " + words))) != witness_name + " says: " + words;) {
            if (news == name + " has joined the room" || news == same_name + " has joined the room") ++joined;
        }
        server.sleep(server.patience().pause());
        server.settle();
    }
    if (joined > 1) {
        throw Wrong(
            "that one of two gets in who say the same name at once",
            name == same_name ? in_quotes(name + " has joined the room") + ", twice"
                              : "both have joined, " + name + " and " + same_name,
            "To look whether a name is taken and to take it must be one step: under one lock, or in one place.");
    }
    one.client.close();
    other.client.close();
}

void taken_name(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& first = room.enters(michael);
    Person& second = room.visitor();
    second.types(michael);
    // What is typed next is another try for a name, or nothing at all if the server has closed; in no case is it said.
    if (second.client.has_news(trial.server.patience().a_while())) {
        try {
            second.types(mikey);
        } catch (const Wrong&) {
        }
    }
    second.client.close();
    first.types("Who is there?");
    for (;;) {
        const auto news = first.news(in_quotes(michael + " says: Who is there?"));
        if (news == michael + " says: Who is there?") break;
        if (news.starts_with(michael)) {
            throw Wrong("that a name is refused while somebody in the room has it",
                        in_quotes(news) + " from a second " + michael,
                        "Look among the members before you add one; ask for another name, or close.");
        }
    }
    for (int round = 0; round < rounds_of_two; ++round) {
        const auto name = room.name("Mikey");
        expect_one_of_two(room, first, michael, trial.server, name, name);
    }
}

void name_is_free_again(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& stays = room.enters(michael);
    Person& leaves = room.enters(mikey);
    room.forget(leaves);
    leaves.client.half_close();
    leaves.client.rest(1 << 20);
    leaves.client.close();
    Person& back = room.visitor();
    back.types(mikey);
    back.types("I am back");
    back.hears_in_the_end(mikey + " says: I am back", "Take a member's name out of the room when the member leaves.");
    stays.hears_in_the_end(mikey + " says: I am back");
}

void nameless(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    Person& first = room.enters(michael);
    Person& nobody = room.visitor();
    room.visitor().client.close();
    room.visitor().client.send("Unfinish").close();
    trial.server.sleep(trial.server.patience().pause());
    trial.server.settle();  // until they are accepted, nobody could hear anything
    first.types("Is anybody there?");
    first.hears(michael + " says: Is anybody there?", "Whoever has not given a name was never in the room.");
    while (nobody.client.has_news(trial.server.patience().pause() * 3)) {
        const std::string line = nobody.client.line("nothing of what is said in the room");
        if (line.find(michael + " says: ") != line.npos) {
            throw Wrong("nothing of what is said, for somebody who has not given a name", in_quotes(line),
                        "A connection becomes a member when its name has come, not when it is accepted.");
        }
    }
}

/// All hear the same next lines, so many of them.
void expect_same_lines(const std::vector<Person*>& people, int number) {
    std::vector<std::string> heard(people.size());
    for (int i = 1; i <= number; ++i) {
        for (std::size_t p = 0; p < people.size(); ++p) {
            heard[p] =
                people[p]->news("all that the three say: line " + std::to_string(i) + " of " + std::to_string(number));
        }
        for (std::size_t p = 1; p < people.size(); ++p) {
            if (heard[p] == heard[0]) continue;
            throw Wrong("the same lines in the same order for everybody",
                        "as line " + std::to_string(i) + " one hears " + in_quotes(heard[0]) + ", another " +
                            in_quotes(heard[p]),
                        one_loop);
        }
    }
}

void one_order(Trial& trial) {
    constexpr int speakers = 3;
    constexpr int sentences = 40;
    constexpr int rounds = 30;
    if (!trial.own_words.come_back) throw NotPossible("what people say does not come back to them (own_words)");
    Room room(trial);
    std::vector<Person*> people;
    std::vector<std::string> names;
    for (int i = 0; i < speakers; ++i) names.push_back(room.name("Speaker"));
    for (const auto& name : names) people.push_back(&room.enters(name));
    for (int sentence = 0; sentence < sentences; ++sentence) {
        for (Person* const person : people) person->types(std::to_string(sentence));
    }
    expect_same_lines(people, speakers * sentences);
    // Each says all of it in one write: the sessions meet more closely than where we talk by turns.
    std::string many;
    for (int sentence = 0; sentence < sentences; ++sentence) many += std::to_string(sentence) + "\n";
    const auto enough = Clock::now() + trial.server.patience().reply();  // where people may talk only so fast
    for (int round = 0; round < rounds && Clock::now() < enough; ++round) {
        for (Person* const person : people) person->sends(many);
        expect_same_lines(people, speakers * sentences);
    }
}

/// NotPossible when, after a look of some seconds, so many lines would take longer than a step may.
void expect_fast_enough(const Server& server, int said, int number, Clock::duration took) {
    if (took < server.patience().most()) return;
    const auto all = std::chrono::duration_cast<std::chrono::seconds>(took * number / said);
    if (all < server.patience().step()) return;
    throw NotPossible("one member's lines come back too slowly: " + std::to_string(said) + " in " +
                      std::to_string(std::chrono::duration_cast<std::chrono::seconds>(took).count()) + " s, and " +
                      std::to_string(number) +
                      " are needed to fill what a silent one leaves unread; start the server "
                      "without a limit on how fast people may talk (ours: --rate 0)");
}

void silent_reader(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto sloth = room.name("Sloth");
    Person& talker = room.enters(michael);
    Person& witness = room.witness_of(talker);
    Client deaf(trial.server, {.receive_buffer = 4 << 10, .send_buffer = 0, .segment = 0, .within = {}});
    deaf.send(sloth + "\n");
    talker.hears(sloth + " has joined the room");
    const std::string words = word(trial.random, 1000);
    constexpr int number = 8000;
    constexpr int batch = 80;
    const auto begin = Clock::now();
    for (int heard = 0; heard < number; ++heard) {
        try {
            for (int line = 0; heard % batch == 0 && line < batch; ++line) talker.types(words);
            witness.hears_in_the_end(michael + " says: " + words);
        } catch (Wrong& wrong) {
            wrong.hint = talker.client.has_line() && talker.client.has_ended()
                             ? "One member reads nothing, and it is the one who talks that is cut off."
                             : "One member reads nothing, and the whole room waits for that one: give each member a "
                               "queue with a bound, and cut off whoever lets it fill.";
            throw;
        }
        expect_fast_enough(trial.server, heard + 1, number, Clock::now() - begin);
    }
}

/// Whether the server has closed or reset this connection, though what it sent before has not been read.
bool has_hung_up(const Client& client) {
    pollfd socket{client.descriptor(), POLLRDHUP, 0};
    return ::poll(&socket, 1, 0) > 0 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/// One member reads nothing, and another talks: the silent one is cut off, or costs no more than so much.
void bounded_queue(Trial& trial) {
    auto& server = trial.server;
    if (!server.is_ours()) throw NotPossible("needs a server that the grader has started: grade STAGE -- COMMAND");
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto sloth = room.name("Sloth");
    Person& talker = room.enters(michael);
    Person& witness = room.witness_of(talker);
    Client deaf(server, {.receive_buffer = 4 << 10, .send_buffer = 0, .segment = 0, .within = {}});
    deaf.send(sloth + "\n");
    talker.hears(sloth + " has joined the room");
    constexpr std::size_t size = 2000;
    constexpr int batch = 40;
    const std::string words = word(trial.random, size);
    const auto begin = Clock::now();
    constexpr int enough = 12'000;  // 24 MB: kernels keep up to about 10 for somebody who does not read
    constexpr int first_part = enough / 2;
    std::size_t before = 0;
    for (int heard = 0; heard < enough; ++heard) {
        for (int line = 0; heard % batch == 0 && line < batch; ++line) talker.types(words);
        witness.hears_in_the_end(michael + " says: " + words);
        if (heard == first_part) before = server.resident_bytes();
        if (heard % batch == 0 && has_hung_up(deaf)) return;
        expect_fast_enough(server, heard + 1, enough, Clock::now() - begin);
    }
    const std::size_t after = server.resident_bytes();
    constexpr std::size_t said = (enough - first_part) * size;
    if (after < before + said * 3 / 4) return;
    throw Wrong(
        "that a member who reads nothing is cut off, or what waits for them has a bound",
        "they are still there, and while 12 MB were said the server's memory grew by " +
            std::to_string((after - before) >> 20) + " MiB",
        "Give each member a queue with a bound, and cut off whoever lets it fill: otherwise one of them takes all "
        "the memory there is.");
}

/// True when the person's words come back, under whatever name; false when the server has closed.
bool expect_served_or_closed(Room& room, Person& person) {
    const std::string words = "Does anybody hear me?";
    try {
        person.types(words);
        Person& witness = room.witness_of(person);
        while (witness.client.line("an answer, or the end, for the one whose bytes were no text").find(words) ==
               std::string::npos) {
        }
        return true;
    } catch (Wrong& wrong) {
        if (person.client.has_line() && person.client.has_ended()) return false;
        wrong.hint =
            "The session has died of it and has left its connection, and perhaps its name, behind: catch what "
            "decoding throws, or close.";
        throw;
    }
}

void not_text(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    Person& first = room.enters(michael);
    room.witness_of(first);  // who comes later would hear what is not to be heard
    Person& odd = room.visitor();
    odd.sends("\xff\xfe\x80\n");
    odd.types("Odd" + word(trial.random, 6));  // a name, where the first was none; else said under it
    const auto mikey = room.name("Mikey");
    Person& second = room.enters(mikey);
    for (const auto& bytes : {std::string("\x80\xc3\n"), std::string("a\0b\n", 4)}) second.client.send(bytes);
    first.types("Hello!");
    first.hears_in_the_end(michael + " says: Hello!",
                           "Bytes that are not UTF-8 are one member's mistake; they must not end the room.");
    // Whoever sent them is served on, or is gone with their name; a session that has died of it is neither.
    expect_served_or_closed(room, odd);
    if (expect_served_or_closed(room, second)) return;
    room.forget(second);
    expect_free(room, mikey, trial.server);
}

void many(Trial& trial) {
    constexpr int number = 50;
    Room room(trial);
    std::vector<std::pair<std::string, Person*>> people;
    for (int i = 0; i < number; ++i) {
        const auto name = room.name("Guest");
        people.emplace_back(name, &room.visitor());
        people.back().second->types(name);
        people.back().second->types("I am here");
        people.back().second->hears_in_the_end(name + " says: I am here");
    }
    people[0].second->types("Hello, everybody!");
    for (const auto& [name, person] : people) {
        person->hears_in_the_end(people[0].first + " says: Hello, everybody!");
    }
}

void telnet_ends(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    const auto mikey = room.name("Mikey");
    Person& first = room.enters(michael);
    Person& second = room.visitor();
    second.sends(mikey + "\r\n");
    second.sends("Hello!\r\n");
    first.hears(mikey + " has joined the room", "telnet ends lines with CR LF: the CR is not a part of the name.");
    first.hears(mikey + " says: Hello!");
}

void escapes(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("Michael");
    Person& first = room.enters(michael);
    Person& witness = room.witness_of(first);
    first.types("\x1b[2Jboo\x07");
    const auto heard = witness.news("what was said");
    if (heard.find_first_of("\x1b\x07") == heard.npos) return;
    throw Wrong("no control characters in what others see", in_quotes(heard),
                "Terminals obey them: ESC [2J clears everybody's screen.");
}

void letter_case(Trial& trial) {
    Room room(trial);
    const auto michael = room.name("michael");
    auto capital = michael;
    capital[0] = 'M';
    Person& first = room.enters(michael);
    Person& witness = room.witness_of(first);
    Person& second = room.visitor();
    second.types(capital);
    second.client.has_news(trial.server.patience().a_while());
    first.types("Who is there?");
    first.hears(michael + " says: Who is there?");
    second.client.close();
    // If the second were in, the room would have heard of it.
    first.types("Still alone");
    for (std::string line; line.find("Still alone") == line.npos;) {
        line = witness.client.line("what is said");
        if (line.find(capital + " has") != line.npos) {
            throw Wrong("that " + capital + " is refused while " + michael + " is there", in_quotes(line));
        }
    }
    for (int round = 0; round < rounds_of_two; ++round) {
        const auto small = room.name("mikey");
        expect_one_of_two(room, first, michael, trial.server, small, room.also_named("M" + small.substr(1)));
    }
}

}  // namespace

std::vector<Step> chat_steps() {
    using enum Step::Weight;
    using enum Step::Needs;
    const std::string two = "nc HOST PORT in two terminals: Michael and Mikey; ";
    return {
        {"own_words", chat, required, nothing, "nc HOST PORT, then Michael, then Hello!",
         "The first line is the name. What is said goes to everybody in the room, the one who says it included, as "
         "\"Michael says: Hello!\". Who says it in other words fails here, and is asked the rest in those.",
         "docs/05_chat.md", own_words, learn_words},
        {"in_one_write", chat, required, nothing, "printf 'Michael\\nHello!\\nAgain!\\n' | nc HOST PORT",
         "Programs talk faster than people: the name and the first words may come in one read.", "docs/05_chat.md",
         in_one_write},
        {"joins", chat, required, nothing, two + "the first hears of the second",
         "\"Mikey has joined the room\": that is how the others know whom they talk to.", "docs/05_chat.md", joins,
         learn_words},
        {"newcomer_hears_others", chat, required, nothing, two + "the second hears nothing of the joining",
         "The join is news for those who are there, not for the one who joins.", "docs/05_chat.md",
         newcomer_hears_others},
        {"says", chat, required, nothing, two + "each says Hello!, both hear both", "It is what a room is for.",
         "docs/05_chat.md", says},
        {"split_words", chat, required, nothing, two + "each sends half a line, then the other half",
         "Lines arrive in pieces, of several people by turns.", "docs/05_chat.md", split_words},
        {"goes_on_without", chat, required, nothing,
         two + "the second goes, by Ctrl-C or by a crash; the first talks on",
         "People leave without a word, and a room that stumbles over them ends for everybody.", "docs/05_chat.md",
         goes_on_without},
        {"leaver_hears_nothing", chat, required, nothing,
         "printf 'Mikey\\n' | nc -N HOST PORT, with another in the room",
         "Whoever leaves need not be told so, and the connection is closed.", "docs/05_chat.md", leaver_hears_nothing},
        {"taken_name", chat, required, nothing, "nc HOST PORT in two terminals: Michael and Michael",
         "Two people under one name: nobody knows who says what.", "docs/05_chat.md", taken_name},
        {"name_is_free_again", chat, required, nothing, two + "the second leaves and comes back",
         "A name belongs to somebody for as long as they are there.", "docs/05_chat.md", name_is_free_again},
        {"nameless", chat, required, nothing, "nc HOST PORT, and say nothing; nc -z HOST PORT",
         "A connection is not yet a member: the room hears nothing of it, and it hears nothing of the room.",
         "docs/05_chat.md", nameless},
        {"not_text", chat, required, nothing, "printf '\\377\\376\\200\\nMikey\\n\\200\\303\\n' | nc HOST PORT",
         "What one member sends must not end the room, whatever bytes it is.", "docs/05_chat.md", not_text},
        {"one_order", chat, required, nothing, "three people say forty things each, at once, again and again",
         "If members see different orders, they see different conversations.", "docs/05_chat.md", one_order},
        {"many", chat, required, nothing, "fifty people in the room, and one says Hello, everybody!",
         "A room is not two people.", "docs/05_chat.md", many},
        {"silent_reader", chat, required, nothing, two + "the second with Ctrl-Z; the first says 8 MB",
         "One member who does not read must cost a bounded queue, not the conversation. A server that lets people talk "
         "only so fast cannot be asked this; ours takes --rate 0.",
         "docs/05_chat.md", silent_reader},
        {"bounded_queue", chat, advice, nothing,
         two + "the second with Ctrl-Z; the first says 24 MB; the memory in top",
         "What is said waits for whoever does not read. Where nothing bounds it, one silent member takes all the "
         "memory.",
         "docs/05_chat.md", bounded_queue},
        {"leaves", chat, advice, nothing, two + "the first hears \"Mikey has left the room\"",
         "Otherwise people go on talking to somebody who has gone.", "docs/05_chat.md", leaves},
        {"telnet_ends", chat, advice, nothing, "telnet HOST PORT", "telnet's lines end with CR LF.",
         "docs/05_chat.md; RFC 854", telnet_ends},
        {"letter_case", chat, advice, nothing, two + "but they are michael and Michael",
         "People take Michael and michael for the same.", "docs/05_chat.md", letter_case},
        {"escapes", chat, advice, nothing, "printf 'Michael\\n\\033[2Jboo\\a\\n' | nc HOST PORT",
         "What one says appears on another's terminal, and terminals obey control characters.", "docs/05_chat.md",
         escapes},
    };
}

}  // namespace grade
