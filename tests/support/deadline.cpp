#include "support/deadline.hpp"

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace support {

double time_factor() {
    constexpr double slowdown = sanitized ? 4 : 1;
    const char* const wanted = std::getenv("FIVE_TIME_FACTOR");
    return slowdown * (wanted != nullptr ? std::max(std::atof(wanted), 1.0) : 1.0);
}

std::chrono::milliseconds patience() {
    return std::chrono::milliseconds(static_cast<int>(10'000 * time_factor()));
}

int Deadline::left_ms() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

bool eventually(const std::function<bool()>& question, std::chrono::milliseconds within) {
    constexpr std::chrono::milliseconds pause{2};
    const Deadline deadline(within);
    while (!question()) {
        if (deadline.passed()) return false;
        std::this_thread::sleep_for(pause);
    }
    return true;
}

}  // namespace support
