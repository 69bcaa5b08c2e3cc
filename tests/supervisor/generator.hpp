#pragma once

#include <cstdint>
#include <string>

/// A scenario of the lab's language, made from a seed: a tree and what happens to it, one step every 10 s. Only what
/// OTP has too, and only what both sides can do in exactly one order:
/// - who refuses to stop always does, and has a short time to; everybody else has a long time, so that no answer
///   depends on which of two timers is faster;
/// - what happens during a start or a stop happens to the supervisor that is busy with it; during a start only to the
///   root, because a supervisor that has just started and its parent go on at the same time;
/// - a dynamic child answers ignore only if it is temporary: in OTP 25 a *restarted* dynamic child that answers ignore
///   stays in the books as the pid `undefined`, and the supervisor crashes over it when it is stopped.
std::string generate_scenario(std::uint64_t seed);
