#include "grade/people.hpp"

#include "grade/bytes.hpp"

namespace grade {

/// The last lines that came instead are told: a server that says it in other words has not said nothing.
void Person::pass_over(const std::string& line) {
    constexpr std::size_t max_told = 3;
    passed_over_.push_back(line);
    if (passed_over_.size() > max_told) passed_over_.pop_front();
}

std::string Person::next_news(const std::string& awaited) try {
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
        pass_over(line);
    }
    throw Wrong(awaited, "ten thousand lines about something else");
} catch (Wrong& wrong) {
    if (passed_over_.empty()) throw;
    std::string lines;
    for (const auto& line : passed_over_) lines += (lines.empty() ? "" : ", ") + in_quotes(line);
    wrong.got = (passed_over_.size() == 1 ? "another line: " : "other lines: ") + lines + "; and then " +
                (wrong.got == "nothing came" ? "nothing more" : wrong.got);
    throw;
}

std::string Person::news(const std::string& awaited) {
    std::string news = next_news(awaited);
    passed_over_.clear();
    return news;
}

void Person::hears(const std::string& expected, const std::string& hint) {
    // Servers notice at their leisure that somebody has gone: that news may stand anywhere.
    const auto is_leaving = [](const std::string& news) { return news.ends_with(" has left the room"); };
    std::string got = next_news(in_quotes(expected));
    for (; is_leaving(got) && !is_leaving(expected); got = next_news(in_quotes(expected))) pass_over(got);
    passed_over_.clear();
    if (got != expected) throw differing(expected, got, hint);
}

void Person::hears_in_the_end(const std::string& expected, const std::string& hint) try {
    for (std::string got; (got = next_news(in_quotes(expected))) != expected;) pass_over(got);
    passed_over_.clear();
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
