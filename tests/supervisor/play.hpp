#pragma once

#include "04_supervised/otp/lab/scenario.hpp"
#include "04_supervised/otp/lab/simulator.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

/// Tests speak the lab's language: a script in, what the supervisors did out. All time is virtual.
namespace play {

using Lines = std::vector<std::string>;
using testing::ElementsAre;
using testing::IsEmpty;

inline lab::Simulator simulator(const std::string& script) {
    auto scenario = lab::parse(script);
    if (!scenario) {
        throw std::invalid_argument("line " + std::to_string(scenario.error().line) + ": " + scenario.error().message);
    }
    return lab::Simulator(*scenario);
}

/// What the supervisors did from `second` on: "sup starts a#2". Without the script's own doings and without progress,
/// which follows every successful start (Progress.* looks at it).
inline Lines did(const std::string& script, double second = 0.001) {
    lab::Simulator lab = simulator(script);
    lab.run();
    Lines lines;
    using Kind = lab::TraceLine::Kind;
    for (const lab::TraceLine& line : lab.trace()) {
        const bool shown = line.kind != Kind::event && line.kind != Kind::progress && line.kind != Kind::exit &&
                           line.kind != Kind::note && line.kind != Kind::timer && line.kind != Kind::up;
        if (shown && std::chrono::duration<double>(line.at.time_since_epoch()).count() >= second) {
            lines.push_back(line.who + " " + line.text);
        }
    }
    return lines;
}

/// Only the answers to requests.
inline Lines answers(const std::string& script) {
    Lines answers;
    for (const std::string& line : did(script, 0)) {
        const std::size_t found = line.find(" answers: ");
        if (found != std::string::npos) answers.push_back(line.substr(found + 10));
    }
    return answers;
}

}  // namespace play
