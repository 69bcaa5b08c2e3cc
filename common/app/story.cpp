#include "app/story.hpp"

#include "app/events.hpp"
#include "app/text.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

namespace app {

namespace {

using Clock = std::chrono::steady_clock;

Who process{""};  // this process's name, where several share one stdout; else an empty role

/// What stdout has not taken yet. Never destroyed: its thread may go on while the process ends.
struct Output {
    std::mutex mutex;                 // guards all the rest: lines of several threads must not mix
    std::deque<std::string> waiting;  // whole lines, PIPE_BUF bytes at the most; of the first one perhaps only its rest
    std::size_t waiting_bytes = 0;
    std::uint64_t left_out = 0;  // lines, since the last one that was not
    bool has_writer = false;     // a thread that waits for stdout, as long as lines do
    std::map<std::string_view, Clock::time_point> last_told;
};
Output& output = *new Output;

// See story::Batch.
thread_local bool is_collecting = false;
thread_local std::string collected;

/// Whether stdout takes something without blocking us; PIPE_BUF bytes, if it is a pipe.
bool has_room(int patience_ms) {
    pollfd out{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&out, 1, patience_ms) > 0;
}

/// Writes what stdout takes at once, and removes it from `lines`. Where nobody reads any more, or the disk is full,
/// that counts as taken: a server goes on without its story.
void write_some(std::string_view& lines) {
    while (!lines.empty() && has_room(0)) {
        const auto written = ::write(STDOUT_FILENO, lines.data(), lines.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno == EAGAIN) return;  // another process has been quicker
        lines.remove_prefix(written < 0 ? lines.size() : static_cast<std::size_t>(written));
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

/// Calls words(text) and field(name, value) in the order of the sentence. Returns the values that are left.
std::span<const Field> walk(std::string_view sentence, std::span<const Field> values, auto words, auto field) {
    for (auto open = sentence.find('{'); open != sentence.npos; open = sentence.find('{')) {
        const auto close = sentence.find('}', open);
        words(sentence.substr(0, open));
        field(sentence.substr(open + 1, close - open - 1), values.front());
        values = values.subspan(1);
        sentence.remove_prefix(close + 1);
    }
    words(sentence);
    return values;
}

std::string as_text(const Who& who, const Wording& event, std::span<const Field> values) {
    std::string line = name_of(who) + " ";
    walk(
        event.sentence, values, [&](std::string_view words) { line += words; },
        [&](std::string_view, const Field& value) { line += value.shown(); });
    return line;
}

boost::json::object json_event(const Who& who, std::string_view name) {
    boost::json::object event{{"time", time_now()}, {"who", name_of(who)}, {"event", name}};
    if (!process.role.empty()) event[process.role] = process.number;
    return event;
}

std::string as_json(const Who& who, const Wording& event, std::span<const Field> values) {
    boost::json::object object = json_event(who, event.name);
    const auto words = [](std::string_view) {};
    const auto field = [&](std::string_view name, const Field& value) {
        object[name] = value.is_number() ? boost::json::value(value.number()) : boost::json::value(value.shown());
    };
    walk(event.details, walk(event.sentence, values, words, field), words, field);
    return boost::json::serialize(object);
}

std::string line_of(const Who& who, const Wording& event, std::initializer_list<Field> values) {
    return story::mode == Log::json ? as_json(who, event, values) : as_text(who, event, values);
}

// ---- the queue, with the mutex held ---------------------------------------------------------------------------------

void append(std::string_view lines) {
    auto& waiting = output.waiting;
    if (waiting.empty() || waiting.back().size() + lines.size() > PIPE_BUF) waiting.emplace_back();
    waiting.back() += lines;
    output.waiting_bytes += lines.size();
}

/// At the place where they would have been.
void append_how_many_were_left_out() {
    if (output.left_out == 0) return;
    const auto lines = std::exchange(output.left_out, 0);
    append(line_of({"server"}, events::left_out, {lines}) + "\n");
}

void write_waiting() {
    while (!output.waiting.empty()) {
        auto& first = output.waiting.front();
        std::string_view rest = first;
        write_some(rest);
        output.waiting_bytes -= first.size() - rest.size();
        if (!rest.empty()) return void(first.erase(0, first.size() - rest.size()));
        output.waiting.pop_front();
        if (output.waiting.empty()) append_how_many_were_left_out();
    }
}

void wait_and_write() {
    std::unique_lock lock(output.mutex);
    while (!output.waiting.empty()) {
        const auto before = output.waiting_bytes;
        write_waiting();
        const bool was_in_vain = output.waiting_bytes == before;
        lock.unlock();
        // A terminal may say that it has room, and take nothing.
        if (was_in_vain) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        has_room(-1);
        lock.lock();
    }
    output.has_writer = false;
}

void start_writer() {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the others
    try {
        std::thread(wait_and_write).detach();
        output.has_writer = true;
    } catch (const std::system_error&) {
        output.has_writer = false;  // no thread is to be had: whoever tells next tries to write what waits
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

// ---- lines ----------------------------------------------------------------------------------------------------------

/// Whole lines with their ends, PIPE_BUF bytes at the most.
void put(std::string_view lines) {
    const std::lock_guard lock(output.mutex);
    if (!output.has_writer) write_waiting();
    if (output.waiting.empty()) write_some(lines);
    if (lines.empty()) return;
    if (output.waiting_bytes + lines.size() > story::max_waiting) {
        output.left_out += static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
        return;
    }
    append_how_many_were_left_out();
    append(lines);
    if (!output.has_writer) start_writer();
}

/// For whoever ends the process in order: what waits gets its moment.
void write_last() {
    const auto until = Clock::now() + std::chrono::milliseconds(story::last_moment_ms);
    for (;;) {
        {
            const std::lock_guard lock(output.mutex);
            write_waiting();
            if (output.waiting.empty()) return;
        }
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
        if (left.count() <= 0) return;
        has_room(static_cast<int>(left.count()));
        std::this_thread::yield();
    }
}

void write_line(std::string line) {
    line += '\n';
    if (!is_collecting) return put(line);
    if (collected.size() + line.size() > PIPE_BUF) story::Batch::write();
    collected += line;
}

/// Our own opening of the pipe or terminal that stdout is. O_NONBLOCK belongs to an opening, not to a descriptor: set
/// on the one that we were given, it would surprise whoever shares it. A file must not be opened anew, since it would
/// begin at its front, and need not. Where it cannot be done, poll() has to suffice.
void own_stdout() {
    struct stat kind{};
    if (::fstat(STDOUT_FILENO, &kind) != 0) return;
    const bool may_make_wait = S_ISFIFO(kind.st_mode) || S_ISCHR(kind.st_mode);
    if (!may_make_wait) return;
    const int ours = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (ours < 0) return;
    ::dup2(ours, STDOUT_FILENO);
    ::close(ours);
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
    own_stdout();
    static const bool is_registered = std::atexit(write_last) == 0;
    static_cast<void>(is_registered);
}

void story::Batch::begin() {
    is_collecting = true;
}

void story::Batch::write() {
    if (!collected.empty()) put(std::exchange(collected, {}));
}

void story::Batch::end() {
    is_collecting = false;
    write();
}

void story::speak_as(const Who& who) {
    process = who;
}

void story::first_line(std::string_view address) {
    write_line("Listening on " + std::string(address));
}

void story::tell(const Who& who, const Wording& event, std::initializer_list<Field> fields) {
    write_line(line_of(who, event, fields));
}

namespace {

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        lines.push_back(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(lines.back().size() + 1, text.size()));
    }
    return lines;
}

/// Packs lines, each as `written` writes it, into parts of at most `max` bytes.
std::vector<std::vector<std::string_view>> parts_of(std::string_view text, std::size_t max, auto written) {
    std::vector<std::vector<std::string_view>> parts;
    std::size_t size = max;
    for (const auto line : lines_of(text)) {
        const std::size_t more = written(line).size() + 1;
        if (size + more > max) parts.emplace_back(), size = 0;
        parts.back().push_back(line);
        size += more;
    }
    return parts;
}

}  // namespace

void story::show(const Who& who, std::string_view name, std::string_view lines) {
    if (story::mode != Log::json) {
        for (const auto& part : parts_of(lines, PIPE_BUF, std::identity())) {
            std::string whole;
            for (const auto line : part) (whole += line) += '\n';
            put(whole);
        }
        return;
    }
    constexpr std::size_t around = 512;  // the other fields
    const auto parts = parts_of(lines, PIPE_BUF - around, [](auto line) { return boost::json::serialize(line); });
    for (std::size_t number = 1; number <= parts.size(); ++number) {
        const auto& part = parts[number - 1];
        boost::json::object event = json_event(who, name);
        event["part"] = number;
        event["parts"] = parts.size();
        event["lines"] = boost::json::array(part.begin(), part.end());
        write_line(boost::json::serialize(event));
    }
}

void story::tell_seldom(const Who& who, const Wording& event, std::initializer_list<Field> fields) {
    {
        const std::lock_guard lock(output.mutex);
        const auto now = Clock::now();
        const auto [last, is_first] = output.last_told.try_emplace(event.name, now);
        if (!is_first && now - last->second < std::chrono::milliseconds(seldom_ms)) return;
        last->second = now;
    }
    tell(who, event, fields);
}

}  // namespace app
