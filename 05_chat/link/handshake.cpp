#include "05_chat/link/handshake.hpp"

namespace chat::link {

void Handshake::begin(std::string& out) const {
    encode(Hello{magic, version, self_.node}, out);
    encode(Challenge{self_.life, number_}, out);
}

result<void, Why> Handshake::receive(const Message& message, std::string& out) {
    if (const auto* refused = std::get_if<Refused>(&message))
        return because("it refuses us: " + printable(refused->why));
    if (const auto* hello = std::get_if<Hello>(&message); hello && expects_ == Expects::hello) {
        return handle(*hello, out);
    }
    if (const auto* challenge = std::get_if<Challenge>(&message); challenge && expects_ == Expects::challenge) {
        return handle(*challenge, out);
    }
    if (const auto* proof = std::get_if<Proof>(&message); proof && expects_ == Expects::proof) {
        return handle(*proof, out);
    }
    return because("it did not introduce itself");
}

result<void, Why> Handshake::handle(const Hello& hello, std::string&) {
    node_ = hello.node;
    expects_ = Expects::challenge;
    return {};
}

result<void, Why> Handshake::handle(const Challenge& challenge, std::string& out) {
    life_ = challenge.life;
    their_number_ = challenge.number;
    expects_ = Expects::proof;
    if (side_ == Side::guest) encode(Proof{prove(side_, their_number_)}, out);
    return {};
}

result<void, Why> Handshake::handle(const Proof& proof, std::string& out) {
    const std::string expected = prove(side_ == Side::guest ? Side::host : Side::guest, number_);
    if (expected.empty() != proof.digest.empty()) {
        return because("only one of the two nodes has a --link-secret-file");
    }
    if (!same(expected, proof.digest)) return because("wrong link secret");
    if (side_ == Side::host) encode(Proof{prove(side_, their_number_)}, out);
    expects_ = Expects::nothing;
    return {};
}

std::string Handshake::prove(Side who, std::uint64_t number) const {
    if (self_.secret.empty()) return {};
    const std::string role = who == Side::guest ? "guest" : "owner";  // the wire's word for the host
    return std::string(bytes_of(digest(self_.secret, role + std::to_string(number))));
}

}  // namespace chat::link
