#pragma once

#include "05_chat/base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// How two Erlang nodes come to trust each other: the distribution handshake, version 6 (OTP 23 and later; erts'
/// "Distribution Protocol", section Distribution Handshake), as a state machine: packets in, packets out.
///
///     connecting                          accepting
///       'N' flags, creation, name ---------->
///          <----------------------------------- 's' "ok", or why not
///          <----------------------------------- 'N' flags, challenge, creation, name
///       'r' challenge, digest -------------->
///          <----------------------------------- 'a' digest
///
/// A digest is MD5(cookie ++ the other's challenge in decimal). So each side shows that it knows the cookie, and
/// neither sends it. What follows is neither encrypted nor signed. The cookie keeps strangers out, but not listeners.
///
/// Pure; one thread at a time.
namespace erlang {

/// Who we are to other nodes.
struct Identity {
    std::string name;            // "room1@host"
    std::uint32_t creation = 1;  // not 0; another one in each life of the node
    std::string cookie;
};

/// What this node understands: the flags that every node since OTP 25 demands, and no more. PUBLISHED is left out on
/// purpose: we are a hidden node, and nobody connects to us because somebody else did. So are DIST_HDR_ATOM_CACHE and
/// FRAGMENTS: every frame is one whole message, and no peer makes us remember atoms.
inline constexpr std::uint64_t our_flags = 0x4'0707'4fbc;

/// Bytes of one handshake packet. The longest is a name with its flags.
inline constexpr std::size_t max_handshake_packet = 512;
/// Bytes of a node's name, as of any atom.
inline constexpr std::size_t max_node_name = 255;

/// `name@host`, printable, without spaces, at most max_node_name bytes.
bool is_node_name(std::string_view name);

/// Why a handshake fails where the peer does not know the cookie.
inline constexpr std::string_view wrong_cookie = "wrong cookie";

using chat::bytes_of;
using chat::Digest;
using chat::same;
inline Digest digest(std::string_view cookie, std::uint32_t challenge) {
    return chat::digest(cookie, std::to_string(challenge));
}

/// What the accepting side says to a name. `alive`: a node of that name is connected already, and the newcomer decides
/// whether that was itself in an earlier life. If so the handshake goes on, and at Up the older connection is to be
/// closed.
enum class Status { ok, ok_simultaneous, nok, not_allowed, alive };

class Handshake {
public:
    enum class State {
        waiting,   // for the peer's next packet
        deciding,  // peer() has given its name: decide() must be called
        done,      // peer() is who it says and knows the cookie
        failed,    // why() says why; close
    };

    /// The side that was called. `challenge` must be unpredictable.
    static Handshake accepting(const Identity& self, std::uint32_t challenge);
    /// The side that calls, and knows whom.
    static Handshake connecting(const Identity& self, std::uint32_t challenge, std::string_view peer);

    State state() const { return state_; }
    const std::string& peer() const { return peer_; }
    const std::string& why() const { return why_; }

    /// One packet came (without its two bytes of length). Not when deciding, done or failed.
    void packet(std::string_view bytes);
    /// The owner's answer to the name.
    void decide(Status status);
    /// What is to be sent now, with lengths. Also when failed: the peer may be told why.
    std::string take_output();

private:
    enum class Expects { name, decision, alive_answer, reply, status, challenge, ack, nothing };

    Handshake(Identity self, std::uint32_t challenge) : self_(std::move(self)), challenge_(challenge) {}
    void name(std::string_view bytes);
    void status(std::string_view bytes);
    void challenge(std::string_view bytes);
    void reply(std::string_view bytes);
    void ack(std::string_view bytes);
    void send(const std::string& packet);
    void send_status(std::string_view word);
    void send_challenge();
    void expect(Expects next) { expects_ = next; }
    void fail(std::string why);

    Identity self_;
    std::uint32_t challenge_;  // ours, which the peer's digest answers
    Expects expects_ = Expects::name;
    State state_ = State::waiting;
    std::string peer_;
    std::string why_;
    std::string output_;
};

}  // namespace erlang
