#include "05_chat/erlang/dist/epmd.hpp"

#include "05_chat/base/bytes.hpp"

namespace erlang::epmd {

namespace {

using chat::ByteReader;
using chat::put;

enum : std::uint8_t {
    alive2_request = 120,
    alive2_answer = 121,
    alive2_x_answer = 118,
    port2_request = 122,
    port2_answer = 119
};
constexpr std::uint8_t hidden_node = 72;
constexpr std::uint8_t tcp_over_ipv4 = 0;
constexpr std::uint16_t version_6 = 6;

std::string with_length(const std::string& request) {
    std::string out;
    put(out, static_cast<std::uint16_t>(request.size()));
    return out + request;
}

}  // namespace

std::string register_request(std::string_view name, std::uint16_t port) {
    std::string request;
    put(request, std::uint8_t{alive2_request});
    put(request, port);
    put(request, hidden_node);
    put(request, tcp_over_ipv4);
    put(request, version_6);  // highest
    put(request, version_6);  // lowest
    put(request, static_cast<std::uint16_t>(name.size()));
    request += name;
    put(request, std::uint16_t{0});  // no extra field
    return with_length(request);
}

std::string lookup_request(std::string_view name) {
    std::string request;
    put(request, std::uint8_t{port2_request});
    request += name;
    return with_length(request);
}

Registered read_registered(std::string_view bytes) {
    ByteReader in(bytes);
    const std::uint8_t type = in.u8();
    const std::uint8_t result = in.u8();
    if (in.ok() && type != alive2_answer && type != alive2_x_answer) return {Answer::ill_formed};
    const std::uint32_t creation = type == alive2_x_answer ? in.u32() : in.u16();
    if (!in.ok()) return {Answer::incomplete};
    return {result == 0 ? Answer::yes : Answer::no, creation};
}

Found read_found(std::string_view bytes) {
    ByteReader in(bytes);
    const std::uint8_t type = in.u8();
    const std::uint8_t result = in.u8();
    if (!in.ok()) return {Answer::incomplete};
    if (type != port2_answer) return {Answer::ill_formed};
    if (result != 0) return {Answer::no};
    const std::uint16_t port = in.u16();
    in.u8();  // the type of the node
    const std::uint8_t protocol = in.u8();
    const std::uint16_t highest = in.u16();
    const std::uint16_t lowest = in.u16();
    if (!in.ok()) return {Answer::incomplete};
    if (protocol != tcp_over_ipv4 || port == 0) return {Answer::ill_formed};
    return {Answer::yes, port, lowest <= version_6 && version_6 <= highest};
}

}  // namespace erlang::epmd
