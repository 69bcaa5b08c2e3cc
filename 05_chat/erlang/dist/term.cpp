#include "05_chat/erlang/dist/term.hpp"

#include "05_chat/base/bytes.hpp"
#include "app/text.hpp"

namespace erlang {

namespace {

using chat::ByteReader;
using chat::put;

// The tags of the external term format.
enum Tag : std::uint8_t {
    new_float = 70,
    bit_binary = 77,
    new_pid = 88,
    new_port = 89,
    newer_reference = 90,
    small_integer = 97,
    integer_32 = 98,
    float_text = 99,
    atom_latin1 = 100,
    reference_one = 101,
    port_old = 102,
    pid_old = 103,
    small_tuple = 104,
    large_tuple = 105,
    nil = 106,
    string = 107,
    list = 108,
    binary = 109,
    small_big = 110,
    large_big = 111,
    new_fun = 112,
    export_fun = 113,
    new_reference = 114,
    small_atom_latin1 = 115,
    map = 116,
    atom_utf8 = 118,
    small_atom_utf8 = 119,
    v4_port = 120,
};

/// In UTF-8. Bytes after the first one hold six bits each.
void put_character(std::string& out, char32_t c) {
    const auto byte = [&](char32_t value) { out.push_back(static_cast<char>(value)); };
    const auto six_bits = [&](int shift) { byte(0x80 | (c >> shift & 0x3F)); };
    if (c < 0x80) {
        byte(c);
    } else if (c < 0x800) {
        byte(0xC0 | c >> 6);
        six_bits(0);
    } else if (c < 0x10000) {
        byte(0xE0 | c >> 12);
        six_bits(6);
        six_bits(0);
    } else {
        byte(0xF0 | c >> 18);
        six_bits(12);
        six_bits(6);
        six_bits(0);
    }
}

bool is_character(std::int64_t value) {
    return value >= 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
}

std::optional<std::string> read_atom(ByteReader& in) {
    const std::uint8_t tag = in.u8();
    const bool small = tag == small_atom_utf8 || tag == small_atom_latin1;
    if (!small && tag != atom_utf8 && tag != atom_latin1) return std::nullopt;
    const std::size_t length = small ? in.u8() : in.u16();
    const std::string_view bytes = in.bytes(length);
    if (!in.ok() || length > max_atom) return std::nullopt;
    if (tag == atom_utf8 || tag == small_atom_utf8) {
        if (!app::text::is_utf8(bytes)) return std::nullopt;
        return std::string(bytes);
    }
    std::string text;
    for (const char byte : bytes) put_character(text, static_cast<unsigned char>(byte));
    return text;
}

bool skip(ByteReader& in, int depth);

bool skip_each(ByteReader& in, std::uint64_t count, int depth) {
    // Every term is at least one byte long. So a count that lies is found out before it costs anything.
    if (!in.ok() || count > in.size()) return false;
    while (count-- > 0) {
        if (!skip(in, depth)) return false;
    }
    return true;
}

bool skip_bytes(ByteReader& in, std::size_t count) {
    in.bytes(count);
    return in.ok();
}

// An atom (the node's name), then so many bytes: pids, ports, references.
bool skip_node_and(ByteReader& in, std::size_t count) {
    return read_atom(in) && skip_bytes(in, count);
}

bool skip(ByteReader& in, int depth) {
    if (depth == 0) return false;
    ByteReader before = in;
    const std::uint8_t tag = in.u8();
    if (!in.ok()) return false;
    switch (tag) {
        case small_integer: return skip_bytes(in, 1);
        case integer_32: return skip_bytes(in, 4);
        case new_float: return skip_bytes(in, 8);
        case float_text: return skip_bytes(in, 31);
        case nil: return true;
        case small_big: return skip_bytes(in, std::size_t{in.u8()} + 1);
        case large_big: return skip_bytes(in, std::size_t{in.u32()} + 1);
        case string: return skip_bytes(in, in.u16());
        case binary: return skip_bytes(in, in.u32());
        case bit_binary: return skip_bytes(in, std::size_t{in.u32()} + 1);
        case small_atom_utf8:
        case small_atom_latin1:
        case atom_utf8:
        case atom_latin1: in = before; return read_atom(in).has_value();
        case new_pid: return skip_node_and(in, 12);
        case pid_old: return skip_node_and(in, 9);
        case new_port: return skip_node_and(in, 8);
        case port_old: return skip_node_and(in, 5);
        case v4_port: return skip_node_and(in, 12);
        case reference_one: return skip_node_and(in, 5);
        case newer_reference: {
            const std::size_t words = in.u16();
            return words <= max_reference_words && skip_node_and(in, 4 + 4 * words);
        }
        case new_reference: {
            const std::size_t words = in.u16();
            return words <= max_reference_words && skip_node_and(in, 1 + 4 * words);
        }
        case small_tuple: return skip_each(in, in.u8(), depth - 1);
        case large_tuple: return skip_each(in, in.u32(), depth - 1);
        case list: return skip_each(in, std::uint64_t{in.u32()} + 1, depth - 1);
        case map: return skip_each(in, 2 * std::uint64_t{in.u32()}, depth - 1);
        case export_fun: return skip_each(in, 3, depth - 1);
        case new_fun: {
            const std::size_t size = in.u32();  // the size counts its own four bytes
            return size >= 4 && skip_bytes(in, size - 4);
        }
        default: return false;
    }
}

// Takes what `read` reads. Where that fails, nothing is taken.
template <class Read>
auto take(std::string_view& rest, Read read) -> decltype(read(std::declval<ByteReader&>())) {
    ByteReader in(rest);
    auto value = read(in);
    if (!value || !in.ok()) return {};
    rest.remove_prefix(rest.size() - in.size());
    return value;
}

}  // namespace

bool TermReader::version() {
    return take(rest_, [](ByteReader& in) { return in.u8() == term_version; });
}

std::optional<std::uint32_t> TermReader::tuple() {
    return take(rest_, [](ByteReader& in) -> std::optional<std::uint32_t> {
        const std::uint8_t tag = in.u8();
        if (tag == small_tuple) return in.u8();
        if (tag == large_tuple) return in.u32();
        return std::nullopt;
    });
}

bool TermReader::tuple(std::size_t arity) {
    TermReader copy = *this;
    if (copy.tuple() != arity) return false;
    *this = copy;
    return true;
}

std::optional<std::uint32_t> TermReader::list() {
    return take(rest_, [](ByteReader& in) -> std::optional<std::uint32_t> {
        const std::uint8_t tag = in.u8();
        if (tag == nil) return 0;
        if (tag != erlang::list) return std::nullopt;
        const std::uint32_t count = in.u32();
        if (count == 0) return std::nullopt;  // a node writes NIL instead; it would leave a tail nobody expects
        return count;
    });
}

std::optional<std::string> TermReader::atom() {
    return take(rest_, read_atom);
}

bool TermReader::atom(std::string_view expected) {
    return take(rest_, [&](ByteReader& in) { return read_atom(in) == expected; });
}

std::optional<std::int64_t> TermReader::integer() {
    return take(rest_, [](ByteReader& in) -> std::optional<std::int64_t> {
        const std::uint8_t tag = in.u8();
        if (tag == small_integer) return in.u8();
        if (tag == integer_32) return static_cast<std::int32_t>(in.u32());
        if (tag != small_big) return std::nullopt;
        const std::size_t length = in.u8();
        const bool negative = in.u8() != 0;
        std::uint64_t value = 0;
        std::size_t shift = 0;
        for (const char byte : in.bytes(length)) {
            const std::uint64_t digit = static_cast<unsigned char>(byte);
            if (digit != 0 && shift >= 64) return std::nullopt;
            if (shift < 64) value |= digit << shift;
            shift += 8;
        }
        if (value > INT64_MAX) return std::nullopt;
        return negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
    });
}

std::optional<Pid> TermReader::pid() {
    return take(rest_, [](ByteReader& in) -> std::optional<Pid> {
        const std::uint8_t tag = in.u8();
        if (tag != new_pid && tag != pid_old) return std::nullopt;
        auto node = read_atom(in);
        if (!node) return std::nullopt;
        Pid pid{std::move(*node), in.u32(), in.u32(), 0};
        pid.creation = tag == new_pid ? in.u32() : in.u8();
        return pid;
    });
}

std::optional<std::string_view> TermReader::reference() {
    if (rest_.empty()) return std::nullopt;
    const auto tag = static_cast<std::uint8_t>(rest_.front());
    if (tag != newer_reference && tag != new_reference && tag != reference_one) return std::nullopt;
    return any();
}

std::optional<std::string> TermReader::text() {
    return take(rest_, [](ByteReader& in) -> std::optional<std::string> {
        const std::uint8_t tag = in.u8();
        std::string text;
        if (tag == nil) return text;
        if (tag == binary) return std::string(in.bytes(in.u32()));
        if (tag == string) {
            for (const char byte : in.bytes(in.u16())) put_character(text, static_cast<unsigned char>(byte));
            return text;
        }
        if (tag != erlang::list) return std::nullopt;
        TermReader elements({});
        const std::uint32_t count = in.u32();
        elements.rest_ = in.rest();
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto value = elements.integer();
            if (!value || !is_character(*value)) return std::nullopt;
            put_character(text, static_cast<char32_t>(*value));
        }
        if (elements.list() != 0u) return std::nullopt;
        in = ByteReader(elements.rest_);
        return text;
    });
}

std::optional<std::string_view> TermReader::any() {
    ByteReader in(rest_);
    if (!skip(in, max_depth)) return std::nullopt;
    const std::string_view term = rest_.substr(0, rest_.size() - in.size());
    rest_.remove_prefix(term.size());
    return term;
}

namespace {

// Shows one term at a time. When `out` has enough, the rest is not even looked at.
void show_next(TermReader& in, std::string& out, std::size_t limit, int depth) {
    if (out.size() >= limit || depth == 0) {
        out += "...";
        in.any();
        return;
    }
    if (const auto atom = in.atom()) {
        out += app::text::visible(*atom, limit);
    } else if (const auto number = in.integer()) {
        out += std::to_string(*number);
    } else if (const auto pid = in.pid()) {
        out += "<" + app::text::visible(pid->node, limit) + "." + std::to_string(pid->id) + "." +
               std::to_string(pid->serial) + ">";
    } else if (const auto text = in.text()) {
        out += '"' + app::text::visible(*text, limit) + '"';
    } else {
        const auto arity = in.tuple();
        const auto length = arity ? std::nullopt : in.list();
        if (!arity && !length) {
            out += in.any() ? "..." : "(ill-formed)";
            return;
        }
        out += arity ? '{' : '[';
        for (std::uint32_t i = 0; i < arity.value_or(length.value_or(0)) && !in.empty(); ++i) {
            if (i > 0) out += ',';
            if (out.size() >= limit) {
                out += "...";
                break;
            }
            show_next(in, out, limit, depth - 1);
        }
        if (length && out.size() < limit && in.list() != 0u && !in.empty()) {
            out += '|';
            show_next(in, out, limit, depth - 1);
        }
        out += arity ? '}' : ']';
    }
}

}  // namespace

std::string show(std::string_view term, std::size_t limit) {
    TermReader in(term);
    std::string out;
    show_next(in, out, limit, 8);
    return out;
}

void put_version(std::string& out) {
    put(out, term_version);
}

void put_tuple(std::string& out, std::uint8_t arity) {
    put(out, std::uint8_t{small_tuple});
    put(out, arity);
}

void put_atom(std::string& out, std::string_view utf8) {
    if (utf8.size() < 256) {
        put(out, std::uint8_t{small_atom_utf8});
        put(out, static_cast<std::uint8_t>(utf8.size()));
    } else {
        put(out, std::uint8_t{atom_utf8});
        put(out, static_cast<std::uint16_t>(utf8.size()));
    }
    out += utf8;
}

void put_integer(std::string& out, std::int32_t value) {
    if (value >= 0 && value < 256) {
        put(out, std::uint8_t{small_integer});
        put(out, static_cast<std::uint8_t>(value));
    } else {
        put(out, std::uint8_t{integer_32});
        put(out, static_cast<std::uint32_t>(value));
    }
}

void put_reference(std::string& out, std::string_view node, std::uint32_t creation, std::uint64_t number) {
    put(out, std::uint8_t{newer_reference});
    put(out, std::uint16_t{3});  // words
    put_atom(out, node);
    put(out, creation);
    put(out, static_cast<std::uint32_t>(number & 0x3FFFF));  // 18 bits: as many as every node takes in the first word
    put(out, static_cast<std::uint32_t>(number >> 18));
    put(out, static_cast<std::uint32_t>(number >> 50));
}

void put_pid(std::string& out, const Pid& pid) {
    put(out, std::uint8_t{new_pid});
    put_atom(out, pid.node);
    put(out, pid.id);
    put(out, pid.serial);
    put(out, pid.creation);
}

void put_binary(std::string& out, std::string_view bytes) {
    put(out, std::uint8_t{binary});
    put(out, static_cast<std::uint32_t>(bytes.size()));
    out += bytes;
}

}  // namespace erlang
