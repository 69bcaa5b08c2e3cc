#include "app/text.hpp"

namespace app::text {

std::optional<char32_t> take_utf8(std::string_view& bytes) {
    if (bytes.empty()) return std::nullopt;
    const auto lead = static_cast<unsigned char>(bytes.front());
    std::size_t length = 1;
    char32_t character = lead;
    char32_t smallest = 0;  // a longer form of a smaller character is overlong
    if (lead >= 0xF0 && lead < 0xF8) {
        length = 4, character = lead & 0x07u, smallest = 0x10000;
    } else if (lead >= 0xE0) {
        length = 3, character = lead & 0x0Fu, smallest = 0x800;
    } else if (lead >= 0xC0) {
        length = 2, character = lead & 0x1Fu, smallest = 0x80;
    } else if (lead >= 0x80) {
        return std::nullopt;
    }
    if (lead >= 0xF8 || bytes.size() < length) return std::nullopt;
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(bytes[i]);
        if ((next & 0xC0u) != 0x80) return std::nullopt;
        character = character << 6 | (next & 0x3Fu);
    }
    const bool surrogate = character >= 0xD800 && character <= 0xDFFF;
    if (character < smallest || surrogate || character > 0x10FFFF) return std::nullopt;
    bytes.remove_prefix(length);
    return character;
}

bool is_utf8(std::string_view bytes) {
    while (take_utf8(bytes)) {
    }
    return bytes.empty();
}

bool is_control(char32_t character) {
    return character < 0x20 || (character >= 0x7F && character < 0xA0);
}

bool is_layout(char32_t character) {
    const auto is_between = [character](char32_t low, char32_t high) { return character >= low && character <= high; };
    return is_between(0x2028, 0x202E) || is_between(0x2066, 0x2069) || is_between(0x200E, 0x200F) ||
           character == 0x061C;
}

std::string visible(std::string_view bytes, std::size_t limit) {
    constexpr std::string_view hex = "0123456789abcdef";
    std::string_view rest = bytes;
    std::string shown;
    while (!rest.empty()) {
        const std::string_view before = rest;
        const auto character = take_utf8(rest);
        const std::size_t length = character ? before.size() - rest.size() : 1;
        if (bytes.size() - before.size() + length > limit) {
            return shown + "... (" + std::to_string(before.size()) + " bytes more)";
        }
        if (character && !is_control(*character) && !is_layout(*character) && *character != U'\\') {
            shown += before.substr(0, length);
            continue;
        }
        rest = before.substr(length);
        for (const char byte : before.substr(0, length)) {
            switch (byte) {
                case '\\': shown += "\\\\"; break;
                case '\n': shown += "\\n"; break;
                case '\r': shown += "\\r"; break;
                case '\t': shown += "\\t"; break;
                default:
                    shown += "\\x";
                    shown += hex[static_cast<unsigned char>(byte) >> 4];
                    shown += hex[static_cast<unsigned char>(byte) & 0xF];
            }
        }
    }
    return shown;
}

std::string uncapitalised(std::string text) {
    const auto is_between = [](char c, char low, char high) { return c >= low && c <= high; };
    if (text.size() > 1 && is_between(text[0], 'A', 'Z') && is_between(text[1], 'a', 'z')) text[0] += 'a' - 'A';
    return text;
}

std::string what(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const std::exception& error) {
        return error.what();
    } catch (...) {
        return "something that is no std::exception";
    }
}

}  // namespace app::text
