// Asks a generator for numbers, also too often, and leaves one in the middle.

#include "numbers.hpp"

#include "checking.hpp"

#include <stdexcept>

using namespace checking;

namespace {

int begun = 0;   // coroutines that have run at all
int inside = 0;  // and have not been destroyed

struct Inside {
    Inside() { ++inside; }
    ~Inside() { --inside; }
};

Numbers count_to(int last) {
    ++begun;
    for (int number = 1; number <= last; ++number) co_yield number;
}

Numbers without_end() {
    const Inside here;
    for (int number = 0;; ++number) co_yield number;
}

Numbers breaks() {
    co_yield 1;
    throw std::runtime_error("broken");
}

}  // namespace

int main() {
    step("nothing runs before the first next", [] {
        Numbers numbers = count_to(2);
        must_be("the coroutines that have begun", begun, 0, "initial_suspend says what happens at the call.");
    });
    step("its numbers come one after the other", [] {
        Numbers numbers = count_to(3);
        must_be("the first number", numbers.next(), std::optional(1), "yield_value gets it; next must find it.");
        must_be("the second number", numbers.next(), std::optional(2));
        must_be("the third number", numbers.next(), std::optional(3));
    });
    step("after its end there is nothing, however often one asks", "Is a coroutine at its end resumed?", [] {
        Numbers numbers = count_to(1);
        (void)numbers.next();
        for (int i = 0; i < 3; ++i) {
            must_be("after the last number", numbers.next(), std::nullopt, "Ask done() after resume(), too.");
        }
    });
    step("two at a time do not meet", [] {
        Numbers one = count_to(2), other = count_to(2);
        must_be("the first of the one", one.next(), std::optional(1));
        must_be("the first of the other", other.next(), std::optional(1), "Each has a promise of its own.");
        must_be("the second of the one", one.next(), std::optional(2));
    });
    step("one that is left in the middle", [] {
        {
            Numbers numbers = without_end();
            (void)numbers.next();
            must_be("the coroutines that are inside", inside, 1);
        }
        must_be("the coroutines that are inside, after their Numbers have gone", inside, 0,
                "The frame is destroyed by nobody else: the destructor has to.");
    });
    step("what it throws comes out of next", [] {
        Numbers numbers = breaks();
        must_be("the first number", numbers.next(), std::optional(1));
        std::string caught = "nothing";
        try {
            (void)numbers.next();
        } catch (const std::runtime_error& error) {
            caught = error.what();
        }
        must_be("what is thrown", caught, std::string("broken"), "Keep it in the promise, and rethrow it in next.");
        must_be("after that", numbers.next(), std::nullopt, "It has come to its end.");
    });
}
