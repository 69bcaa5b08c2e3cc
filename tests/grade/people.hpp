#pragma once

#include "grade/probe.hpp"
#include "grade/step.hpp"

#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace grade {

/// Somebody in a chat room. Welcomes, prompts, and talk from before their time do not matter. News does:
/// "NAME says: …", "NAME has joined the room", "NAME has left the room" of people who belong to this step.
class Person {
public:
    /// Connects and says nothing yet.
    Person(Trial& trial, std::vector<std::string>& names)
        : client(trial.server), names_(names), own_words_(trial.own_words) {}

    /// The next news, whatever it is, without its line's end. `awaited` says what for.
    std::string news(const std::string& awaited);
    /// The next news is this; unless it is expected, that somebody has left is passed over.
    void hears(const std::string& expected, const std::string& hint = "");
    /// Passes over all news up to this.
    void hears_in_the_end(const std::string& expected, const std::string& hint = "");
    void types(const std::string& line) { client.send(line + "\n"); }

    Client client;

private:
    std::string next_news(const std::string& awaited);
    void pass_over(const std::string& line);

    std::vector<std::string>& names_;
    const OwnWords& own_words_;
    std::deque<std::string> passed_over_;  // the last lines that were not what is awaited
};

/// Finds out in which words of its own the server says that somebody speaks, joins and leaves.
void learn_words(Trial& trial);

/// A room for the length of one step: names that nobody has had before, and people who have noticed each other.
class Room {
public:
    explicit Room(Trial& trial) : trial_(trial) {}

    /// A name that begins like this.
    std::string name(const std::string& beginning);
    /// Connects, without a name yet.
    Person& visitor();
    /// Connects, says the name and then something, and hears it come back: from then on this person is in.
    /// Everybody else here hears them join and say it.
    Person& enters(const std::string& name);
    /// This person has left, or is about to: from now on nobody expects them to hear anything.
    void forget(const Person& person);

private:
    Trial& trial_;
    std::vector<std::string> names_;
    std::vector<std::unique_ptr<Person>> everybody_;  // visitors too
    std::vector<Person*> present_;
};

}  // namespace grade
