#include "05_chat/erlang/dist/handshake.hpp"

#include "05_chat/base/bytes.hpp"
#include "app/text.hpp"

#include <utility>

namespace erlang {

namespace {

using chat::ByteReader;
using chat::put;

// Flags that a peer must have, because we read no other terms: EXTENDED_REFERENCES, EXTENDED_PIDS_PORTS, UTF8_ATOMS,
// BIG_CREATION, HANDSHAKE_23.
constexpr std::uint64_t needed_flags = 0x4 | 0x100 | 0x10000 | 0x40000 | 0x1000000;

}  // namespace

bool is_node_name(std::string_view name) {
    const std::size_t at = name.find('@');
    if (name.size() > max_node_name || at == 0 || at == name.npos || at + 1 == name.size()) return false;
    if (name.find('@', at + 1) != name.npos) return false;
    while (const auto character = app::text::take_utf8(name)) {
        if (*character == ' ' || app::text::is_control(*character)) return false;
    }
    return name.empty();
}

Handshake Handshake::accepting(const Identity& self, std::uint32_t challenge) {
    return Handshake(self, challenge);
}

Handshake Handshake::connecting(const Identity& self, std::uint32_t challenge, std::string_view peer) {
    Handshake handshake(self, challenge);
    handshake.peer_ = peer;
    std::string packet = "N";
    put(packet, our_flags);
    put(packet, self.creation);
    put(packet, static_cast<std::uint16_t>(self.name.size()));
    handshake.send(packet + self.name);
    handshake.expect(Expects::status);
    return handshake;
}

std::string Handshake::take_output() {
    return std::exchange(output_, {});
}

void Handshake::packet(std::string_view bytes) {
    switch (expects_) {
        case Expects::name: return name(bytes);
        case Expects::status: return status(bytes);
        case Expects::challenge: return challenge(bytes);
        case Expects::reply: return reply(bytes);
        case Expects::ack: return ack(bytes);
        case Expects::alive_answer:
            if (bytes != "strue") return fail("it is connected already, and keeps that connection");
            return send_challenge();
        case Expects::decision:
        case Expects::nothing: return fail("a packet out of turn");
    }
}

void Handshake::name(std::string_view bytes) {
    ByteReader in(bytes);
    const std::uint8_t tag = in.u8();
    if (tag == 'n') return fail("it speaks a handshake from before OTP 23");
    const std::uint64_t flags = in.u64();
    in.u32();  // its creation, which stands in its pids, too
    const std::string_view name = in.bytes(in.u16());
    // What follows the name is for versions to come.
    if (tag != 'N' || !in.ok()) return fail("not an Erlang node");
    if (!is_node_name(name)) return fail("its name is ill-formed");
    if ((flags & needed_flags) != needed_flags) return fail("its flags lack what we need");
    peer_ = name;
    if (name == self_.name) {
        send_status("not_allowed");
        return fail("it has our own name");
    }
    state_ = State::deciding;
    expect(Expects::decision);
}

void Handshake::decide(Status status) {
    state_ = State::waiting;
    switch (status) {
        case Status::ok: send_status("ok"); return send_challenge();
        case Status::ok_simultaneous: send_status("ok_simultaneous"); return send_challenge();
        case Status::alive: send_status("alive"); return expect(Expects::alive_answer);
        case Status::nok: send_status("nok"); return fail("we are connecting to it ourselves");
        case Status::not_allowed: send_status("not_allowed"); return fail("it is not allowed");
    }
}

void Handshake::status(std::string_view bytes) {
    if (bytes == "sok" || bytes == "sok_simultaneous") return expect(Expects::challenge);
    if (bytes == "salive") {
        // The peer believes that we are connected. That was an earlier life of ours, or a line that was cut.
        send_status("true");
        return expect(Expects::challenge);
    }
    if (bytes == "snok") return fail("it is connecting to us at the same time");
    if (bytes == "snot_allowed") return fail("it does not allow us");
    fail("not an Erlang node");
}

void Handshake::challenge(std::string_view bytes) {
    ByteReader in(bytes);
    const std::uint8_t tag = in.u8();
    const std::uint64_t flags = in.u64();
    const std::uint32_t theirs = in.u32();
    in.u32();  // its creation
    const std::string_view name = in.bytes(in.u16());
    if (tag != 'N' || !in.ok()) return fail("not an Erlang node of OTP 23 or later");
    if (name != peer_) return fail("it is another node: " + app::text::visible(name, max_node_name));
    if ((flags & needed_flags) != needed_flags) return fail("its flags lack what we need");
    std::string packet = "r";
    put(packet, challenge_);
    send(packet.append(bytes_of(digest(self_.cookie, theirs))));
    expect(Expects::ack);
}

void Handshake::reply(std::string_view bytes) {
    ByteReader in(bytes);
    const std::uint8_t tag = in.u8();
    const std::uint32_t theirs = in.u32();
    const std::string_view proof = in.rest();
    if (tag != 'r' || !in.ok()) return fail("not an Erlang node");
    if (!same(digest(self_.cookie, challenge_), proof)) return fail(std::string(wrong_cookie));
    send(std::string("a").append(bytes_of(digest(self_.cookie, theirs))));
    expect(Expects::nothing);
    state_ = State::done;
}

void Handshake::ack(std::string_view bytes) {
    if (!bytes.starts_with('a')) return fail("not an Erlang node");
    if (!same(digest(self_.cookie, challenge_), bytes.substr(1))) return fail(std::string(wrong_cookie));
    expect(Expects::nothing);
    state_ = State::done;
}

void Handshake::send(const std::string& packet) {
    put(output_, static_cast<std::uint16_t>(packet.size()));
    output_ += packet;
}

void Handshake::send_status(std::string_view word) {
    send("s" + std::string(word));
}

void Handshake::send_challenge() {
    std::string packet = "N";
    put(packet, our_flags);
    put(packet, challenge_);
    put(packet, self_.creation);
    put(packet, static_cast<std::uint16_t>(self_.name.size()));
    send(packet + self_.name);
    expect(Expects::reply);
}

void Handshake::fail(std::string why) {
    why_ = std::move(why);
    state_ = State::failed;
    expect(Expects::nothing);
}

}  // namespace erlang
