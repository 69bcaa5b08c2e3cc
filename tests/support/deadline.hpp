#pragma once

#include <chrono>
#include <functional>
#include <stdexcept>

/// Tools of black-box tests: programs, clients and terminals, with a deadline on everything that waits.
/// No part of it knows GoogleTest: what does not come about is thrown as a Failure, with what was seen until then.
namespace support {

/// Whether the tests, and so the servers beside them, were built with a sanitizer. They are slower then, and need more
/// memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

/// Something that should have happened did not. what() says what was awaited, and what came instead.
struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What times are multiplied with on this machine: 4 under sanitizers, times $FIVE_TIME_FACTOR where that is set.
double time_factor();

/// How long a test waits for what must happen: 10 s times time_factor(). Nobody waits longer than it takes, so this is
/// generous: it is only ever used up by a test that fails.
std::chrono::milliseconds patience();

/// A moment up to which several waits go on.
class Deadline {
public:
    explicit Deadline(std::chrono::milliseconds from_now) : at_(Clock::now() + from_now) {}

    bool passed() const { return Clock::now() >= at_; }

    /// Milliseconds left, as poll(2) takes them: rounded up, 0 when it has passed.
    int left_ms() const;

    std::chrono::steady_clock::time_point at() const { return at_; }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point at_;
};

/// Asks again and again, until the answer is yes (true) or the time is over (false). For what nobody tells us of, as
/// the number of another process's threads.
bool eventually(const std::function<bool()>& question, std::chrono::milliseconds within = patience());

}  // namespace support
