#pragma once

#include <charconv>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

/// Reading what the kernel writes in /proc, see proc(5).
namespace observer::files {

/// All of a file; empty where it cannot be read: a process may end at any moment.
std::string contents(const std::string& path);

/// Calls `each` with every name in the folder.
void list(const std::string& folder, const std::function<void(const char*)>& each);

/// `/proc/17/stat`
std::string of(pid_t pid, std::string_view what);

/// What stands between blanks.
std::vector<std::string_view> words_of(std::string_view line);

void each_line_below_heading(std::string_view text, const std::function<void(std::string_view)>& each);

template <class Number>
std::optional<Number> number(std::string_view text, int base = 10) {
    Number value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

}  // namespace observer::files
