#include "05_chat/link/message.hpp"

#include "05_chat/base/bytes.hpp"
#include "05_chat/base/secret.hpp"

#include <tuple>
#include <type_traits>
#include <utility>

namespace chat::link {

namespace {

// A text field, and how many bytes it may have.
template <class Text>
struct Bounded {
    Text& text;
    std::size_t most;
};
template <class Text>
Bounded(Text&, std::size_t) -> Bounded<Text>;

// The fields of each message, in the order in which they are sent. Encode and decode share this description.
template <class T, class M>
concept Is = std::is_same_v<std::remove_const_t<T>, M>;

auto fields(Is<Hello> auto& m) {
    return std::tuple(std::ref(m.magic), std::ref(m.version), Bounded{m.node, max_node});
}
auto fields(Is<Enter> auto& m) {
    return std::tuple(std::ref(m.stay), Bounded{m.room, max_name_bytes}, Bounded{m.name, max_name_bytes});
}
auto fields(Is<Speak> auto& m) {
    return std::tuple(std::ref(m.stay), Bounded{m.text, max_text});
}
auto fields(Is<Go> auto& m) {
    return std::tuple(std::ref(m.stay), Bounded{m.why, max_text});
}
auto fields(Is<Ask> auto& m) {
    return std::tuple(std::ref(m.stay), Bounded{m.room, max_name_bytes});
}
auto fields(Is<Answer> auto& m) {
    return std::tuple(std::ref(m.stay), Bounded{m.text, max_text});
}
auto fields(Is<Entered> auto& m) {
    return std::tuple(std::ref(m.stay), std::ref(m.sequence));
}
auto fields(Is<Refused> auto& m) {
    return std::tuple(std::ref(m.stay), Bounded{m.why, max_text});
}
auto fields(Is<Past> auto& m) {
    return std::tuple(std::ref(m.stay), std::ref(m.kind), Bounded{m.name, max_name_bytes}, Bounded{m.text, max_text});
}
auto fields(Is<Spoken> auto& m) {
    return std::tuple(Bounded{m.room, max_name_bytes}, std::ref(m.sequence), std::ref(m.kind),
                      Bounded{m.name, max_name_bytes}, Bounded{m.text, max_text});
}
auto fields(Is<Ping> auto& m) {
    return std::tuple(std::ref(m.number));
}
auto fields(Is<Pong> auto& m) {
    return std::tuple(std::ref(m.number));
}
auto fields(Is<Challenge> auto& m) {
    return std::tuple(std::ref(m.life), std::ref(m.number));
}
auto fields(Is<Proof> auto& m) {
    return std::tuple(Bounded{m.digest, sizeof(Digest)});
}

template <class Number>
void write(std::string& out, std::reference_wrapper<Number> number) {
    put(out, static_cast<std::remove_const_t<Number>>(number.get()));
}
void write(std::string& out, std::reference_wrapper<const Line::Kind> kind) {
    put(out, static_cast<std::uint8_t>(kind.get()));
}
void write(std::string& out, Bounded<const std::string> field) {
    std::size_t length = std::min(field.text.size(), field.most);
    // A byte 10xxxxxx goes on with a character. The cut must stand before a byte that begins one.
    while (length > 0 && length < field.text.size() && (field.text[length] & 0xC0) == 0x80) --length;
    put(out, static_cast<std::uint16_t>(length));
    out.append(field.text, 0, length);
}

using Check = std::optional<Fault>;

Check read(ByteReader& in, std::reference_wrapper<std::uint16_t> number) {
    number.get() = in.u16();
    return {};
}
Check read(ByteReader& in, std::reference_wrapper<std::uint32_t> number) {
    number.get() = in.u32();
    return {};
}
Check read(ByteReader& in, std::reference_wrapper<std::uint64_t> number) {
    number.get() = in.u64();
    return {};
}
Check read(ByteReader& in, std::reference_wrapper<Line::Kind> kind) {
    kind.get() = static_cast<Line::Kind>(in.u8());
    switch (kind.get()) {
        case Line::Kind::joined:
        case Line::Kind::said:
        case Line::Kind::left: return {};
    }
    return in.ok() ? Check(Fault::unknown_kind) : Check();
}
Check read(ByteReader& in, Bounded<std::string> field) {
    const std::size_t length = in.u16();
    if (length > field.most) return Fault::text_too_long;
    field.text = in.bytes(length);
    return {};
}

template <std::size_t Index = 0>
net::result<Message, Fault> decode_as(std::size_t index, ByteReader& in) {
    if constexpr (Index == std::variant_size_v<Message>) {
        return Fault::unknown_type;
    } else {
        if (index != Index) return decode_as<Index + 1>(index, in);
        std::variant_alternative_t<Index, Message> message{};
        Check wrong;
        std::apply([&](auto... field) { ((wrong || (wrong = read(in, field))), ...); }, fields(message));
        if (wrong) return *wrong;
        if (!in.ok()) return Fault::cut_short;
        if (in.size() > 0) return Fault::too_much;
        return Message(std::move(message));
    }
}

template <class M>
void encode_message(std::size_t index, const M& message, std::string& out) {
    const std::size_t header = out.size();
    put(out, std::uint32_t{0});
    put(out, static_cast<std::uint8_t>(index + 1));
    std::apply([&](auto... field) { (write(out, field), ...); }, fields(message));
    std::string length;
    put(length, static_cast<std::uint32_t>(out.size() - header - 4));
    out.replace(header, 4, length);
}

}  // namespace

void encode(const Message& message, std::string& out) {
    std::visit([&](const auto& alternative) { encode_message(message.index(), alternative, out); }, message);
}

void encode_line(std::string_view room, const Line& line, std::string& out) {
    encode(Spoken{std::string(room), line.sequence, line.kind, line.name, line.text}, out);
}

std::string_view reason(Fault fault) {
    switch (fault) {
        case Fault::unknown_type: return "a message of an unknown type";
        case Fault::cut_short: return "a message that ends too early";
        case Fault::too_much: return "a message with bytes left over";
        case Fault::text_too_long: return "a text over its limit";
        case Fault::unknown_kind: return "a line of an unknown kind";
        case Fault::not_a_node: return "not a node of this chat";
        case Fault::wrong_version: return "a node of another version";
    }
    return "not a message";
}

net::result<Message, Fault> decode(std::string_view frame) {
    ByteReader in(frame);
    const std::size_t type = in.u8();
    if (type == 0) return in.ok() ? Fault::unknown_type : Fault::cut_short;
    auto message = decode_as(type - 1, in);
    if (message.has_value()) {
        if (const auto* hello = std::get_if<Hello>(&*message)) {
            if (hello->magic != magic) return Fault::not_a_node;
            if (hello->version != version) return Fault::wrong_version;
        }
    }
    return message;
}

}  // namespace chat::link
