#pragma once

#include "grade/verdict.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace grade {

/// `bytes` as a C string literal shows them: "ECHO one\r\n", unprintable ones as \xHH. Of long text only the beginning
/// and the length. Pure.
/// (Not `quoted`: for a std::string that name finds std::quoted wherever <iomanip> has come in.)
std::string in_quotes(std::string_view bytes, std::size_t max_shown = 160);

/// Both texts, cut to the neighbourhood of the first place where they differ, with a ^ under it.
/// `got` may just be too short: then the ^ stands behind its end. Pure.
Wrong differing(std::string_view expected, std::string_view got, std::string hint = "");

/// "1 client", "5 clients".
std::string count(std::size_t number, std::string_view what);

}  // namespace grade
