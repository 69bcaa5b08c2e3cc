#pragma once

#include <chrono>

namespace grade {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// How long the grader waits, on this machine, today. Nobody waits longer than it takes: the long times are only used
/// up by what is wrong. Values; any thread.
struct Patience {
    double factor = 1;  ///< how many times slower than a quiet machine this one answers, from 1 to 5

    /// For an answer that must come, from a server that sits there and does nothing. One that works gets most().
    milliseconds reply() const { return scaled(1500); }
    /// The most that a server gets which is still working on it.
    milliseconds most() const { return scaled(5000); }
    /// For a server to start and listen: some languages take seconds.
    milliseconds start() const { return scaled(60'000); }
    /// The most that a whole step takes. Of a right server none takes a tenth of it.
    milliseconds step() const { return scaled(60'000); }
    /// For an orderly end after SIGTERM: as long as our own servers let their clients finish, and a little.
    milliseconds end() const { return scaled(8000); }
    /// Long enough that a server which wanted to say something would have said it.
    milliseconds a_while() const { return scaled(150); }
    /// Between two writes, so that the server reads them one by one.
    milliseconds pause() const { return scaled(10); }

    /// `ms` milliseconds of a quiet machine's.
    milliseconds scaled(int ms) const { return milliseconds(static_cast<int>(ms * factor)); }
};

/// Measures how fast two processes of this machine answer each other now, and how much of a processor one gets; takes
/// $FIVE_TIME_FACTOR into account, and says what patience that calls for. Takes about a tenth of a second.
Patience calibrate();

}  // namespace grade
