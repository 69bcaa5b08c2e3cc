#pragma once

#include "net/error.hpp"

#include <string>
#include <string_view>

namespace chat {

using net::result;

/// Why something did not happen: words for a person, the end of a sentence ("the name is taken"). Use
/// `result<Value, Why>` where the caller only passes the reason on to a person. So nobody takes an answer for a
/// refusal. A `result<void, Why>` that is made from nothing says that all went well.
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
