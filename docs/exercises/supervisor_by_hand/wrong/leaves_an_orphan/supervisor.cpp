// Wrong: it gives up and leaves the other one behind.
// A supervisor of two processes. supervisor MOST PERIOD: gives up at more than MOST deaths within PERIOD seconds.

#include <array>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include <sys/wait.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

/// The worker's process id, to whoever supervises it. What a worker does here is to wait for its end.
pid_t start(std::size_t number) {
    const pid_t pid = ::fork();
    if (pid < 0) {
        std::perror("fork");
        std::exit(EXIT_FAILURE);
    }
    if (pid == 0) {
        for (;;) ::pause();
    }
    std::printf("worker %zu is process %d\n", number + 1, pid);
    return pid;
}

/// Until it gives up. Returns what the program exits with.
int supervise(std::size_t most, Clock::duration period) {
    std::array<pid_t, 2> workers{start(0), start(1)};
    std::deque<Clock::time_point> deaths;  // those that still count
    for (;;) {
        int status = 0;
        const pid_t dead = ::waitpid(-1, &status, 0);
        const std::size_t number = dead == workers[0] ? 0 : 1;
        std::printf("worker %zu has died\n", number + 1);
        const auto now = Clock::now();
        deaths.push_back(now);
        while (deaths.front() + period < now) deaths.pop_front();
        if (deaths.size() > most) {
            std::printf("gives up\n");
            return EXIT_FAILURE;
        }
        workers[number] = start(number);
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::setvbuf(stdout, nullptr, _IOLBF, 0);  // or a worker would inherit what is not written yet
    if (argc != 3) {
        std::fprintf(stderr, "usage: supervisor MOST PERIOD\n");
        return 2;
    }
    return supervise(static_cast<std::size_t>(std::atoi(argv[1])), std::chrono::seconds(std::atoi(argv[2])));
}
