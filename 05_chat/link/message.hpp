#pragma once

#include "05_chat/room/room.hpp"
#include "net/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

/// The link between two C++ nodes: all its messages, and how they look in a frame (`--packet 4`: four bytes of length,
/// then the message). The *host* has the rooms; the *guest* node puts its people into them, all over one link.
///
/// A message is one byte for its type (the order in which Message lists them, from 1) and its fields in the order
/// below: numbers with the most significant byte first, a Kind as one byte, text as two bytes of length and the bytes.
///
///     guest                                        host
///       Hello, Challenge{life, number} ------------>        the first words on both sides
///             <------------------------------------- Hello, Challenge{life, number}
///       Proof{digest} ----------------------------->        that it knows the secret, if there is one
///             <------------------------------------- Proof{digest}, or Refused{0, "wrong link secret"}
///       Enter{7, "lobby", "Michael"} -------------->
///             <------------------------------------- Spoken{"lobby", 41, joined, "Michael"}   to every link
///             <------------------------------------- Past{7, said, "Mikey", "Hi!"}            to this one: history
///             <------------------------------------- Entered{7, 41}     Michael hears all from here on
///       Speak{7, "Hello!"} ------------------------>
///             <------------------------------------- Spoken{"lobby", 42, said, "Michael", "Hello!"}
///       Go{7} ------------------------------------->
///
/// Everything is in the order in which the host wrote it; so a person belongs to the room between Entered and Go. Pure
/// functions; any thread.
namespace chat::link {

inline constexpr std::uint32_t magic = 0x46495645;  // "FIVE": whoever sends something else is no node of ours
inline constexpr std::uint16_t version = 2;

/// Bytes of one message; the length header may not announce more. Every text below has its own bound besides.
inline constexpr std::size_t max_frame = 64 * 1024;
/// Bytes of a room's or a person's name: 32 characters of at most 4 bytes.
inline constexpr std::size_t max_name_bytes = 4 * max_name;
/// Bytes of a thing said, a reason, an answer; `--max-line` may not be more.
inline constexpr std::size_t max_text = 32 * 1024;
/// Bytes of a node's name.
inline constexpr std::size_t max_node = 255;

/// The guest's number for one stay of one person in one room. It is never used twice on a link.
using Stay = std::uint64_t;

/// A Hello is the same in all versions, so that nodes of different versions understand why they part.
struct Hello {
    std::uint32_t magic = link::magic;
    std::uint16_t version = link::version;
    std::string node;  // for the story only: nobody checks it
};
/// Guest: this person wants to enter this room.
struct Enter {
    Stay stay;
    std::string room;
    std::string name;
};
/// Guest: the person says this; the person has gone.
struct Speak {
    Stay stay;
    std::string text;
};
struct Go {
    Stay stay;
    std::string why;  // as Leave::why
};
/// Guest: what does /who (or /rooms, with an empty room) answer? Host: this.
struct Ask {
    Stay stay;
    std::string room;
};
struct Answer {
    Stay stay;
    std::string text;
};
/// Host: the person is in from this place on; or was refused, with the reason in words (also a Speak). Nobody has stay
/// 0: with it the whole link is refused, and ends.
struct Entered {
    Stay stay;
    Sequence sequence;
};
struct Refused {
    Stay stay;
    std::string why;
};
/// Host: a line of the room's history, for this newcomer alone.
struct Past {
    Stay stay;
    Line::Kind kind;
    std::string name;
    std::string text;
};
/// Host: a line of the room, in its order.
struct Spoken {
    std::string room;
    Sequence sequence;
    Line::Kind kind;
    std::string name;
    std::string text;
};
/// Either side, when it has heard nothing for a while: are you there? The other side sends the number back.
struct Ping {
    std::uint64_t number;
};
struct Pong {
    std::uint64_t number;
};
/// Either side, after its Hello: two random numbers. A node has the same `life` as long as it runs: a second link from
/// that life takes the place of the first. The other side answers `number` with a Proof.
struct Challenge {
    std::uint64_t life;
    std::uint64_t number;
};
/// Either side, the guest first. handshake.hpp says what is in the digest. It is empty from a node without a secret.
struct Proof {
    std::string digest;
};

using Message =
    std::variant<Hello, Enter, Speak, Go, Ask, Answer, Entered, Refused, Past, Spoken, Ping, Pong, Challenge, Proof>;

/// Which side says what, once they know each other. A new message is in one of these lists, or has a handler on both
/// sides: otherwise it does not compile.
template <class M, class... Ms>
concept OneOf = (std::is_same_v<M, Ms> || ...);
template <class M>
concept GuestsWord = OneOf<M, Enter, Speak, Go, Ask>;
template <class M>
concept HostsWord = OneOf<M, Answer, Entered, Refused, Past, Spoken>;
template <class M>
concept FirstWord = OneOf<M, Hello, Challenge, Proof>;

/// Appends the message with its frame header. A text longer than its bound is cut there, between two characters.
void encode(const Message& message, std::string& out);

/// The node link's dialect: the line as a Spoken of that room.
void encode_line(std::string_view room, const Line& line, std::string& out);

/// Why a frame is no message; `reason` puts it into words.
enum class Fault { unknown_type, cut_short, too_much, text_too_long, unknown_kind, not_a_node, wrong_version };
std::string_view reason(Fault fault);

/// The message in one frame (without its header). A Hello that is not from a node of this version is a Fault too.
net::result<Message, Fault> decode(std::string_view frame);

}  // namespace chat::link
