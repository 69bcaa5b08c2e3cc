// A coroutine with nothing around it: a function that stops in the middle, and goes on there when it is asked to.

#include <coroutine>
#include <cstdio>

/// The caller's end of a coroutine that gives numbers.
struct Numbers {
    struct promise_type {  // what the compiler asks us for: how it begins, what co_yield does, how it ends
        int given = 0;
        Numbers get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_always initial_suspend() { return {}; }
        std::suspend_always yield_value(int number) {
            given = number;
            return {};
        }
        void return_void() {}
        void unhandled_exception() { throw; }
        std::suspend_always final_suspend() noexcept { return {}; }
    };
    std::coroutine_handle<promise_type> handle;  // of its frame: its variables, and where it goes on
};

Numbers count_to(int last) {
    for (int number = 1; number <= last; ++number) {
        std::printf("    coroutine: gives %d, and stops here\n", number);
        co_yield number;
        std::printf("    coroutine: goes on with number = %d\n", number);
    }
}

int main() {
    Numbers numbers = count_to(2);
    std::printf("main: has called it, and nothing has happened\n");
    for (numbers.handle.resume(); !numbers.handle.done(); numbers.handle.resume()) {
        std::printf("main: got %d\n", numbers.handle.promise().given);
    }
    std::printf("main: it has come to its end\n");
    numbers.handle.destroy();
}
