// The C library's toupper and its like, without glibc's forgiveness. They are made for an unsigned char or EOF; a char
// below 0 (each byte of "ü" is one) is a mistake, which glibc bears and other libraries do not. So that the mistake is
// seen here as well, the programs of the exercises are linked with these: what is below 0 becomes a question mark, and
// counts as a letter.

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace {

constexpr int lowest = -128, highest = 255;

bool is_between(int c, char first, char last) {
    return c >= first && c <= last;
}
bool is_mistake(int c) {
    return c < -1;  // -1 is EOF
}

}  // namespace

/// Where glibc's own inline toupper looks.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the name is glibc's
extern "C" const std::int32_t** __ctype_toupper_loc() noexcept {
    static std::array<std::int32_t, highest - lowest + 1> table;
    static const std::int32_t* const zero = [] {
        using Original = const std::int32_t** (*)();
        const auto* const original = *reinterpret_cast<Original>(dlsym(RTLD_NEXT, "__ctype_toupper_loc"))();
        std::copy(original - 1, original + highest + 1, table.begin() - lowest - 1);
        std::fill(table.begin(), table.begin() - lowest - 1, '?');
        return table.data() - lowest;
    }();
    thread_local const std::int32_t* mine = zero;
    return &mine;
}

extern "C" int toupper(int c) noexcept {
    return c >= lowest && c <= highest ? (*__ctype_toupper_loc())[c] : c;
}
extern "C" int islower(int c) noexcept {
    return is_mistake(c) || is_between(c, 'a', 'z');
}
extern "C" int isalpha(int c) noexcept {
    return islower(c) || is_between(c, 'A', 'Z');
}
extern "C" int isalnum(int c) noexcept {
    return isalpha(c) || is_between(c, '0', '9');
}
