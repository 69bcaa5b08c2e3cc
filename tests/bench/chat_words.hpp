#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

/// How a server of rooms is spoken to.
enum class Dialect {
    text,   ///< 05's text door: the first line is a name, every other is said; members hear `NAME says: TEXT`
    redis,  ///< members subscribe to a channel; senders publish over connections of their own
    nats,   ///< likewise, to a subject
};

/// What is said in a dialect. Pure functions.
namespace words {

/// The name of a member: as long for all, so that all lines of one size are equally long.
std::string name(std::size_t member);

/// What a member sends first.
std::string hello(Dialect dialect, std::size_t member);
/// How the line begins that ends the answer to it. From there on the member hears the room.
std::string_view welcome(Dialect dialect);

/// What a member says who goes to another room; the answer ends as that to hello does. Only in `text`.
std::string go_to(std::size_t room);

/// What a sender's own connection begins with; empty: nothing.
std::string hello_of_sender(Dialect dialect);

/// What a sender sends so that `text` is said.
std::string say(Dialect dialect, std::string_view text);
/// What all members hear then. The text and CR LF are its end.
std::string said(Dialect dialect, std::size_t sender, std::string_view text);

/// What the members hear when one more comes or goes (how that begins, for a reason may follow); empty: nothing.
std::string joined(Dialect dialect, std::size_t member);
std::string left(Dialect dialect, std::size_t member);

}  // namespace words

}  // namespace bench
