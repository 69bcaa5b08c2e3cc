#pragma once

#include "05_chat/engine/engine.hpp"

namespace chat {

/// The engine of a program that has the rooms for itself: first come, first served, at once.
class LocalEngine : public Engine {
public:
    net::awaitable<result<void, Why>> open() override { co_return result<void, Why>(); }
    void stop() override {}
    net::awaitable<Outcome> submit(const Submission& submission) override;
    PersonId next_person() override { return ++last_person_; }

private:
    Sequence last_ = 0;
    PersonId last_person_ = 0;
};

}  // namespace chat
