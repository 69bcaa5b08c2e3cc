#include "04_supervised/otp/lab/scenario.hpp"

#include "app/text.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace lab {
namespace {

using namespace otp;

constexpr std::size_t shown_bytes = 60;  // of a word that is wrong

constexpr std::string_view worker_verbs =
    "exits REASON, fails N starts [REASON], ignores N starts, takes TIME to start, takes TIME to stop, "
    "stops with REASON, refuses to stop, obeys";
constexpr std::string_view supervisor_verbs =
    "start_child ..., terminate_child ID, restart_child ID, delete_child ID, which_children, count_children, "
    "stop (the root only), exits killed";

// Where the reader of one line stands. A mistake leaves by exception: it ends the whole reading, and only parse()
// catches it.
struct Line {
    std::size_t number;
    std::size_t indent;
    std::vector<std::string> words;
    std::size_t next = 0;

    [[noreturn]] void fail(const std::string& message) const { throw ScenarioError{number, message}; }
    bool more() const { return next < words.size(); }
    const std::string& peek() const { return words[next]; }
    std::string take(const std::string& what) {
        if (!more()) fail("the line ends where " + what + " is expected");
        return words[next++];
    }
    void take_exactly(std::string_view word) {
        if (take("\"" + std::string(word) + "\"") != word) unknown(words[next - 1], "\"" + std::string(word) + "\"");
    }
    void end() const {
        if (more()) fail("nothing may follow here, but there is \"" + shown(peek()) + "\"");
    }
    [[noreturn]] void unknown(const std::string& word, std::string_view allowed) const {
        fail("\"" + shown(word) + "\" is unknown here; allowed: " + std::string(allowed));
    }
    static std::string shown(const std::string& word) { return app::text::visible(word, shown_bytes); }
};

std::vector<Line> split(std::string_view text) {
    std::vector<Line> lines;
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view rest = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        Line line{++number, std::min(rest.find_first_not_of(' '), rest.size()), {}};
        while (true) {
            rest.remove_prefix(std::min(rest.find_first_not_of(" \r"), rest.size()));
            if (rest.empty() || rest.front() == '#') break;  // a#2 is a name: a comment begins a word
            const std::size_t length = std::min(rest.find_first_of(" \r"), rest.size());
            line.words.emplace_back(rest.substr(0, length));
            if (line.words.back().find('\t') != std::string::npos) line.fail("a tab; allowed: spaces");
            rest.remove_prefix(length);
        }
        if (!line.words.empty()) lines.push_back(std::move(line));
    }
    return lines;
}

int parse_number(const Line& line, const std::string& word) {
    int number = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error != std::errc{} || end != word.data() + word.size() || number < 0 || number > max_number) {
        line.unknown(word, "a number from 0 to " + std::to_string(max_number));
    }
    return number;
}

// "500ms", "3s", "0.9s".
Duration parse_duration(const Line& line, const std::string& word) {
    const std::string_view allowed = "a time, e.g. 500ms, 3s, 0.9s, at most 1000000s";
    double number = -1;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number, std::chars_format::fixed);
    const std::string_view unit(end, static_cast<std::size_t>(word.data() + word.size() - end));
    if (error != std::errc{} || !(number >= 0) || (unit != "ms" && unit != "s")) line.unknown(word, allowed);
    const double milliseconds = number * (unit == "s" ? 1000 : 1);
    if (milliseconds > static_cast<double>(max_duration.count())) line.unknown(word, allowed);
    return Duration(std::llround(milliseconds));
}

Reason parse_reason(const std::string& word) {
    if (word == "normal") return Reason::normal();
    if (word == "shutdown") return Reason::shutdown();
    if (word == "killed") return Reason::killed();
    if (word.starts_with("shutdown:")) return Reason::shutdown(word.substr(9));
    return Reason::abnormal(word);
}

std::string parse_name(const Line& line, const std::string& word) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    };
    if (!std::ranges::all_of(word, letter)) line.unknown(word, "a name of letters, digits, _ and -");
    return word;
}

template <class Enum>
Enum parse_enum(const Line& line, const std::string& word, std::initializer_list<Enum> values) {
    std::string allowed;
    for (Enum value : values) {
        if (word == to_string(value)) return value;
        allowed += (allowed.empty() ? "" : ", ") + std::string(to_string(value));
    }
    line.unknown(word, allowed);
}

Shutdown parse_shutdown(const Line& line, const std::string& word) {
    if (word == "brutal_kill") return Shutdown::brutal_kill();
    if (word == "infinity") return Shutdown::infinity();
    if (word.empty() || word[0] < '0' || word[0] > '9') line.unknown(word, "brutal_kill, infinity, a time such as 5s");
    return Shutdown::timeout(parse_duration(line, word));
}

std::chrono::seconds parse_period(const Line& line, const std::string& word) {
    const Duration period = parse_duration(line, word);
    if (period.count() % 1000 != 0) line.unknown(word, "whole seconds, as OTP counts them");
    return std::chrono::duration_cast<std::chrono::seconds>(period);
}

bool set_child_option(const Line& line, ChildSpec& spec, const std::string& key, const std::string& value) {
    if (key == "restart") {
        spec.restart = parse_enum(line, value, {Restart::permanent, Restart::transient, Restart::temporary});
    } else if (key == "shutdown") {
        spec.shutdown = parse_shutdown(line, value);
    } else if (key == "significant") {
        if (value != "true" && value != "false") line.unknown(value, "true, false");
        spec.significant = value == "true";
    } else {
        return false;
    }
    return true;
}

bool set_flag(const Line& line, SupFlags& flags, const std::string& key, const std::string& value) {
    if (key == "strategy") {
        flags.strategy = parse_enum(
            line, value,
            {Strategy::one_for_one, Strategy::one_for_all, Strategy::rest_for_one, Strategy::simple_one_for_one});
    } else if (key == "intensity") {
        flags.intensity = parse_number(line, value);
    } else if (key == "period") {
        flags.period = parse_period(line, value);
    } else if (key == "auto_shutdown") {
        flags.auto_shutdown = parse_enum(
            line, value, {AutoShutdown::never, AutoShutdown::any_significant, AutoShutdown::all_significant});
    } else if (key == "max_children") {
        flags.max_children = static_cast<std::size_t>(parse_number(line, value));
    } else if (key == "restart_delay") {
        flags.restart_delay = parse_duration(line, value);
    } else if (key == "restart_delay_max") {
        flags.restart_delay_max = parse_duration(line, value);
    } else {
        return false;
    }
    return true;
}

// `worker NAME key=value ...` or `supervisor NAME key=value ...`.
Declaration parse_declaration(Line& line, bool is_root) {
    constexpr std::string_view child_keys = "restart, shutdown, significant";
    constexpr std::string_view flag_keys =
        "strategy, intensity, period, auto_shutdown, max_children, restart_delay, restart_delay_max";
    Declaration declared{.spec = {}, .line = line.number};
    const std::string type = line.take("worker or supervisor");
    declared.spec.type = parse_enum(line, type, {ChildType::worker, ChildType::supervisor});
    const bool supervisor = declared.spec.type == ChildType::supervisor;
    declared.spec.id = parse_name(line, line.take("the name of the " + type));
    std::string allowed;
    if (!is_root) allowed = child_keys;
    if (supervisor) allowed += (allowed.empty() ? "" : ", ") + std::string(flag_keys);
    while (line.more()) {
        const std::string word = line.take("");
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos) line.unknown(word, "key=value, with " + allowed);
        const std::string key = word.substr(0, equals), value = word.substr(equals + 1);
        const bool known = (!is_root && set_child_option(line, declared.spec, key, value)) ||
                           (supervisor && set_flag(line, declared.flags, key, value));
        if (!known) line.unknown(key, allowed);
    }
    if (supervisor) {
        if (const auto checked = check_flags(declared.flags); !checked) line.fail(checked.error());
    }
    return declared;
}

// The children of `parent`: the lines below it that are indented further.
void parse_children(std::vector<Line>& lines, std::size_t& next, Declaration& parent, std::size_t parent_indent) {
    const std::size_t indent = next < lines.size() ? lines[next].indent : 0;
    while (next < lines.size() && lines[next].indent > parent_indent) {
        Line& line = lines[next++];
        if (line.indent != indent) {
            line.fail("indented by " + std::to_string(line.indent) + " spaces, the children of " + parent.spec.id +
                      " by " + std::to_string(indent));
        }
        Declaration child = parse_declaration(line, false);
        if (child.spec.type == ChildType::supervisor) {
            parse_children(lines, next, child, line.indent);
        } else if (next < lines.size() && lines[next].indent > line.indent) {
            lines[next].fail("a worker has no children; indent as the line above, or make it a supervisor");
        }
        parent.children.push_back(std::move(child));
    }
    std::vector<ChildSpec> specs;
    for (const Declaration& child : parent.children) specs.push_back(child.spec);
    const auto checked = check_childspecs(specs, parent.flags);
    if (!checked) throw ScenarioError{parent.line, checked.error()};
}

// Every name that can ever be in the tree, and what it is.
using Names = std::map<std::string, ChildType>;

void declare(Names& names, const Declaration& declared) {
    const auto [known, added] = names.emplace(declared.spec.id, declared.spec.type);
    if (!added && known->second != declared.spec.type) {
        throw ScenarioError{declared.line, declared.spec.id + " is both a worker and a supervisor"};
    }
    for (const Declaration& child : declared.children) declare(names, child);
}

void require_unique(std::set<std::string>& seen, const Declaration& declared) {
    if (!seen.insert(declared.spec.id).second) {
        throw ScenarioError{declared.line,
                            "there are two with the name " + declared.spec.id +
                                "; here a name is unique in the whole tree, so that the script can say whom it means"};
    }
    for (const Declaration& child : declared.children) require_unique(seen, child);
}

void parse_worker_verb(Line& line, const std::string& verb, Statement& statement) {
    if (verb == "exits") {
        statement.verb = Verb::exits;
        statement.reason = parse_reason(line.take("a reason: normal, shutdown, shutdown:WORD, killed or any word"));
    } else if (verb == "fails" || verb == "ignores") {
        statement.verb = verb == "fails" ? Verb::fails : Verb::ignores;
        statement.times = parse_number(line, line.take("how many starts"));
        line.take_exactly("starts");
        statement.reason = Reason::abnormal("start_failed");
        if (verb == "fails" && line.more()) statement.reason = parse_reason(line.take("a reason"));
    } else if (verb == "takes") {
        statement.duration = parse_duration(line, line.take("a time"));
        line.take_exactly("to");
        const std::string what = line.take("start or stop");
        if (what != "start" && what != "stop") line.unknown(what, "start, stop");
        statement.verb = what == "start" ? Verb::starts_in : Verb::stops_in;
    } else if (verb == "stops") {
        statement.verb = Verb::stops_with;
        line.take_exactly("with");
        statement.reason = parse_reason(line.take("a reason"));
    } else if (verb == "refuses") {
        statement.verb = Verb::refuses;
        line.take_exactly("to");
        line.take_exactly("stop");
    } else if (verb == "obeys") {
        statement.verb = Verb::obeys;
    } else {
        line.unknown(verb, "a worker " + std::string(worker_verbs));
    }
}

void parse_supervisor_verb(Line& line, const std::string& verb, Statement& statement, bool is_root) {
    const std::map<std::string, Verb> of_a_child = {{"terminate_child", Verb::terminate_child},
                                                    {"restart_child", Verb::restart_child},
                                                    {"delete_child", Verb::delete_child}};
    if (verb == "start_child") {
        statement.verb = Verb::start_child;
        if (line.more()) statement.declared = parse_declaration(line, false);
    } else if (const auto found = of_a_child.find(verb); found != of_a_child.end()) {
        statement.verb = found->second;
        statement.child = line.take("the child's name");
    } else if (verb == "which_children") {
        statement.verb = Verb::which_children;
    } else if (verb == "count_children") {
        statement.verb = Verb::count_children;
    } else if (verb == "stop" && is_root) {
        statement.verb = Verb::stop;
    } else if (verb == "exits") {
        statement.verb = Verb::exits;
        line.take_exactly("killed");
        statement.reason = Reason::killed();
    } else {
        line.unknown(verb, "a supervisor " + std::string(supervisor_verbs));
    }
}

// `at 1s: ...`, `when a#2 starts: ...`, or nothing before the statement.
Step parse_trigger(Line& line) {
    Step step;
    const auto without_colon = [&](std::string word) {
        if (!word.ends_with(':'))
            line.fail("\"" + Line::shown(word) + "\" must end in a colon, e.g. at 1s: a exits boom");
        word.pop_back();
        return word;
    };
    if (line.peek() == "at") {
        line.next++;
        step.when = Step::When::at;
        step.time = parse_duration(line, without_colon(line.take("a time")));
    } else if (line.peek() == "when") {
        line.next++;
        step.child = line.take("the name of a child");
        const std::string what = without_colon(line.take("starts: or stops:"));
        if (what != "starts" && what != "stops") line.unknown(what + ":", "starts:, stops:");
        step.when = what == "starts" ? Step::When::starts : Step::When::stops;
    }
    return step;
}

ChildType known_name(const Line& line, const Names& names, const std::string& name) {
    const auto found = names.find(id_of(name));
    if (found != names.end()) return found->second;
    std::string allowed;
    for (const auto& [id, type] : names) allowed += (allowed.empty() ? "" : ", ") + id;
    line.unknown(name, allowed);
}

Step parse_step(Line& line, const Names& names, const std::string& root) {
    Step step = parse_trigger(line);
    if (!step.child.empty()) known_name(line, names, step.child);
    Statement& statement = step.statement;
    statement.line = line.number;
    statement.subject = line.take("who does something");
    const ChildType type = known_name(line, names, statement.subject);
    const std::string verb = line.take("what " + statement.subject + " does");
    if (type == ChildType::worker) {
        parse_worker_verb(line, verb, statement);
    } else {
        parse_supervisor_verb(line, verb, statement, statement.subject == root);
    }
    const bool happens = type == ChildType::supervisor || statement.verb == Verb::exits;
    if (step.when == Step::When::beforehand && happens) {
        line.fail("say when: at TIME: ..., when NAME starts: ..., when NAME stops: ...");
    }
    line.end();
    return step;
}

// start_child brings names that the tree does not show: every statement may speak of them, in any order.
void declare_started(std::vector<Line>& lines, std::size_t first, Names& names) {
    for (std::size_t number = first; number < lines.size(); ++number) {
        Line line = lines[number];
        const auto found = std::ranges::find(line.words, "start_child");
        if (found == line.words.end()) continue;
        line.next = static_cast<std::size_t>(found - line.words.begin()) + 1;
        if (line.more()) declare(names, parse_declaration(line, false));
    }
}

Scenario read(std::string_view text) {
    if (text.size() > max_scenario_bytes) throw ScenarioError{1, "longer than 1 MiB, which is the limit"};
    std::vector<Line> lines = split(text);
    if (lines.empty() || lines[0].peek() != "supervisor" || lines[0].indent != 0) {
        throw ScenarioError{
            lines.empty() ? 1 : lines[0].number,
            "a scenario begins with its tree: supervisor NAME key=value ..., its children indented below"};
    }
    Scenario scenario;
    scenario.root = parse_declaration(lines[0], true);
    std::size_t next = 1;
    parse_children(lines, next, scenario.root, 0);
    std::set<std::string> seen;
    require_unique(seen, scenario.root);
    Names names;
    declare(names, scenario.root);
    declare_started(lines, next, names);
    for (; next < lines.size(); ++next) {
        if (lines[next].indent != 0) {
            lines[next].fail(
                "indented, but it belongs to no supervisor; only the tree, which comes first, is indented");
        }
        scenario.steps.push_back(parse_step(lines[next], names, scenario.root.spec.id));
    }
    return scenario;
}

}  // namespace

std::string id_of(const std::string& name) {
    return name.substr(0, name.find('#'));
}

boost::system::result<Scenario, ScenarioError> parse(std::string_view text) {
    try {
        return read(text);
    } catch (const ScenarioError& error) {
        return error;
    }
}

}  // namespace lab
