#pragma once

#include "05_chat/link_pulse.hpp"
#include "05_chat/node_link.hpp"
#include "05_chat/text_door.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chat::link {

/// What the owner of the rooms keeps for one link: who is behind it, and what they want. Frames and moments in; frames
/// out, and what is to be asked of the engine. It knows no socket. One thread at a time.
class Owner {
public:
    /// `node` is what we call ourselves; `next_person` gives an id nobody had before.
    Owner(std::string node, std::function<PersonId()> next_person, Clock::time_point now,
          std::chrono::milliseconds handshake);

    /// What a frame asks for; its answer is given to outcome() or answer() before the next frame.
    struct Wanted {
        Stay stay;
        Submission submission;
    };
    struct Asked {
        Stay stay;
        Question question;
    };
    using Todo = std::variant<std::monostate, Wanted, Asked>;

    /// One frame. The error says why the link is to be closed.
    boost::system::result<Todo, std::string> receive(std::string_view frame, Clock::time_point now);
    void outcome(const Wanted& wanted, const boost::system::result<Line, Refusal>& result,
                 std::span<const Line> history = {});
    void answer(const Asked& asked, std::string text);
    /// False: the peer is gone.
    bool time(Clock::time_point now);
    Clock::time_point deadline() const { return pulse_.deadline(); }

    /// Frames for this link alone, to be sent after everything that is in the rooms' log now.
    std::string take_output() { return std::exchange(output_, {}); }
    /// The link has ended: the Leave of everybody behind it.
    std::vector<Submission> closed();

    /// Empty until it has introduced itself.
    const std::string& peer() const { return peer_; }
    std::size_t people() const { return stays_.size(); }

private:
    struct Where {
        PersonId person;
        std::string room;
    };

    boost::system::result<Todo, std::string> handle(const Hello& hello);
    boost::system::result<Todo, std::string> handle(const Enter& enter);
    boost::system::result<Todo, std::string> handle(const Speak& speak);
    boost::system::result<Todo, std::string> handle(const Go& go);
    boost::system::result<Todo, std::string> handle(const Ask& ask);
    boost::system::result<Todo, std::string> handle(const Ping& ping);
    boost::system::result<Todo, std::string> handle(const Pong&) { return Todo(); }
    template <class OwnersWord>
    boost::system::result<Todo, std::string> handle(const OwnersWord&) {
        return std::string("it speaks as if the rooms were its own");
    }

    std::function<PersonId()> next_person_;
    Pulse pulse_;
    std::string peer_;
    bool is_introduced_ = false;
    std::map<Stay, Where> stays_;
    std::string output_;
};

}  // namespace chat::link
