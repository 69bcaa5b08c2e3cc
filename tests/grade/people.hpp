#pragma once

#include "grade/probe.hpp"
#include "grade/step.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace grade {

/// Somebody in a chat room. Welcomes, prompts, and talk from before their time do not matter. News does:
/// "NAME says: …", "NAME has joined the room", "NAME has left the room" of people who belong to this step. Where the
/// room has turned out not to send one's own words back, this person takes them for heard.
class Person {
public:
    /// Connects and says nothing yet.
    Person(Trial& trial, std::vector<std::string>& names)
        : client(trial.server), server_(trial.server), names_(names), own_words_(trial.own_words) {}

    /// The next news, whatever it is, without its line's end. `awaited` says what for.
    std::string news(const std::string& awaited);
    /// The next news is this; unless it is expected, that somebody has left is passed over.
    void hears(const std::string& expected, const std::string& hint = "");
    /// Passes over all news up to this.
    void hears_in_the_end(const std::string& expected, const std::string& hint = "");
    void types(const std::string& line) { sends(line + "\n"); }
    /// The first line is the name. Until the server has read it, this person waits, and says nothing more.
    void sends(const std::string& bytes);

    Client client;

private:
    std::string next_news(const std::string& awaited);
    bool is_silent();
    void pass_over(const std::string& line);

    Server& server_;
    std::vector<std::string>& names_;
    const OwnWords& own_words_;
    std::string name_;                   // empty: not said yet
    std::string unfinished_;             // a line that was sent in part
    std::deque<std::string> not_heard_;  // of what was said, what does not come back and is still to be taken for heard
    bool has_settled_ = false;           // since this person has sent something
    std::deque<std::string> passed_over_;  // the last lines that were not what is awaited
};

/// Finds out in which words of its own the server says that somebody speaks, joins and leaves, and to whom.
void learn_words(Trial& trial);

/// A room for the length of one step: names that nobody has had before, and people who have noticed each other.
class Room {
public:
    explicit Room(Trial& trial) : trial_(trial) {}

    /// A name that begins like this.
    std::string name(const std::string& beginning);
    /// A name that may be told of somebody here, too.
    std::string also_named(const std::string& name);
    /// Connects, without a name yet.
    Person& visitor();
    /// Connects, says the name and then something, and hears it come back: from then on this person is in.
    /// Everybody else here hears them join and say it.
    Person& enters(const std::string& name);
    /// Who can tell that this person was heard: the same person, or where one's own words do not come back somebody
    /// else.
    Person& witness_of(Person& speaker);
    /// This person has left, or is about to: from now on nobody expects them to hear anything.
    void forget(const Person& person);

private:
    Trial& trial_;
    std::vector<std::string> names_;
    std::vector<std::unique_ptr<Person>> everybody_;  // visitors too
    std::vector<Person*> present_;
    Person* witness_ = nullptr;
};

}  // namespace grade
