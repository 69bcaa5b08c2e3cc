#pragma once

#ifdef __SANITIZE_THREAD__
#include <sanitizer/common_interface_defs.h>
#endif

#include <atomic>
#include <chrono>
#include <concepts>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <mutex>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <thread>

/// What the checks in C++ share. They speak as those in Python do (checking.py): a check is a row of steps; each is
/// told as it passes, and the first that does not ends the check and says what was expected, what came, and a hint.
namespace checking {

/// For a whole step, and longer than any wait in it. Only what is wrong takes that long.
constexpr std::chrono::seconds step_deadline{15};
/// While nothing happens, nothing may be used: busy waiting takes all that there is, even among many other programs.
constexpr std::chrono::milliseconds watched{1000};
constexpr double most_cpu = 0.05;  // seconds, of those above

inline std::atomic<const char*> current_step{nullptr};

/// At once, also where the program ends a moment later.
inline void say(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

/// Says what is wrong, and ends the check. From any thread: nobody is waited for, since what is wrong may be that
/// somebody waits for ever.
[[noreturn]] inline void wrong(const std::string& expected, const std::string& got, const std::string& hint = {}) {
    static std::mutex only_the_first;
    only_the_first.lock();
    const char* const step = current_step;
    std::string text = std::string("  FAIL  ") + (step ? step : "before the first step") + "\n";
    text += "        expected  " + expected + "\n        got       " + got + "\n";
    if (!hint.empty()) text += "        hint      " + hint + "\n";
    say(text);
    std::_Exit(EXIT_FAILURE);
}

// ---- values in words ------------------------------------------------------------------------------------------------

/// Bytes made readable, and cut.
inline std::string shown(std::string_view bytes) {
    constexpr std::size_t most = 60;
    std::string text = "\"";
    for (const char c : bytes.substr(0, most)) {
        if (c == '\n') {
            text += "\\n";
        } else if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') {
            char code[5];
            std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
            text += code;
        } else {
            text += c;
        }
    }
    return bytes.size() <= most ? text + "\"" : text + "…\" (" + std::to_string(bytes.size()) + " bytes)";
}
inline std::string shown(std::integral auto number) {
    return std::to_string(number);
}
inline std::string shown(std::nullopt_t) {
    return "nothing";
}
template <class Value>
std::string shown(const std::optional<Value>& value) {
    return value ? shown(*value) : "nothing";
}
template <std::ranges::range Values>
    requires(!std::convertible_to<Values, std::string_view>)
std::string shown(const Values& values) {
    std::string text;
    for (const auto& value : values) text += (text.empty() ? "" : ", ") + shown(value);
    return text.empty() ? "none" : text;
}

/// `what` must be `expected`.
template <class Got, class Expected>
void must_be(const std::string& what, const Got& got, const Expected& expected, const std::string& hint = {}) {
    if (got != expected) wrong(what + ": " + shown(expected), shown(got), hint);
}

// ---- steps ----------------------------------------------------------------------------------------------------------

/// Nothing happens for a while: then no thread may use the processor.
inline void must_wait_quietly(const std::string& expected, const std::string& hint) {
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(watched);
    const double used = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    if (used <= most_cpu) return;
    char got[80];
    std::snprintf(got, sizeof got, "it used the processor for %.2f of %.2f s", used,
                  std::chrono::duration<double>(watched).count());
    wrong(expected, got, hint);
}

/// What ends a program without a word is told like everything else.
inline void tell_sudden_ends() {
    for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
        std::signal(number, [](int n) {
            wrong("that the program goes on", std::string("a signal ends it: ") + strsignal(n),
                  n == SIGSEGV ? "It has used what is not there: a null pointer, what has been destroyed, or a "
                                 "coroutine at its end."
                               : "");
        });
    }
    std::set_terminate([] {
        if (const auto exception = std::current_exception()) {
            try {
                std::rethrow_exception(exception);
            } catch (const std::exception& error) {
                wrong("that no exception leaves a thread", std::string("one that ends the program: ") + error.what());
            } catch (...) {
                wrong("that no exception leaves a thread", "one that ends the program");
            }
        }
        wrong("that the program goes on", "std::terminate was called",
              "A std::thread that is destroyed before it was joined ends the program.");
    });
#ifdef __SANITIZE_THREAD__
    // The rest of it is said by exercise.py, which reads the report.
    __sanitizer_set_death_callback([] {
        const char* const step = current_step;
        say(std::string("  FAIL  ") + (step ? step : "before the first step") + "\n");
    });
#endif
}

template <class Body>
void step(const char* what, const char* hint_if_endless, Body body) {
    if (!current_step) tell_sudden_ends();
    current_step = what;
    std::thread([what, hint_if_endless] {
        std::this_thread::sleep_for(step_deadline);
        if (current_step == what) {
            wrong("that this comes to an end", "it still goes on after " + shown(step_deadline.count()) + " s",
                  hint_if_endless);
        }
    }).detach();
    try {
        body();
    } catch (const std::exception& error) {
        wrong("that nothing is thrown here", std::string("an exception: ") + error.what());
    }
    say(std::string("  ok    ") + what + "\n");
}
template <class Body>
void step(const char* what, Body body) {
    step(what, "Does somebody wait for ever?", body);
}

}  // namespace checking
