#include "grade/people.hpp"

#include "grade/bytes.hpp"

namespace grade {

std::string Person::news(const std::string& awaited) {
    constexpr int max_passed_over = 10'000;
    for (int i = 0; i < max_passed_over; ++i) {
        std::string line = client.line(awaited);
        line.erase(line.find_last_not_of("\r\n") + 1);
        for (const auto& name : names_) {
            for (const auto* const what : {" says: ", " has joined the room", " has left the room"}) {
                // A prompt without a line feed may stand before it.
                if (const auto at = line.find(name + what); at != line.npos) return line.substr(at);
            }
        }
    }
    throw Wrong(awaited, "ten thousand lines about something else");
}

void Person::hears(const std::string& expected, const std::string& hint) {
    // Servers notice at their leisure that somebody has gone: that news may stand anywhere.
    const auto is_leaving = [](const std::string& news) { return news.ends_with(" has left the room"); };
    std::string got = news(in_quotes(expected));
    while (is_leaving(got) && !is_leaving(expected)) got = news(in_quotes(expected));
    if (got != expected) throw differing(expected, got, hint);
}

void Person::hears_in_the_end(const std::string& expected, const std::string& hint) try {
    while (news(in_quotes(expected)) != expected) {
    }
} catch (Wrong& wrong) {
    wrong.hint = hint;
    throw;
}

std::string Room::name(const std::string& beginning) {
    names_.push_back(beginning + word(trial_.random, 6));
    return names_.back();
}

Person& Room::visitor() {
    everybody_.push_back(std::make_unique<Person>(trial_, names_));
    return *everybody_.back();
}

Person& Room::enters(const std::string& name) {
    Person& person = visitor();
    person.types(name);
    person.types("I am here");
    person.hears_in_the_end(name + " says: I am here",
                            "The first line is the name; every other line goes to everybody in the room, and comes "
                            "back to the one who said it.");
    for (Person* const other : present_) {
        other->hears(name + " has joined the room", "Whoever is there hears that somebody joins: once.");
        other->hears(name + " says: I am here");
    }
    present_.push_back(&person);
    return person;
}

void Room::forget(const Person& person) {
    std::erase(present_, &person);
}

}  // namespace grade
