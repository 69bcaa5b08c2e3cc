#include "grade/bytes.hpp"

#include "app/text.hpp"

#include <algorithm>

namespace grade {

namespace {

constexpr std::size_t before = 40;  // shown of what agrees, before the place that differs
constexpr std::size_t after = 40;   // and from there on

std::string escaped(std::string_view bytes) {
    return app::text::visible(bytes, bytes.size());
}

/// How many columns UTF-8 takes, near enough: one for each character.
std::size_t columns(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0u) != 0x80; }));
}

/// The part of `bytes` around `place`, and how long the whole is where it is only a part.
std::string neighbourhood(std::string_view bytes, std::size_t begin, std::size_t place) {
    const auto part = bytes.substr(std::min(begin, bytes.size()), place - begin + after);
    const bool is_cut_off = begin + part.size() < bytes.size();
    std::string text = (begin > 0 ? "…\"" : "\"") + escaped(part) + (is_cut_off ? "\"…" : "\"");
    if (begin > 0 || is_cut_off) text += " (" + count(bytes.size(), "byte") + ")";
    return text;
}

}  // namespace

std::string in_quotes(std::string_view bytes, std::size_t max_shown) {
    std::string text = "\"" + escaped(bytes.substr(0, max_shown)) + "\"";
    if (bytes.size() > max_shown) text += "… (" + count(bytes.size(), "byte") + ")";
    return text;
}

Wrong differing(std::string_view expected, std::string_view got, std::string hint) {
    const auto place = static_cast<std::size_t>(
        std::mismatch(expected.begin(), expected.end(), got.begin(), got.end()).first - expected.begin());
    const std::size_t begin = place > before ? place - before : 0;
    Wrong wrong(neighbourhood(expected, begin, place), neighbourhood(got, begin, place), std::move(hint));
    const std::string indent((begin > 0 ? 2 : 1) + columns(escaped(got.substr(begin, place - begin))), ' ');
    wrong.pointer = indent + (place >= got.size() ? "^ here it ends" : "^ here it differs");
    return wrong;
}

std::string count(std::size_t number, std::string_view what) {
    return std::to_string(number) + " " + std::string(what) + (number == 1 ? "" : "s");
}

}  // namespace grade
