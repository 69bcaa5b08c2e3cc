#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

/// Text as people see it: UTF-8 checked, and user bytes made safe to print.
/// Pure functions; any thread.
namespace app::text {

/// Takes one well-formed UTF-8 character (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF) off the front
/// of `bytes`. Nothing, and `bytes` unchanged, where the front is not one (or `bytes` is empty).
std::optional<char32_t> take_utf8(std::string_view& bytes);

/// Whether `bytes` are printable ASCII and nothing else, as most text is: a quick test that spares a slow one.
inline bool is_plain(std::string_view bytes) {
    bool plain = true;
    for (const char c : bytes) plain &= c >= 0x20 && c < 0x7F;
    return plain;
}

/// Whether all of `bytes` is well-formed UTF-8. Empty text is.
bool is_utf8(std::string_view bytes);

/// Control characters of ASCII (DEL too) and of Latin-1 (U+0080–U+009F): what a terminal obeys instead of showing.
bool is_control(char32_t character);

/// What is shown by nothing of its own, and yet makes a line look like two, or its words stand in another order: U+2028
/// and U+2029 (line and paragraph separator), and the marks of bidirectional text.
bool is_layout(char32_t character);

/// `bytes` as one printable line of UTF-8: printable characters as they are, `\` as `\\`, a line feed as `\n`,
/// carriage return `\r`, tab `\t`, the bytes of every other control or layout character and every ill-formed one as
/// `\xHH`.
/// At most `limit` bytes of the input are shown; what is cut is counted: `abc... (97 bytes more)`.
std::string visible(std::string_view bytes, std::size_t limit);

/// `text` with its first letter in lower case, where it starts with one ASCII capital followed by a small letter:
/// what the system says ("Address already in use") fits into our sentences.
std::string uncapitalised(std::string text);

/// What an exception says of itself.
std::string what(const std::exception_ptr& exception);

}  // namespace app::text
