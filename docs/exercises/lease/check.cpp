// Nodes come, live, die and come back, at given moments.

#include "lease.hpp"

#include "checking.hpp"

#include <string>
#include <vector>

using namespace checking;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

constexpr auto time_to_live = 3s;
constexpr Clock::time_point start{};

using Log = std::vector<std::string>;

Epoch must_grant(Leases& leases, const std::string& name, Clock::duration at) {
    const auto epoch = leases.grant(name, start + at);
    if (!epoch) wrong("that the name " + shown(name) + " is free", "it is taken", "Whose time is over has no name.");
    return *epoch;
}

}  // namespace

int main() {
    step("who has a name writes under it, and nobody else gets it", [] {
        Leases leases(time_to_live);
        const Epoch one = must_grant(leases, "one", 0s);
        must_be("whether one writes", leases.write("one", one, "hello", start + 1s), true);
        must_be("whether a second one comes", leases.grant("one", start + 1s).has_value(), false);
        must_be("the log", leases.log(), Log{"one: hello"});
    });
    step("it lives as long as it is kept alive", [] {
        Leases leases(time_to_live);
        const Epoch one = must_grant(leases, "one", 0s);
        for (auto at = 2s; at < 20s; at += 2s) {
            must_be("whether it is kept alive", leases.keep_alive("one", one, start + at), true);
        }
        must_be("whether one writes", leases.write("one", one, "still here", start + 20s), true);
    });
    step("nobody keeps it alive: it ends, and the name is free", [] {
        Leases leases(time_to_live);
        must_grant(leases, "one", 0s);
        must_be("whether it is taken shortly before the end", leases.grant("one", start + 2999ms).has_value(), false);
        must_grant(leases, "one", 3s);
        must_be("the log", leases.log(), Log{"one has gone"}, "Everybody is to know, so it belongs into the log.");
    });
    step("an end stands before all that comes after it, whoever writes", [] {
        Leases leases(time_to_live);
        must_grant(leases, "one", 0s);
        const Epoch two = must_grant(leases, "two", 1s);
        must_grant(leases, "aaa", 2s);
        must_be("whether two is kept alive", leases.keep_alive("two", two, start + 3s), true);
        must_be("whether two writes", leases.write("two", two, "who is there?", start + 5s), true);
        must_be(
            "the log", leases.log(), Log{"one has gone", "aaa has gone", "two: who is there?"},
            "Before anything else is done, look at all leases whose time is over, not only at the one in question.");
    });
    step("what has ended stays ended", [] {
        Leases leases(time_to_live);
        const Epoch one = must_grant(leases, "one", 0s);
        must_be("whether it can be kept alive when its time is over", leases.keep_alive("one", one, start + 3s), false,
                "At that moment it has ended. Nobody may be dead for some and alive for others.");
        must_be("whether one writes", leases.write("one", one, "I live!", start + 4s), false);
        must_be("the log", leases.log(), Log{"one has gone"});
    });
    step("only thought dead: nothing is written under the name of the one who came after", [] {
        Leases leases(time_to_live);
        const Epoch old = must_grant(leases, "one", 0s);
        const Epoch present = must_grant(leases, "one", 10s);
        must_be("whether the old one writes", leases.write("one", old, "I was away", start + 11s), false,
                "The name is the same; the number of the grant is not. That it is refused is called fencing.");
        must_be("whether the old one is kept alive", leases.keep_alive("one", old, start + 11s), false);
        must_be("whether the present one writes", leases.write("one", present, "hello", start + 11s), true);
        must_be("the log", leases.log(), Log{"one has gone", "one: hello"});
    });
    step("a number is never given twice", [] {
        Leases leases(time_to_live);
        Epoch last = 0;
        for (auto at = 0s; at < 100s; at += 5s) {
            const Epoch epoch = must_grant(leases, at % 2s == 0s ? "one" : "two", at);
            if (epoch <= last) wrong("a number above " + shown(last), shown(epoch), "Count for all names together.");
            last = epoch;
        }
    });
}
