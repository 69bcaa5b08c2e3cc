#include "05_chat/text/memory_reserve.hpp"

#include <cstdlib>
#include <new>

namespace chat {

namespace {

MemoryReserve* the_reserve = nullptr;  // operator new calls a plain function, which has to find it

}  // namespace

MemoryReserve::MemoryReserve(const net::Executor& executor, std::function<void()> use_less)
    : memory_(std::malloc(size)), use_less_(executor, std::move(use_less)) {
    the_reserve = this;
    std::set_new_handler(give_up);
}

MemoryReserve::~MemoryReserve() {
    std::set_new_handler(nullptr);
    the_reserve = nullptr;
    std::free(memory_);
}

void MemoryReserve::take_back() {
    if (memory_ == nullptr) memory_ = std::malloc(size);
}

/// Operator new calls this where nothing is left, and then tries again.
void MemoryReserve::give_up() {
    if (the_reserve->memory_ == nullptr) throw std::bad_alloc();
    std::free(std::exchange(the_reserve->memory_, nullptr));
    the_reserve->use_less_.schedule();
}

}  // namespace chat
