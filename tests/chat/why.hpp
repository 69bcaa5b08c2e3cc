#pragma once

#include "05_chat/base/why.hpp"

/// Why nothing came of it; empty where something did.
template <class Value>
std::string why(const chat::result<Value, chat::Why>& outcome) {
    return outcome ? "" : outcome.error().words;
}
