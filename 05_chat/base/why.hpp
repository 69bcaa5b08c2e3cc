#pragma once

#include "net/error.hpp"

#include <string>
#include <string_view>

namespace chat {

using net::result;

/// Why something did not happen: words for a person, the end of a sentence ("the name is taken"). It is the reason in
/// `result<Value, Why>`, which everything here returns that may fail for more reasons than its caller tells apart. So
/// nobody takes an answer for a refusal. A `result<void, Why>` that is made from nothing says that all went well.
struct Why {
    Why() = default;  // no aggregate: one that a string could make would make `result<std::string, Why>` ambiguous
    std::string words;
};

/// `return because("the name is taken");`
inline Why because(std::string_view words) {
    Why why;
    why.words = words;
    return why;
}

}  // namespace chat
