// Lets a client fail, with the check's own time and chance.

#include "backoff.hpp"

#include "checking.hpp"

#include <vector>

using namespace checking;
using namespace std::chrono_literals;

namespace {

constexpr Wait first = 100ms, longest = 1s;
constexpr double least = 0, middle = 0.5, most = 1;

}  // namespace

int main() {
    step("it waits twice as long after each failure", [] {
        Backoff backoff(first, longest);
        int failure = 0;
        for (const int whole : {100, 200, 400, 800, 1000, 1000}) {
            must_be(
                "the pause in ms after failure " + shown(++failure), backoff.after_failure(most).count(), whole,
                "With chance 1 it is the whole: twice that of before, and never more than longest; at most the whole.");
        }
    });
    step("those who were thrown out together come back one by one", [] {
        Backoff early(first, longest), between(first, longest), late(first, longest);
        const std::string hint = "Without chance all who were thrown out together come back together.";
        must_be("the pause in ms with chance 0, half of 100", early.after_failure(least).count(), 50, hint);
        must_be("the pause in ms with chance 0.5", between.after_failure(middle).count(), 75, hint);
        must_be("the pause in ms with chance 1", late.after_failure(most).count(), 100, hint);
        must_be("the next one with chance 0, half of 200", early.after_failure(least).count(), 100,
                "What doubles is the whole, and not what was waited.");
    });
    step("once it is connected, it begins anew", [] {
        Backoff backoff(first, longest);
        for (int i = 0; i < 5; ++i) (void)backoff.after_failure(most);
        backoff.connected();
        must_be("the pause in ms after the next failure", backoff.after_failure(most).count(), 100);
        must_be("and after one more", backoff.after_failure(most).count(), 200);
    });
    step("a server that is away over the weekend", [] {
        Backoff backoff(first, longest);
        for (int failure = 1; failure <= 1000; ++failure) {
            const Wait wait = backoff.after_failure(most);
            if (failure > 4) {
                must_be("the pause in ms after failure " + shown(failure), wait.count(), 1000,
                        "Is a number too large for its type? Double what you have, and bound it, each time.");
            }
        }
    });
}
