// Renames people in a room of two.

#include "nick.hpp"

#include "checking.hpp"

#include <vector>

using namespace chat;
using namespace checking;
using namespace std::string_literals;

namespace {

constexpr PersonId michael = 1, mikey = 2, newcomer = 3, nobody = 9;

struct Renaming {
    Renaming() {
        (void)apply(Join{michael, "Michael"});
        (void)apply(Join{mikey, "Mikey"});
        (void)apply(Say{michael, "Hello!"});
    }
    boost::system::result<Line, Refusal> apply(const Request& request) { return room.apply(room.last() + 1, request); }
    std::string name_of(PersonId person) const {
        const auto found = room.people().find(person);
        return found == room.people().end() ? "not in the room any more" : found->second;
    }
    void must_rename(const std::string& name, const std::string& line) {
        const auto told = nick(room, michael, name);
        if (!told) wrong(shown(line), "a refusal: " + std::string(reason(told.error())), "The name is free.");
        must_be("what the members are told", *told, line);
        must_be("Michael's name", name_of(michael), name);
    }
    void must_be_refused(PersonId person, const std::string& name, Refusal why) {
        const Room before = room;
        const auto told = nick(room, person, name);
        const auto expected = "that " + shown(name) + " is refused: " + std::string(reason(why));
        if (told) wrong(expected, shown(*told));
        if (told.error() != why) wrong(expected, "another refusal: " + std::string(reason(told.error())));
        const std::string as_it_was = "All or nothing: after a refusal the room must be as it was.";
        must_be("Michael's name after the refusal", name_of(michael), "Michael"s, as_it_was);
        must_be("Mikey's name after the refusal", name_of(mikey), "Mikey"s, as_it_was);
        must_be("the number of people", room.people().size(), before.people().size(), as_it_was);
        must_be("the lines in the history", room.history().size(), before.history().size(), as_it_was);
        must_be("the last place in the room's order", room.last(), before.last(),
                "The room has moved on, although nothing happened: joining again is not the same as never leaving.");
    }
    void must_be_taken(const std::string& name) {
        const auto joined = apply(Join{nobody, name});
        if (joined) wrong("that nobody else can join as " + shown(name), "somebody has", "That name is Michael's.");
    }
    Room room{Limits{}};
};

}  // namespace

int main() {
    step("a new name is told in one line", [] {
        Renaming in;
        in.must_rename("Mike", "Michael is now known as Mike");
        must_be("Mikey's name", in.name_of(mikey), "Mikey"s);
        const auto said = in.apply(Say{michael, "it is me"});
        must_be("what is heard of Mike", said ? words(*said) : "a refusal", "Mike says: it is me"s);
    });
    step("a taken name is refused, and nothing has happened", [] {
        Renaming in;
        in.must_be_refused(michael, "mikey", Refusal::name_taken);
        in.must_be_taken("MICHAEL");
    });
    step("what is no name is refused, and nothing has happened", [] {
        for (const char* bad : {"", "two words", "\x1b[1m", "\xff"}) {
            Renaming in;
            const auto why = Room(in.room).apply(in.room.last() + 1, Join{newcomer, bad});
            in.must_be_refused(michael, bad, why.error());
            in.must_be_taken("MICHAEL");
        }
    });
    step("somebody who is not here has no name to change",
         [] { Renaming{}.must_be_refused(nobody, "Nobody", Refusal::not_here); });
    step("the old name is free, and the new one taken", [] {
        Renaming in;
        in.must_rename("Mike", "Michael is now known as Mike");
        in.must_be_taken("mike");
        const auto joined = in.apply(Join{newcomer, "Michael"});
        if (!joined) wrong("that the old name is free", "a refusal: " + std::string(reason(joined.error())));
    });
    step("only the case", [] { Renaming{}.must_rename("MICHAEL", "Michael is now known as MICHAEL"); });
    step("the history stays", [] {
        Renaming in;
        in.must_rename("Mike", "Michael is now known as Mike");
        std::vector<std::string> history;
        for (const auto& line : in.room.history()) history.push_back(words(line));
        must_be("what was said, by the name of that time", history, std::vector{"Michael says: Hello!"s});
    });
}
