#include "grade/time_limit.hpp"

#include <array>
#include <csignal>
#include <cstring>

namespace grade {

namespace {

constexpr std::array ending_signals{SIGTERM, SIGINT};

volatile std::sig_atomic_t signal_that_came = 0;

void note_signal(int number) {
    signal_that_came = number;
}

std::string in_seconds(milliseconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

TimeLimit::TimeLimit(std::chrono::seconds run)
    : run_(run), run_end_(Clock::now() + run), step_end_(Clock::time_point::max()) {}

void TimeLimit::begin_step(milliseconds most) {
    step_ = most;
    step_end_ = Clock::now() + most;
}

void TimeLimit::end_step() {
    step_end_ = Clock::time_point::max();
}

std::string TimeLimit::run_is_over() const {
    if (const int number = signal_that_came; number != 0) return std::string("ended by SIG") + ::sigabbrev_np(number);
    if (Clock::now() >= run_end_) return "the run's " + in_seconds(run_) + " are over (--time-limit)";
    return "";
}

void TimeLimit::check() const {
    if (const std::string reason = run_is_over(); !reason.empty()) throw NotReached(reason);
    if (Clock::now() >= step_end_) {
        throw NotReached("the server is too slow to be asked this: not finished within " + in_seconds(step_));
    }
}

void end_run_at_signals() {
    for (const int number : ending_signals) {
        struct sigaction before{};
        ::sigaction(number, nullptr, &before);
        if (before.sa_handler == SIG_IGN) continue;  // as whoever started us wants it
        struct sigaction action{};
        action.sa_handler = note_signal;  // without SA_RESTART: it is to end a wait
        ::sigaction(number, &action, nullptr);
    }
}

void die_of_signals() {
    for (const int number : ending_signals) ::signal(number, SIG_DFL);
}

}  // namespace grade
