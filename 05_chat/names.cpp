#include "05_chat/names.hpp"

#include "app/text.hpp"

namespace chat {

namespace {

bool is_space(char32_t c) {
    return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000 || c == 0xFEFF;
}

bool turns_direction(char32_t c) {
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

std::string_view reason(Refusal refusal) {
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
        case Refusal::out_of_order: return "the request came a second time";
    }
    return "refused";
}

std::optional<Refusal> check_name(std::string_view name) {
    if (name.empty()) return Refusal::name_empty;
    std::size_t characters = 0;
    while (const auto character = app::text::take_utf8(name)) {
        if (is_space(*character) || app::text::is_control(*character) || turns_direction(*character)) {
            return Refusal::name_ill_formed;
        }
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
        if (!app::text::is_control(*character)) kept += before.substr(0, before.size() - text.size());
    }
    return kept;
}

}  // namespace chat
