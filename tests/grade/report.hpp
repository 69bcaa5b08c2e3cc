#pragma once

#include "grade/step.hpp"

#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace grade {

/// What became of one step.
struct Outcome {
    enum class Verdict { passed, failed, not_possible, not_reached, not_run } verdict = Verdict::not_run;
    std::optional<Wrong> wrong;  ///< where it failed
    std::string ending;          ///< how the server had ended by then; empty where it had not, or was to
    std::string last_words;      ///< of the server, where the step failed; may be empty
    std::string reason;          ///< where it was not possible, or not reached
    milliseconds took{0};
};

/// A whole run: which steps, and what became of each.
struct Run {
    std::string stage, server;
    unsigned long seed = 1;
    bool strict = false;
    bool only = false;     ///< some steps were chosen: the verdict is on these
    bool connect = false;  ///< the server runs somewhere: what needs its process cannot be asked
    std::vector<std::pair<const Step*, Outcome>> steps;
    std::string over;  ///< why it ended before its steps did; empty where it did not

    /// Whether this step's failure decides.
    bool decides(const Step& step) const { return strict || step.weight == Step::Weight::required; }
    enum class Verdict { pass, fail, not_decided };
    /// Fail when a step failed that decides; pass when each that decides has passed; else nobody can say.
    Verdict verdict() const;
    /// Those that decide and have this outcome.
    std::vector<const Step*> deciding(Outcome::Verdict outcome) const;
};

/// Tells people, or programs, of a run while it goes on. Exceptions from writing do not occur: what cannot be written
/// is lost.
class Report {
public:
    virtual ~Report() = default;
    virtual void begins(const Run& run, const Server& server) = 0;
    virtual void begins(const Step& step) = 0;
    virtual void ends(const Run& run, const Step& step, const Outcome& outcome, const Server& server) = 0;
    virtual void ends(const Run& run) = 0;
    /// Instead of a verdict.
    virtual void cannot_run(const Run& run, const std::string& reason) = 0;
};

/// Text, as it goes. With colour and the running step's name where `out` is a terminal.
std::unique_ptr<Report> text_report(std::ostream& out, bool is_terminal);
/// One JSON object at the end.
std::unique_ptr<Report> json_report(std::ostream& out);
/// A test suite of JUnit's XML at the end, as CI systems read it: a test case for each step. What was not asked and
/// decides is an error in it, never a success; advice that is not met is told in its output.
std::unique_ptr<Report> junit_report(std::ostream& out);
/// Tells each of them.
std::unique_ptr<Report> all_reports(std::vector<std::unique_ptr<Report>> reports);

/// What --explain prints.
std::string explanation(const Step& step);

/// What --rules prints: all that is asked of a target, on a page, by groups; made of the steps, so it is what they ask.
std::string rules(const Target& target, const std::vector<const Step*>& steps);

/// `text` with HOST and PORT as the server has them.
std::string addressed(std::string text, const Server& server);

}  // namespace grade
