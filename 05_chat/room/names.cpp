#include "05_chat/room/names.hpp"

#include "app/text.hpp"

#include <algorithm>
#include <span>

namespace chat {

namespace {

struct Range {
    char32_t first, last;
};

bool is_in(char32_t c, std::span<const Range> ranges) {
    return std::ranges::any_of(ranges, [c](const Range& range) { return range.first <= c && c <= range.last; });
}

constexpr Range spaces[]{{0x20, 0x20},     {0xA0, 0xA0},     {0x1680, 0x1680}, {0x2000, 0x200B}, {0x2028, 0x2029},
                         {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000}, {0xFEFF, 0xFEFF}};

// Unicode's Default_Ignorable_Code_Point, without those above; then braille's empty cell, and annotations.
constexpr Range invisible[]{
    {0xAD, 0xAD},     {0x34F, 0x34F},     {0x61C, 0x61C},     {0x115F, 0x1160},   {0x17B4, 0x17B5}, {0x180B, 0x180F},
    {0x200C, 0x200F}, {0x202A, 0x202E},   {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFE00, 0xFE0F}, {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFF8}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE0FFF}, {0x2800, 0x2800}, {0xFFF9, 0xFFFB}};

// The blocks of marks that stand on the character before them.
constexpr Range combining[]{{0x300, 0x36F}, {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x20D0, 0x20FF}, {0xFE20, 0xFE2F}};

constexpr Range turns_or_ends_lines[]{{0x2028, 0x2029}, {0x202A, 0x202E}, {0x2066, 0x2069}};

}  // namespace

std::string_view reason(Refusal refusal) {
    static_assert(max_name == 32, "name_too_long says so");
    switch (refusal) {
        case Refusal::name_empty: return "a name needs at least one character";
        case Refusal::name_too_long: return "a name has at most 32 characters";
        case Refusal::name_not_utf8: return "the name is not UTF-8";
        case Refusal::name_ill_formed: return "a name has no spaces or control characters";
        case Refusal::name_taken: return "the name is taken";
        case Refusal::already_here: return "you are in the room already";
        case Refusal::not_here: return "you are not in the room";
        case Refusal::room_full: return "the room is full";
        case Refusal::too_many_rooms: return "there are too many rooms already";
        case Refusal::text_too_long: return "the line is too long";
        case Refusal::text_not_utf8: return "the line is not UTF-8";
        case Refusal::name_invisible: return "a name has nothing invisible in it";
        case Refusal::unknown: return "nobody knows whether it has happened";
        case Refusal::out_of_order: return "the request came a second time";
    }
    return "refused";
}

std::optional<Refusal> check_name(std::string_view name) {
    if (name.empty()) return Refusal::name_empty;
    std::size_t characters = 0;
    while (const auto character = app::text::take_utf8(name)) {
        if (is_in(*character, spaces) || app::text::is_control(*character)) return Refusal::name_ill_formed;
        if (is_in(*character, invisible)) return Refusal::name_invisible;
        if (characters == 0 && is_in(*character, combining)) return Refusal::name_invisible;
        if (++characters > max_name) return Refusal::name_too_long;
    }
    if (!name.empty()) return Refusal::name_not_utf8;
    return std::nullopt;
}

std::string folded(std::string_view name) {
    std::string small(name);
    for (char& c : small) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return small;
}

std::optional<std::string> sayable(std::string_view text) {
    if (app::text::is_plain(text)) return std::string(text);
    if (!app::text::is_utf8(text)) return std::nullopt;
    return without_controls(text);
}

std::string printable(std::string_view text) {
    return sayable(text).value_or("(not UTF-8)");
}

std::string without_controls(std::string_view text) {
    std::string kept;
    kept.reserve(text.size());
    for (std::string_view before = text; const auto character = app::text::take_utf8(text); before = text) {
        if (!app::text::is_control(*character) && !is_in(*character, turns_or_ends_lines))
            kept += before.substr(0, before.size() - text.size());
    }
    return kept;
}

std::string shortened(std::string_view text, std::size_t most) {
    std::string_view rest = text;
    for (std::size_t kept = 0;; kept = text.size() - rest.size()) {
        if (!app::text::take_utf8(rest) || text.size() - rest.size() > most) return std::string(text.substr(0, kept));
    }
}

}  // namespace chat
