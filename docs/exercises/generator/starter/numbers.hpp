#pragma once

#include <coroutine>
#include <exception>
#include <optional>

/// What a coroutine gives with co_yield, one number after the other.
class Numbers {
public:
    struct promise_type {
        int given = 0;
        std::exception_ptr thrown;

        Numbers get_return_object() { return Numbers(std::coroutine_handle<promise_type>::from_promise(*this)); }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        // Here: where does the number go, and where an exception?
        std::suspend_always yield_value(int) { return {}; }
        void unhandled_exception() {}
    };

    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    ~Numbers() {}

    /// The next number; nothing when the coroutine has come to its end. Throws what the coroutine throws.
    std::optional<int> next() {
        // Here: resume it, and see what it has given.
        [[maybe_unused]] const auto& frame = handle_;
        return std::nullopt;
    }

private:
    explicit Numbers(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

    std::coroutine_handle<promise_type> handle_;
};
