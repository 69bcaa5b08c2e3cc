#pragma once

#include "05_chat/base/secret.hpp"
#include "05_chat/base/why.hpp"
#include "05_chat/link/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace chat::link {

/// What this node is on its links.
struct Self {
    std::string node;        // what we call ourselves
    std::uint64_t life = 0;  // a random number, the same as long as the program runs
    std::string secret;      // what both sides of a link must know; empty: nothing
};

/// How two nodes come to know each other: the first words of a link, in and out. The guest proves first that it knows
/// the secret, so a stranger gets no proof out of the host. Erlang's cookie is proven in the same way. A proof is the
/// digest of the secret, of the side that gives it, and of the number in the other side's Challenge.
///
/// What follows is neither encrypted nor signed. The secret keeps strangers out, but not whoever can read the line.
/// Pure; one thread at a time.
class Handshake {
public:
    enum class Side { guest, host };

    /// `number` must be unpredictable, and another one for each link.
    Handshake(Self self, Side side, std::uint64_t number) : self_(std::move(self)), side_(side), number_(number) {}

    /// What is to be sent at once.
    void begin(std::string& out) const;
    /// One message; what is to be sent is appended. The error says why the link is to be closed.
    result<void, Why> receive(const Message& message, std::string& out);

    /// Each side knows the other.
    bool is_done() const { return expects_ == Expects::nothing; }
    /// The peer's.
    const std::string& node() const { return node_; }
    std::uint64_t life() const { return life_; }

private:
    enum class Expects { hello, challenge, proof, nothing };

    result<void, Why> handle(const Hello& hello, std::string& out);
    result<void, Why> handle(const Challenge& challenge, std::string& out);
    result<void, Why> handle(const Proof& proof, std::string& out);
    std::string prove(Side who, std::uint64_t number) const;

    Self self_;
    Side side_;
    std::uint64_t number_;
    Expects expects_ = Expects::hello;
    std::string node_;
    std::uint64_t life_ = 0;
    std::uint64_t their_number_ = 0;
};

}  // namespace chat::link
