#include "grade/report.hpp"

#include "grade/bytes.hpp"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <sstream>

#include <boost/json.hpp>

namespace grade {

namespace {

constexpr std::size_t width = 110;
constexpr std::size_t indent = 12;

std::string_view weight(const Step& step) {
    return step.weight == Step::Weight::required ? "required" : "advice";
}

/// `label` and then the text, broken between words into lines that stand under each other.
std::string paragraph(std::string_view label, const std::string& text) {
    std::string out = "  " + std::string(label) + std::string(indent - 2 - label.size(), ' ');
    std::size_t column = indent;
    std::istringstream words(text);
    for (std::string word; words >> word;) {
        if (column > indent && column + 1 + word.size() > width) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
        }
        if (column > indent) out += ' ', ++column;
        out += word;
        column += word.size();
    }
    return out + "\n";
}

/// The same for what must not be broken.
std::string verbatim(std::string_view label, const std::string& text) {
    return "  " + std::string(label) + std::string(indent - 2 - label.size(), ' ') + text + "\n";
}

std::string narrated(const Step& step, const Outcome& outcome, const Server& server) {
    const Wrong& wrong = *outcome.wrong;
    std::string out = verbatim("try", addressed(step.does, server));
    if (!wrong.sent.empty()) out += verbatim("sent", wrong.sent);
    out += verbatim("expected", wrong.expected);
    out += verbatim("got", wrong.got);
    if (!wrong.pointer.empty()) out += verbatim("", wrong.pointer);
    if (!outcome.ending.empty()) out += verbatim("ended", "the server: " + outcome.ending);
    if (!wrong.hint.empty()) out += paragraph("hint", wrong.hint);
    out += paragraph("why", step.why);
    out += verbatim("read", step.read);
    if (!outcome.last_words.empty()) out += "  the server's last words:\n" + outcome.last_words;
    return out;
}

class TextReport : public Report {
public:
    TextReport(std::ostream& out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}

    void begins(const Run& run, const Server& server) override {
        out_ << "grade " << run.stage << ": " << server.name() << " (seed " << run.seed << ")" << std::endl;
        if (server.patience().factor > slow) {
            out_ << "  this machine is busy: everything gets " << std::setprecision(2) << server.patience().factor
                 << " times as long" << std::endl;
        }
    }
    void begins(const Step& step) override {
        begun_ = &step;
        if (is_terminal_) out_ << "  ...     " << step.name << std::flush;
    }
    void ends(const Run& run, const Step& step, const Outcome& outcome, const Server& server) override {
        if (begun_ != &step) return;  // the last line counts, or names, those that were not begun
        if (is_terminal_) out_ << "\r\033[K";
        switch (outcome.verdict) {
            case Outcome::Verdict::passed: out_ << coloured(green, "  ok      ") << step.name; break;
            case Outcome::Verdict::not_possible:
            case Outcome::Verdict::not_reached: out_ << "  -       " << step.name << ": " << outcome.reason; break;
            case Outcome::Verdict::not_run: return;
            case Outcome::Verdict::failed:
                out_ << (run.decides(step) ? coloured(red, "  FAIL    ") : coloured(yellow, "  advice  ")) << step.name
                     << "\n"
                     << narrated(step, outcome, server);
                break;
        }
        out_ << std::endl;
    }
    void ends(const Run& run) override {
        std::size_t passed = 0, advised = 0, not_run = 0;
        for (const auto& [step, outcome] : run.steps) {
            if (outcome.verdict == Outcome::Verdict::passed) ++passed;
            if (outcome.verdict == Outcome::Verdict::failed && !run.decides(*step)) ++advised;
            if (outcome.verdict == Outcome::Verdict::not_run) ++not_run;
        }
        switch (run.verdict()) {
            case Run::Verdict::pass: out_ << coloured(green, "PASS"); break;
            case Run::Verdict::fail: out_ << coloured(red, "FAIL"); break;
            case Run::Verdict::not_decided: out_ << coloured(yellow, "NOT DECIDED"); break;
        }
        out_ << "  " << passed << " of " << run.steps.size() << (run.only ? " chosen steps passed" : " steps passed");
        if (advised > 0) out_ << ", " << advised << " with advice";
        out_ << undecided(run, Outcome::Verdict::not_possible, "could not be asked")
             << undecided(run, Outcome::Verdict::not_reached, "not reached");
        if (!run.over.empty()) out_ << "; " << run.over;
        if (not_run > 0) out_ << ", " << not_run << " not run after that (--keep-going runs them)";
        out_ << std::endl;
    }
    void cannot_run(const Run&, const std::string& reason) override {
        out_ << "could not run: " << reason << std::endl;
    }

private:
    static constexpr double slow = 1.5;
    static constexpr auto green = "\033[32m";
    static constexpr auto red = "\033[1;31m";
    static constexpr auto yellow = "\033[33m";

    /// Those that decide and have no verdict, by name.
    static std::string undecided(const Run& run, Outcome::Verdict outcome, std::string why) {
        const auto steps = run.deciding(outcome);
        if (steps.empty()) return "";
        std::string names;
        for (const auto* const step : steps) names += (names.empty() ? "" : ", ") + step->name;
        const auto needs_process = [](const Step* step) { return step->needs == Step::Needs::our_process; };
        if (run.connect && std::all_of(steps.begin(), steps.end(), needs_process)) why += " with --connect";
        return "; " + count(steps.size(), run.strict ? "step" : "required step") + " " + why + " (" + names + ")";
    }

    std::string coloured(const char* colour, const std::string& text) const {
        return is_terminal_ ? colour + text + "\033[0m" : text;
    }

    std::ostream& out_;
    const bool is_terminal_;
    const Step* begun_ = nullptr;
};

class JsonReport : public Report {
public:
    explicit JsonReport(std::ostream& out) : out_(out) {}

    void begins(const Run&, const Server&) override {}
    void begins(const Step&) override {}
    void ends(const Run& run, const Step& step, const Outcome& outcome, const Server& server) override {
        constexpr std::string_view verdicts[] = {"passed", "failed", "not possible", "not reached", "not run"};
        boost::json::object object{{"step", step.name},
                                   {"weight", weight(step)},
                                   {"group", step.group},
                                   {"decides", run.decides(step)},
                                   {"points", step.points(run.stage, run.strict)},
                                   {"verdict", verdicts[static_cast<int>(outcome.verdict)]},
                                   {"milliseconds", outcome.took.count()}};
        if (!outcome.reason.empty()) object["reason"] = outcome.reason;
        if (const auto& wrong = outcome.wrong) {
            object["try"] = addressed(step.does, server);
            object["sent"] = wrong->sent;
            object["expected"] = wrong->expected;
            object["got"] = wrong->got;
            object["hint"] = wrong->hint;
            object["why"] = step.why;
            object["read"] = step.read;
            if (!outcome.ending.empty()) object["server_ended"] = outcome.ending;
            object["text"] = narrated(step, outcome, server);
        }
        steps_.push_back(std::move(object));
    }
    void ends(const Run& run) override {
        constexpr std::string_view verdicts[] = {"pass", "fail", "not decided"};
        boost::json::array undecided;
        using enum Outcome::Verdict;
        for (const auto open : {not_possible, not_reached}) {
            for (const auto* const step : run.deciding(open)) undecided.emplace_back(step->name);
        }
        write(run, {{"verdict", verdicts[static_cast<int>(run.verdict())]},
                    {"undecided", std::move(undecided)},
                    {"steps", std::move(steps_)}});
    }
    void cannot_run(const Run& run, const std::string& reason) override {
        write(run, {{"verdict", "could not run"}, {"reason", reason}, {"steps", std::move(steps_)}});
    }

private:
    void write(const Run& run, boost::json::object object) {
        object["stage"] = run.stage;
        object["server"] = run.server;
        object["seed"] = run.seed;
        object["strict"] = run.strict;
        if (!run.over.empty()) object["reason"] = run.over;
        out_ << boost::json::serialize(object) << std::endl;
    }

    std::ostream& out_;
    boost::json::array steps_;
};

/// A character that XML gives a meaning, as its entity. Nothing else needs care: bytes of servers are visible() text.
std::string in_xml(std::string_view text) {
    std::string out;
    for (const char character : text) {
        switch (character) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            default: out += character;
        }
    }
    return out;
}

std::string in_seconds(milliseconds time) {
    std::ostringstream out;
    out << std::fixed << std::setprecision(3) << std::chrono::duration<double>(time).count();
    return out.str();
}

class JunitReport : public Report {
public:
    explicit JunitReport(std::ostream& out) : out_(out) {}

    void begins(const Run&, const Server&) override {}
    void begins(const Step&) override {}
    void ends(const Run& run, const Step& step, const Outcome& outcome, const Server& server) override {
        std::string body;
        const auto problem = [&](const char* element, const std::string& message, const std::string& text) {
            body = std::string("    <") + element + " message=\"" + in_xml(message) + "\">" + in_xml(text) + "</" +
                   element + ">\n";
        };
        if (const auto& wrong = outcome.wrong) {
            const std::string text = narrated(step, outcome, server);
            if (run.decides(step)) {
                ++failures_;
                problem("failure", wrong->what(), text);
            } else {
                body = "    <system-out>advice:\n" + in_xml(text) + "</system-out>\n";
            }
        } else if (outcome.verdict != Outcome::Verdict::passed) {
            const std::string reason = outcome.reason.empty() ? "not run, after a failure" : outcome.reason;
            if (run.decides(step)) {
                ++errors_;
                problem("error", reason, "");
            } else {
                ++skipped_;
                body = "    <skipped message=\"" + in_xml(reason) + "\"/>\n";
            }
        }
        took_ += outcome.took;
        ++cases_;
        text_ += "  <testcase classname=\"" + in_xml(run.stage + "." + step.group) + "\" name=\"" + in_xml(step.name) +
                 "\" time=\"" + in_seconds(outcome.took) + "\">\n" + body + "  </testcase>\n";
    }
    void ends(const Run& run) override { write(run); }
    void cannot_run(const Run& run, const std::string& reason) override {
        ++errors_;
        ++cases_;
        text_ += "  <testcase classname=\"" + in_xml(run.stage) +
                 "\" name=\"runs\" time=\"0\">\n    <error message=\"" + in_xml(reason.substr(0, reason.find('\n'))) +
                 "\">" + in_xml(reason) + "</error>\n  </testcase>\n";
        write(run);
    }

private:
    void write(const Run& run) {
        out_ << "<testsuite name=\"" << in_xml("grade " + run.stage) << "\" tests=\"" << cases_ << "\" failures=\""
             << failures_ << "\" errors=\"" << errors_ << "\" skipped=\"" << skipped_ << "\" time=\""
             << in_seconds(took_) << "\">\n"
             << text_ << "</testsuite>" << std::endl;
    }

    std::ostream& out_;
    std::string text_;
    int cases_ = 0, failures_ = 0, errors_ = 0, skipped_ = 0;
    milliseconds took_{0};
};

class AllReports : public Report {
public:
    explicit AllReports(std::vector<std::unique_ptr<Report>> reports) : reports_(std::move(reports)) {}

    void begins(const Run& run, const Server& server) override {
        for (const auto& report : reports_) report->begins(run, server);
    }
    void begins(const Step& step) override {
        for (const auto& report : reports_) report->begins(step);
    }
    void ends(const Run& run, const Step& step, const Outcome& outcome, const Server& server) override {
        for (const auto& report : reports_) report->ends(run, step, outcome, server);
    }
    void ends(const Run& run) override {
        for (const auto& report : reports_) report->ends(run);
    }
    void cannot_run(const Run& run, const std::string& reason) override {
        for (const auto& report : reports_) report->cannot_run(run, reason);
    }

private:
    std::vector<std::unique_ptr<Report>> reports_;
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + by.size())) {
        text.replace(at, what.size(), by);
    }
    return text;
}

}  // namespace

std::vector<const Step*> Run::deciding(Outcome::Verdict verdict) const {
    std::vector<const Step*> found;
    for (const auto& [step, outcome] : steps) {
        if (outcome.verdict == verdict && decides(*step)) found.push_back(step);
    }
    return found;
}

Run::Verdict Run::verdict() const {
    using enum Outcome::Verdict;
    if (!deciding(failed).empty()) return Verdict::fail;
    for (const auto open : {not_possible, not_reached, not_run}) {
        if (!deciding(open).empty()) return Verdict::not_decided;
    }
    return Verdict::pass;
}

std::unique_ptr<Report> text_report(std::ostream& out, bool is_terminal) {
    return std::make_unique<TextReport>(out, is_terminal);
}

std::unique_ptr<Report> json_report(std::ostream& out) {
    return std::make_unique<JsonReport>(out);
}

std::unique_ptr<Report> junit_report(std::ostream& out) {
    return std::make_unique<JunitReport>(out);
}

std::unique_ptr<Report> all_reports(std::vector<std::unique_ptr<Report>> reports) {
    return std::make_unique<AllReports>(std::move(reports));
}

std::string explanation(const Step& step) {
    std::string stages;
    for (const auto& stage : step.stages) stages += (stages.empty() ? "" : " ") + stage;
    return step.name + " (" + std::string(weight(step)) + ", for " + stages + ")\n" + verbatim("try", step.does) +
           paragraph("why", step.why) + verbatim("read", step.read) +
           (step.needs == Step::Needs::our_process ? paragraph("needs", "a server that the grader has started itself")
                                                   : "");
}

std::string rules(const Target& target, const std::vector<const Step*>& steps) {
    std::string text = target.name + ": " + target.what + "\n";
    for (const auto asked : {Step::Weight::required, Step::Weight::advice}) {
        text += asked == Step::Weight::required ? "\nRequired: without these it is none.\n"
                                                : "\nAdvice: it is told, and decides with --strict only.\n";
        std::string group;
        for (const auto* const step : steps) {
            if (step->weight != asked) continue;
            if (step->group != group) text += "\n" + step->group + "\n";
            group = step->group;
            text += "  " + step->name + ":\n" + paragraph("", step->why) + verbatim("try", step->does);
        }
    }
    return text +
           "\nWhat it looks like when it goes wrong: tests/museum/README.md. More of one step: --explain STEP.\n";
}

std::string addressed(std::string text, const Server& server) {
    return replaced(replaced(std::move(text), "HOST", server.host()), "PORT", server.port());
}

}  // namespace grade
