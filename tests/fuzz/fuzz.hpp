#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

/// What fuzz targets share. libFuzzer calls a target with bytes of its own making; the first few say how to cut the
/// rest.
namespace fuzz {

/// Ends the run, which keeps the input, where `holds` does not.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", what);
    std::abort();
}

/// Takes the first byte off `input`; 0 where there is none.
inline std::uint8_t take_byte(std::string_view& input) {
    if (input.empty()) return 0;
    const auto byte = static_cast<std::uint8_t>(input.front());
    input.remove_prefix(1);
    return byte;
}

/// Sizes of pieces, the same for the same seed: many small ones, some large.
class Sizes {
public:
    explicit Sizes(std::uint32_t seed) : state_(seed) {}
    std::size_t next() {
        state_ = state_ * 1664525 + 1013904223;  // Numerical Recipes' generator
        const auto random = state_ >> 16;
        return 1 + (random % 4 == 0 ? random % 2000 : random % 5);
    }

private:
    std::uint32_t state_;
};

}  // namespace fuzz
