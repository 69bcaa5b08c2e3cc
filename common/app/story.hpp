#pragma once

#include <boost/system/error_code.hpp>

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

/// What a server tells of itself: one event a line, who does what, in the words of the Erlang and Elixir originals.
///   text    acceptor 3 got client connection 127.0.0.1:50514
///   json    {"time":"2026-01-31T12:00:00.000000Z","who":"acceptor 3","event":"got_client_connection","peer":"127.0…"}
///   quiet   nothing but the first line and errors
/// Any thread. Nobody waits for whoever reads our stdout. What stdout takes at once has left this process before tell()
/// returns, so that the last words before a crash are not lost. Else a line waits among at most max_waiting bytes, and
/// the process's orderly end gives them last_moment_ms; beyond that lines are left out, and counted.
/// Several processes may share one stdout: what is written at once are whole lines of at most PIPE_BUF bytes, between
/// which a pipe lets nobody else's come.
namespace app {

enum class Log { text, json, quiet };

/// Who an event happened to: a role, and a number where there are several of it.
struct Who {
    std::string_view role;     ///< must outlive every use: a literal
    std::uint64_t number = 0;  ///< 0: there is only one
};
std::string to_string(const Who& who);

/// How a kind of event is told. See events.hpp.
struct Wording {
    std::string_view name;      ///< in JSON
    std::string_view sentence;  ///< in which {each field} has its place; empty: only JSON tells the event
    std::string_view details;  ///< {fields} that only JSON has, for programs; a person who reads could not see the rest
};

/// A kind of event: its wording, and how many fields that has.
template <std::size_t fields>
struct Event : Wording {
    // A wording with too many or too few fields does not compile.
    consteval Event(const char* event_name, const char* words, const char* only_json = "")
        : Wording{event_name, words, only_json} {
        std::size_t found = 0;
        for (const char c : sentence) found += c == '{';
        for (const char c : details) found += c == '{';
        if (found != fields) throw "the event does not have that many fields";
    }
};

/// One field's value. Text comes from users and systems, so it is escaped (app::text::visible) and cut.
class Field {
public:
    /// How much of a text is shown, in bytes.
    static constexpr std::size_t max_shown = 80;

    Field(std::string_view text) : text_(text) {}
    Field(const char* text) : text_(text) {}
    Field(const std::string& text) : text_(text) {}
    Field(std::integral auto number) : number_(static_cast<std::int64_t>(number)), is_number_(true) {}

    bool is_number() const { return is_number_; }
    std::int64_t number() const { return number_; }
    std::string shown() const;

private:
    std::string_view text_;
    std::int64_t number_ = 0;
    bool is_number_ = false;
};

namespace story {

/// How much of what is told may wait until stdout takes it, in bytes.
inline constexpr std::size_t max_waiting = 1 << 20;

/// How long the end of the process waits for stdout to take that.
inline constexpr int last_moment_ms = 500;

/// How often, at the most, an event that is told seldom() is told.
inline constexpr int seldom_ms = 1000;

/// Chooses how events are told from now on. A pipe or terminal that is our stdout is opened once more, so that it never
/// makes us wait, and whoever shares it (the shell) finds it as it was. Before the first thread starts.
void open(Log log);

/// Puts a name before everything that this process tells, where several share one stdout: `worker 2 handler 7 …`; in
/// JSON a field of its own too, `"worker":2`. What `server` would have told is then told by the process itself, `worker
/// 2 stops accepting`. Before the first thread starts.
void speak_as(const Who& who);

/// How events are told: what open() has chosen.
inline std::atomic<Log> mode{Log::text};

/// Whether events are told at all: ask before preparing one that costs something.
inline bool is_told() {
    return mode.load(std::memory_order_relaxed) != Log::quiet;
}

/// Whether what only JSON has is told: ask before preparing a detail.
inline bool tells_details() {
    return mode.load(std::memory_order_relaxed) == Log::json;
}

/// Writes the line that says that clients can connect, `Listening on <address>`: plain in every mode, always the first.
void first_line(std::string_view address);

void tell(const Who& who, const Wording& event, std::initializer_list<Field> fields);
void tell_seldom(const Who& who, const Wording& event, std::initializer_list<Field> fields);

/// Writes an answer of several lines that somebody asked for, so quiet too: `lines` as they are; in JSON events with
/// the field `lines`, an array. What is longer than PIPE_BUF goes out in parts, whole lines each, and what others tell
/// may come between them: hence the fields `part`, from 1, and `parts`. Not escaped: no user's words in them.
void show(const Who& who, std::string_view name, std::string_view lines);

/// While one lives, what its thread tells is collected, and written at its end or when PIPE_BUF bytes have come
/// together: a write costs more than a line. For a moment only, in which nobody waits for anything; not within another
/// one.
class Batch {
public:
    Batch() : is_told_(is_told()) {
        if (is_told_) begin();
    }
    ~Batch() {
        if (is_told_) end();
    }
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    /// Writes what this thread's batch has collected, before something that may never come to its end.
    static void write();

private:
    static void begin();
    static void end();
    bool is_told_;
};

}  // namespace story

/// Tells an event, with a value for each field of its sentence, and then of its details.
template <std::size_t fields, class... Values>
void tell(const Who& who, const Event<fields>& event, const Values&... values) {
    static_assert(sizeof...(values) == fields, "one value for each field");
    const bool is_told = event.sentence.empty() ? story::tells_details() : story::is_told();
    if (is_told) story::tell(who, event, {Field(values)...});
}

/// As tell(), in JSON only: for what people would find too much, and an event's sentence has for them elsewhere.
template <std::size_t fields, class... Values>
void tell_detail(const Who& who, const Event<fields>& event, const Values&... values) {
    static_assert(sizeof...(values) == fields, "one value for each field");
    if (story::tells_details()) story::tell(who, event, {Field(values)...});
}

/// As tell(), for what may happen a thousand times a second: whoever it happens to, told once in `seldom_ms`.
template <std::size_t fields, class... Values>
void tell_seldom(const Who& who, const Event<fields>& event, const Values&... values) {
    static_assert(sizeof...(values) == fields, "one value for each field");
    if (story::is_told()) story::tell_seldom(who, event, {Field(values)...});
}

}  // namespace app
