#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// What people and rooms may be called, and what of their speech may reach other people's terminals.
/// Pure functions; any thread.
namespace chat {

/// Why a room said no. `reason` puts it into words.
enum class Refusal {
    name_empty,
    name_too_long,
    name_not_utf8,
    name_ill_formed,
    name_taken,
    already_here,
    not_here,
    room_full,
    too_many_rooms,
    text_too_long,
    text_not_utf8,
    out_of_order,
    name_invisible,
    unknown,  // what came of the request, nobody knows: it was on its way when its engine lost its place in the order
};

/// The refusal as the end of a sentence a person understands: "the name is taken".
std::string_view reason(Refusal refusal);

/// In characters, not bytes.
inline constexpr std::size_t max_name = 32;

/// What is wrong with `name`, if anything. A name is 1 to 32 characters of well-formed UTF-8. It has no spaces
/// (Unicode's White_Space), no control characters, no marks that turn the direction of writing, and nothing else that
/// is not to be seen (Unicode's Default_Ignorable_Code_Point, an empty braille cell, annotations). It does not begin
/// with a mark that would stand on the character before it. So two names that differ look different, as far as their
/// letters do.
/// Not promised: letters of several alphabets that look alike (Cyrillic а, Latin a; ａ in full width) are different
/// letters here, and one accented letter may be written in two ways. A name is no proof of who somebody is.
std::optional<Refusal> check_name(std::string_view name);

/// `name` with ASCII capitals made small: two names are the same when this is.
std::string folded(std::string_view name);

/// `text` without what a terminal obeys instead of showing it: control characters, ends of lines and paragraphs, and
/// characters that turn the direction of everything after them. (Arabic and Hebrew letters turn by themselves. Their
/// marks stay.) `text` must be well-formed UTF-8.
std::string without_controls(std::string_view text);

/// What may be printed of `text` that another program has sent: without_controls(), or a note that it is not UTF-8.
std::string printable(std::string_view text);

/// The first characters of `text`, as many as `most` bytes hold.
std::string shortened(std::string_view text, std::size_t most);

/// What is said when somebody types `text`: the same, or nothing where it is not UTF-8.
std::optional<std::string> sayable(std::string_view text);

}  // namespace chat
