#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Erlang's external term format (erts' "External Term Format", erl_ext_dist): values as bytes, between nodes.
///
/// The messages of a chat have few and known shapes, so nothing here builds a tree of values. A TermReader is asked, as
/// a pattern in Elixir asks: is the next thing a tuple of three? a pid? the atom join? It takes what it reads, and
/// leaves what does not fit. Atoms are never collected in a table, so a peer that sends a million different ones costs
/// the frame that they came in and nothing more.
///
/// Pure; any thread.
namespace erlang {

/// A process identifier. `node` is the node it lives on; `creation` tells two lives of a node apart.
struct Pid {
    std::string node;
    std::uint32_t id = 0;
    std::uint32_t serial = 0;
    std::uint32_t creation = 0;
    auto operator<=>(const Pid&) const = default;
};

/// The format's version, the first byte of every term that is not inside another.
inline constexpr std::uint8_t term_version = 131;
/// Terms inside terms; a deeper one is refused.
inline constexpr int max_depth = 64;
/// Bytes of an atom: 255 characters of at most 4 bytes.
inline constexpr std::size_t max_atom = 255 * 4;
/// Words of a reference: as many as a BEAM's has at most (OTP 24 and later).
inline constexpr std::size_t max_reference_words = 5;

class TermReader {
public:
    /// `bytes` must outlive the reader and the views it gives; they do not begin with the version byte.
    explicit TermReader(std::string_view bytes) : rest_(bytes) {}

    /// Takes the version byte.
    bool version();
    /// Takes a tuple's header; its `arity` elements come next.
    bool tuple(std::size_t arity);
    /// The same for whatever arity there is.
    std::optional<std::uint32_t> tuple();
    /// Takes a list's header: so many elements come next, and then its tail. NIL is a list of none *with no tail to
    /// come*; STRING is no list here.
    std::optional<std::uint32_t> list();
    /// In UTF-8.
    std::optional<std::string> atom();
    bool atom(std::string_view expected);
    /// What fits into 64 bits.
    std::optional<std::int64_t> integer();
    std::optional<Pid> pid();
    /// A reference of at most max_reference_words, as its bytes. A node can do nothing with another's reference but
    /// send it back.
    std::optional<std::string_view> reference();
    /// Text as an Elixir program may send it, in UTF-8: a BINARY, a STRING or LIST of code points, or NIL. A BINARY is
    /// not checked. The text has at most twice as many bytes as the term.
    std::optional<std::string> text();
    /// Any well-formed term, as its bytes.
    std::optional<std::string_view> any();
    bool empty() const { return rest_.empty(); }
    /// What has not been read.
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

/// The term for people, at most about `limit` bytes of it: {shutdown,"x"}. Printable; "..." for what is not shown.
std::string show(std::string_view term, std::size_t limit = 200);

// Each appends one term (put_tuple only its header) to `out`.

void put_version(std::string& out);
void put_tuple(std::string& out, std::uint8_t arity);
void put_atom(std::string& out, std::string_view utf8);  // at most max_atom bytes
void put_integer(std::string& out, std::int32_t value);
void put_reference(std::string& out, std::string_view node, std::uint32_t creation, std::uint64_t number);
void put_pid(std::string& out, const Pid& pid);
void put_binary(std::string& out, std::string_view bytes);

}  // namespace erlang
