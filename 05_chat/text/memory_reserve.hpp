#pragma once

#include "05_chat/base/notify.hpp"

#include <cstddef>
#include <functional>

namespace chat {

/// Memory kept back for the moment in which there is no more. Then it is given up, so that whoever asked goes on
/// undisturbed, and somebody is asked to use less. Without it the first std::bad_alloc would end all doors. The loop's
/// thread only; one in a program.
class MemoryReserve {
public:
    static constexpr std::size_t size = 4 << 20;

    /// `use_less` is called soon after it was given up.
    MemoryReserve(const net::Executor& executor, std::function<void()> use_less);
    ~MemoryReserve();
    MemoryReserve(const MemoryReserve&) = delete;
    MemoryReserve& operator=(const MemoryReserve&) = delete;

    /// Whether it is there (again): as long as it is not, nobody new is to be served.
    bool is_there();

private:
    static void give_up();

    void* memory_ = nullptr;
    Coalesced use_less_;
};

}  // namespace chat
