#pragma once

#include "05_chat/base/notify.hpp"

#include <cstddef>
#include <functional>

namespace chat {

/// Memory kept back for the moment in which there is no more. Then it is given up: the code that needs some goes on
/// undisturbed, and soon after the program uses less. Without the reserve the first std::bad_alloc would end all doors.
/// The loop's thread only; one in a program.
class MemoryReserve {
public:
    static constexpr std::size_t size = 4 << 20;

    /// `use_less` is called soon after the reserve was given up.
    MemoryReserve(const net::Executor& executor, std::function<void()> use_less);
    ~MemoryReserve();
    MemoryReserve(const MemoryReserve&) = delete;
    MemoryReserve& operator=(const MemoryReserve&) = delete;

    /// Takes the reserve back where it was given up, as soon as there is so much memory. Called now and then.
    void take_back();
    /// As long as the reserve is not there, nobody new is to be served.
    bool is_there() const { return memory_ != nullptr; }

private:
    static void give_up();

    void* memory_ = nullptr;
    Coalesced use_less_;
};

}  // namespace chat
