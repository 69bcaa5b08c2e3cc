// What goes wrong where threads share something, one experiment at a time: sharing race|mutex|deadlock|owner

#include <fcntl.h>
#include <unistd.h>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <string_view>
#include <thread>

namespace {

constexpr int rounds = 1000;
constexpr std::chrono::microseconds a_moment{50};

int counter = 0;
std::mutex counter_mutex;
std::mutex fork_mutex, knife_mutex;

/// Reads, adds, writes: three steps. The pause makes it likely that the other thread comes between.
void count() {
    for (int i = 0; i < rounds; ++i) {
        const int seen = counter;
        std::this_thread::sleep_for(a_moment);
        counter = seen + 1;
    }
}

/// The same, but whoever holds the mutex is alone.
void count_alone() {
    for (int i = 0; i < rounds; ++i) {
        const std::lock_guard alone(counter_mutex);
        const int seen = counter;
        std::this_thread::sleep_for(a_moment);
        counter = seen + 1;
    }
}

/// Takes one, then the other, and does not let go of the first.
void eat(std::mutex& first, std::mutex& second, const char* who) {
    const std::lock_guard one(first);
    std::printf("%s has one and wants the other\n", who);
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const std::lock_guard other(second);
    std::printf("%s eats\n", who);
}

/// Two parts of a program believe that a descriptor is theirs.
void close_twice() {
    const int anns = ::open("/dev/null", O_WRONLY);
    std::printf("Ann's is number %d\n", anns);
    ::close(anns);  // Ann has left
    const int bens = ::open("/dev/null", O_WRONLY);
    std::printf("Ben's is number %d\n", bens);
    ::close(anns);  // somebody else ends Ann's connection, too
    std::printf("Ben's can be written to: %s\n", ::write(bens, "hello", 5) == 5 ? "yes" : "no");
}

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // each line is seen when it is written, also where nobody ever ends
    const std::string_view what = argc == 2 ? argv[1] : "";
    if (what == "race" || what == "mutex") {
        const auto body = what == "race" ? count : count_alone;
        std::jthread one(body), two(body);
        one.join(), two.join();
        std::printf("2 x %d = %d\n", rounds, counter);
    } else if (what == "deadlock") {
        std::jthread ann(eat, std::ref(fork_mutex), std::ref(knife_mutex), "Ann");
        std::jthread ben(eat, std::ref(knife_mutex), std::ref(fork_mutex), "Ben");
    } else if (what == "owner") {
        close_twice();
    } else {
        std::fprintf(stderr, "sharing what? One of: race mutex deadlock owner\n");
        return 2;
    }
}
