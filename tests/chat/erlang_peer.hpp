#pragma once

#include "05_chat/base/bytes.hpp"
#include "05_chat/erlang/dist/control.hpp"
#include "05_chat/erlang/dist/handshake.hpp"
#include "05_chat/erlang/dist/term.hpp"
#include "chat/chat.hpp"

#include <optional>

namespace chat_tests {

inline const std::string dist_cookie = "CHATTESTS";

/// An Erlang node of which the test has every byte in its hand: it knows the cookie, shakes hands, and then says what
/// it likes.
class ErlangPeer {
public:
    ErlangPeer(Server& server, const std::string& name, const Client::Options& options = {})
        : name_(name), room_node_(node_of(server)), client_(server.dist_port(), options) {
        auto handshake = erlang::Handshake::connecting({name, 1, dist_cookie}, 4711, room_node_);
        client_.send(handshake.take_output());
        while (handshake.state() == erlang::Handshake::State::waiting) {
            const auto length = client_.recv_exactly(2);
            handshake.packet(client_.recv_exactly(chat::ByteReader(length).u16()));
            client_.send(handshake.take_output());
        }
        if (handshake.state() != erlang::Handshake::State::done) throw support::Failure(handshake.why());
    }

    Client& client() { return client_; }

    erlang::Pid pid(std::uint32_t id) const { return {name_, id, 0, 1}; }

    /// A whole frame with this after its length.
    void send_frame(const std::string& bytes) { client_.send(framed(bytes)); }
    static std::string framed(const std::string& bytes) {
        std::string frame;
        chat::put(frame, static_cast<std::uint32_t>(bytes.size()));
        return frame + bytes;
    }
    /// Sends that term to the room.
    void send_to_room(const std::string& term) {
        std::string frame;
        erlang::put_send(frame, pid(1), "chatroom", term);
        client_.send(frame);
    }
    /// `{from, verb, text}` to the room.
    void tell_room(const erlang::Pid& from, const std::string& verb, const std::string& text) {
        send_to_room(message(from, verb, text));
    }
    static std::string message(const erlang::Pid& from, const std::string& verb, const std::string& text) {
        std::string term;
        erlang::put_tuple(term, 3);
        erlang::put_pid(term, from);
        erlang::put_atom(term, verb);
        erlang::put_binary(term, text);
        return term;
    }

    struct Heard {
        erlang::Pid to;
        std::string text;
    };
    /// The next thing the room says to one of us; what else it says (monitors, ticks) is passed over.
    Heard hear() {
        for (;;) {
            const auto length = client_.recv_exactly(4);
            const auto frame = client_.recv_exactly(chat::ByteReader(length).u32());
            if (frame.empty()) continue;
            const auto control = erlang::read_control(frame);
            const auto* send = control ? std::get_if<erlang::SendToPid>(&*control) : nullptr;
            if (send == nullptr) continue;
            erlang::TermReader in(send->message);
            if (in.tuple(3) && in.pid() && in.atom("message")) return {send->to, in.text().value_or("?")};
        }
    }

private:
    static std::string node_of(Server& server) {
        const auto line = server.wait_for_line("waits for Erlang nodes as ");
        const auto begin = line.find(" as ") + 4;
        return line.substr(begin, line.find(' ', begin) - begin);
    }

    std::string name_, room_node_;
    Client client_;
};

/// A room that Erlang nodes can join, on a machine without an epmd.
inline std::unique_ptr<Server> erlang_node(std::vector<std::string> options = {}) {
    options.insert(options.end(), {"--sname", "room1@localhost", "--cookie", dist_cookie});
    return std::make_unique<Server>(options, support::Command{.words = {}, .environment = {{"ERL_EPMD_PORT", "1"}}});
}

}  // namespace chat_tests
