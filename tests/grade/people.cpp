#include "grade/people.hpp"

#include "grade/bytes.hpp"

namespace grade {

namespace {

constexpr auto says = " says: ";
constexpr auto has_joined = " has joined the room";
constexpr auto has_left = " has left the room";

/// What stands for TEXT where `line` says it in this phrase of that person.
std::optional<std::string> text_in(const std::string& line, const Phrase& phrase, const std::string& name) {
    const std::string begin = phrase.before + name + phrase.after;
    const auto at = line.find(begin);
    if (at == line.npos || !line.ends_with(phrase.end) || line.size() < at + begin.size() + phrase.end.size())
        return {};
    return line.substr(at + begin.size(), line.size() - at - begin.size() - phrase.end.size());
}

/// The line in the right words where it is news of `name` in the server's own; empty where it is not.
std::string translated(const std::string& line, const OwnWords& own, const std::string& name) {
    for (const auto& [phrase, words] : {std::pair(&own.joined, has_joined), std::pair(&own.left, has_left)}) {
        if (*phrase && text_in(line, **phrase, name) == "") return name + words;
    }
    if (!own.says) return "";
    const auto text = text_in(line, *own.says, name);
    return text ? name + says + *text : "";
}

/// The next line that names them, and contains the text; as a phrase.
Phrase next_phrase(Client& client, const std::string& name, const std::string& text) {
    constexpr int most_lines = 20;
    for (int i = 0; i < most_lines; ++i) {
        std::string line = client.line("a line about " + name);
        line.erase(line.find_last_not_of("\r\n") + 1);
        const auto at = line.find(name);
        if (at == line.npos) continue;
        const auto end = at + name.size();
        const auto words = line.find(text, end);
        if (words == line.npos) continue;
        if (text.empty()) return {line.substr(0, at), line.substr(end), ""};
        return {line.substr(0, at), line.substr(end, words - end), line.substr(words + text.size())};
    }
    throw Wrong("a line about " + name, "lines about something else");
}

}  // namespace

void learn_words(Trial& trial) {
    const std::string first = "Listener" + word(trial.random, 6);
    const std::string second = "Speaker" + word(trial.random, 6);
    const std::string text = "Words" + word(trial.random, 6);
    Client listener(trial.server);
    listener.send(first + "\n").await_read();
    listener.send(text + "\n");
    try {
        trial.own_words.says = next_phrase(listener, first, text);
    } catch (const Wrong&) {
        if (listener.has_ended()) throw;
        trial.own_words.come_back = false;
    }
    Client speaker(trial.server);
    speaker.send(second + "\n").await_read();
    if (!trial.own_words.come_back) speaker.send(text + "\n");
    trial.own_words.joined = next_phrase(listener, second, "");
    if (!trial.own_words.come_back) trial.own_words.says = next_phrase(listener, second, text);
    speaker.close();
    trial.own_words.left = next_phrase(listener, second, "");
}

void Person::sends(const std::string& bytes) {
    const bool is_new = name_.empty();
    client.send(bytes);
    has_settled_ = false;
    unfinished_ += bytes;
    for (std::size_t end = 0; (end = unfinished_.find('\n')) != std::string::npos; unfinished_.erase(0, end + 1)) {
        std::string line = unfinished_.substr(0, end);
        line.erase(line.find_last_not_of('\r') + 1);
        if (name_.empty()) {
            name_ = line;
        } else if (!own_words_.come_back) {
            not_heard_.push_back(name_ + says + line);
        }
    }
    // That name and words may come in one read is a question of its own.
    if (is_new) client.await_read();
}

/// Whether all has come that is to come: what others have said before stands before one's own words.
bool Person::is_silent() {
    if (client.has_line()) return false;
    if (has_settled_) return true;
    has_settled_ = true;
    client.await_read();
    server_.settle();
    if (!server_.is_ours()) server_.sleep(server_.patience().a_while());
    return !client.has_line();
}

/// The last lines that came instead are told: a server that says it in other words has not said nothing.
void Person::pass_over(const std::string& line) {
    constexpr std::size_t max_told = 3;
    passed_over_.push_back(line);
    if (passed_over_.size() > max_told) passed_over_.pop_front();
}

std::string Person::next_news(const std::string& awaited) try {
    constexpr int max_passed_over = 10'000;
    for (int i = 0; i < max_passed_over; ++i) {
        if (!not_heard_.empty() && is_silent()) {
            std::string words = not_heard_.front();
            not_heard_.pop_front();
            return words;
        }
        std::string line = client.line(awaited);
        line.erase(line.find_last_not_of("\r\n") + 1);
        for (const auto& name : names_) {
            for (const auto* const what : {says, has_joined, has_left}) {
                // A prompt without a line feed may stand before it.
                if (const auto at = line.find(name + what); at != line.npos) return line.substr(at);
            }
            if (const auto news = translated(line, own_words_, name); !news.empty()) return news;
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

std::string Room::also_named(const std::string& name) {
    names_.push_back(name);
    return name;
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

Person& Room::witness_of(Person& speaker) {
    if (trial_.own_words.come_back) return speaker;
    if (witness_ == nullptr) witness_ = &enters(name("Witness"));
    return *witness_;
}

void Room::forget(const Person& person) {
    std::erase(present_, &person);
}

}  // namespace grade
