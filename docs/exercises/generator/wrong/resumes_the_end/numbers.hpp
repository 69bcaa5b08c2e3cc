// Wrong: it resumes a coroutine that has come to its end.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

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
        std::suspend_always yield_value(int number) {
            given = number;
            return {};
        }
        void unhandled_exception() { thrown = std::current_exception(); }
    };

    Numbers(const Numbers&) = delete;
    Numbers& operator=(const Numbers&) = delete;
    ~Numbers() { handle_.destroy(); }

    /// The next number; nothing when the coroutine has come to its end. Throws what the coroutine throws.
    std::optional<int> next() {
        handle_.resume();
        if (handle_.promise().thrown) std::rethrow_exception(std::exchange(handle_.promise().thrown, nullptr));
        if (handle_.done()) return std::nullopt;
        return handle_.promise().given;
    }

private:
    explicit Numbers(std::coroutine_handle<promise_type> handle) : handle_(handle) {}

    std::coroutine_handle<promise_type> handle_;
};
