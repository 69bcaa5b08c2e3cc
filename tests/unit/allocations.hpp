#pragma once

#include <cstddef>

/// What this thread has asked operator new for so far, when it was made. A test that counts takes the difference of
/// two.
struct Allocations {
    Allocations();
    std::size_t count;
    std::size_t bytes;
};
