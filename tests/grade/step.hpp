#pragma once

#include "grade/client.hpp"
#include "grade/server.hpp"
#include "grade/verdict.hpp"

#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace grade {

/// How a chat room says something in words of its own: `before` NAME `after` TEXT `end`.
struct Phrase {
    std::string before, after, end;
};

/// What a chat room says otherwise than it should, once a step has failed for that. Later steps take these words for
/// the right ones: one wrong word is one mistake, not a mistake in each step that listens.
struct OwnWords {
    std::optional<Phrase> says, joined, left;
    bool come_back = true;  ///< to the one who says them
};

/// What a step works with.
struct Trial {
    Server& server;
    std::mt19937_64& random;  ///< seeded with --seed and the step's name, so that --only sees the same
    std::string crash;        ///< --crash: the line that makes the server crash a worker; may be empty
    OwnWords& own_words;
};

/// One thing that a server is asked.
struct Step {
    std::string name;                 ///< in --only, and in verdicts: words joined by _
    std::vector<std::string> stages;  ///< whom it is asked: "01" to "05", or a dialect's name

    enum class Weight {
        required,  ///< decides
        advice,    ///< is told; decides only with --strict
    } weight;

    /// What such a server must have for the step to be possible.
    enum class Needs {
        nothing,
        our_process,  ///< that we have started it, so that we may signal it, kill it and start it again
    } needs;

    std::string does;  ///< what it does, as the commands that a person would type: HOST and PORT are filled in
    std::string why;   ///< why it matters
    std::string read;  ///< where to read on

    /// Does it: returns when the server is right, throws Wrong when it is not, NotPossible when this cannot be told
    /// here. It may leave the server stopped where it needs our_process; else it leaves it serving.
    void (*run)(Trial&);

    /// After it has failed, and others follow: finds out what need not fail these, too. May throw what run() throws.
    void (*learn)(Trial&) = nullptr;

    std::string group = {};  ///< what it is about, for marks: lines, clients, crowds, room, manners, life

    /// What it is worth where marks are given: what a stage is there to teach counts more than what it has kept of an
    /// earlier one, and advice counts only where it decides.
    int points(const std::string& stage, bool strict) const;
};

/// Every step there is, in the order in which they are done: what a later one needs, an earlier one has asked for.
const std::vector<Step>& all_steps();

// Its parts, each in a file of its own.
std::vector<Step> line_steps();        ///< one client and its lines
std::vector<Step> company_steps();     ///< a second client, and five
std::vector<Step> bad_client_steps();  ///< clients that leave, crash, or do not read
std::vector<Step> crowd_steps();       ///< a hundred, a thousand
std::vector<Step> chat_steps();        ///< the chat room, in the original's words
std::vector<Step> budget_steps();      ///< the chat room of Protohackers' problem 3
std::vector<Step> manner_steps();      ///< what is good to have: telnet, limits
std::vector<Step> life_steps();        ///< starting, ending, crashing

/// What can be graded, in order: a stage's number or a dialect's name.
struct Target {
    std::string name;
    std::string what;                      ///< one line for --help
    std::vector<std::string> our_command;  ///< our own server, beside the grader; empty: there is none
    std::string our_crash;                 ///< its --crash
};
const std::vector<Target>& targets();

}  // namespace grade
