#include "app/story.hpp"

#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/json.hpp>

#include <atomic>
#include <chrono>
#include <ctime>
#include <map>
#include <mutex>

#include <poll.h>
#include <unistd.h>

namespace app {

namespace {

using Clock = std::chrono::steady_clock;

Who process{""};  // who shares our stdout with others; nobody: the empty role

// Guarded by the mutex: lines of several threads must not mix.
std::mutex writing;
std::uint64_t untold = 0;
std::map<std::string_view, Clock::time_point> last_told;

/// Waits until stdout takes a whole line without blocking us (POLLOUT on a pipe promises PIPE_BUF bytes).
bool has_room(int patience_ms) {
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&out, 1, patience_ms) > 0;
}

void write_whole(std::string_view line) {
    while (!line.empty()) {
        const auto written = ::write(STDOUT_FILENO, line.data(), line.size());
        if (written < 0) return;  // nobody reads any more: a server goes on without its story
        line.remove_prefix(static_cast<std::size_t>(written));
    }
}

std::string time_now() {
    using namespace std::chrono;
    const auto now = system_clock::now();
    const auto seconds = system_clock::to_time_t(now);
    const auto micros = duration_cast<microseconds>(now.time_since_epoch()).count() % 1'000'000;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char text[32];
    const auto length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    const auto fraction = std::to_string(1'000'000 + micros).substr(1);
    return std::string(text, length) + "." + fraction + "Z";
}

std::string name_of(const Who& who) {
    if (process.role.empty()) return to_string(who);
    return who.role == "server" ? to_string(process) : to_string(process) + " " + to_string(who);
}

/// Calls words(text) and field(name, value) in the order of the sentence.
void walk(std::string_view sentence, std::initializer_list<Field> fields, auto words, auto field) {
    for (const auto& value : fields) {
        const auto open = sentence.find('{');
        const auto close = sentence.find('}', open);
        words(sentence.substr(0, open));
        field(sentence.substr(open + 1, close - open - 1), value);
        sentence.remove_prefix(close + 1);
    }
    words(sentence);
}

std::string as_text(const Who& who, std::string_view sentence, std::initializer_list<Field> fields) {
    std::string line = name_of(who) + " ";
    walk(
        sentence, fields, [&](std::string_view words) { line += words; },
        [&](std::string_view, const Field& value) { line += value.shown(); });
    return line;
}

boost::json::object json_event(const Who& who, std::string_view name) {
    boost::json::object event{{"time", time_now()}, {"who", name_of(who)}, {"event", name}};
    if (!process.role.empty()) event[process.role] = process.number;
    return event;
}

std::string as_json(const Who& who, std::string_view name, std::string_view sentence,
                    std::initializer_list<Field> fields) {
    boost::json::object event = json_event(who, name);
    walk(
        sentence, fields, [](std::string_view) {},
        [&](std::string_view field, const Field& value) {
            event[field] = value.is_number() ? boost::json::value(value.number()) : boost::json::value(value.shown());
        });
    return boost::json::serialize(event);
}

std::string line_of(const Who& who, std::string_view name, std::string_view sentence,
                    std::initializer_list<Field> fields) {
    return story::mode == Log::json ? as_json(who, name, sentence, fields) : as_text(who, sentence, fields);
}

void write_line(std::string line) {
    const std::lock_guard lock(writing);
    if (!has_room(untold == 0 ? story::patience_ms : 0)) {
        ++untold;
        return;
    }
    if (untold > 0) {
        line.insert(0, line_of({"server"}, events::left_out.name, events::left_out.sentence, {untold}) + "\n");
        untold = 0;
    }
    line += '\n';
    write_whole(line);
}

}  // namespace

std::string to_string(const Who& who) {
    return who.number == 0 ? std::string(who.role) : std::string(who.role) + " " + std::to_string(who.number);
}

std::string Field::shown() const {
    return is_number_ ? std::to_string(number_) : text::visible(text_, max_shown);
}

void story::open(Log log) {
    story::mode = log;
}

void story::speak_as(const Who& who) {
    process = who;
}

void story::first_line(std::string_view address) {
    write_line("Listening on " + std::string(address));
}

void story::tell(const Who& who, std::string_view name, std::string_view sentence,
                 std::initializer_list<Field> fields) {
    write_line(line_of(who, name, sentence, fields));
}

void story::show(const Who& who, std::string_view name, std::string_view lines) {
    if (lines.ends_with('\n')) lines.remove_suffix(1);
    if (story::mode != Log::json) return write_line(std::string(lines));
    boost::json::object event = json_event(who, name);
    boost::json::array& array = event["lines"].emplace_array();
    for (std::size_t from = 0; from <= lines.size();) {
        const auto end = std::min(lines.find('\n', from), lines.size());
        array.emplace_back(lines.substr(from, end - from));
        from = end + 1;
    }
    write_line(boost::json::serialize(event));
}

void story::tell_seldom(const Who& who, std::string_view name, std::string_view sentence,
                        std::initializer_list<Field> fields) {
    {
        const std::lock_guard lock(writing);
        const auto now = Clock::now();
        const auto [last, is_first] = last_told.try_emplace(name, now);
        if (!is_first && now - last->second < std::chrono::milliseconds(seldom_ms)) return;
        last->second = now;
    }
    tell(who, name, sentence, fields);
}

}  // namespace app
