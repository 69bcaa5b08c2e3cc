#pragma once

#include "05_chat/base/why.hpp"
#include "05_chat/room/listing.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// What people at the text door type, and what they are told: people at a telnet, and programs that read lines.
///
/// The first line is the person's name. It may come before the question for it has been read, so
/// `printf 'Michael\nHello!\n' | nc` works as well as a person does. After that a line is speech, and a line that
/// begins with `/` is a command. Pure; one thread at a time.
namespace chat {

/// What ends every line at this door (RFC 854: a telnet's line ends in CR LF).
inline constexpr std::string_view line_end = "\r\n";

/// The line as the text door's dialect has it: its words, and the end of the line.
void encode_text(const Line& line, std::string& out);

/// What the session does next. It prints; then it asks the backend for what is in `then`; at last it closes. It asks
/// for one thing at a time, and has the outcome before it reads the next line.
struct Step {
    std::string print;  // whole lines, for this person alone
    std::variant<std::monostate, Submission, Question> then;
    bool close = false;
};

class TextProtocol {
public:
    /// `person` is their id as long as the connection lasts; their first room is `lobby`.
    TextProtocol(PersonId person, std::string lobby) : person_(person), lobby_(std::move(lobby)) {}

    /// The question for the name: the first thing at this door.
    Step open() const;
    /// They typed this; without its line end. Not while a submission or a question is open.
    Step line(std::string_view typed);
    /// The Submission was carried out. Now they may be in another room (room()), and hear its lines from here on.
    Step done();
    /// The Submission was refused. `why` is the end of a sentence: "the name is taken".
    Step refused(std::string_view why);
    /// The answer to the Question.
    Step answer(std::string_view text) const;
    /// They typed nothing for a long time. At first they are asked whether they are there; then, `closing`, they go.
    Step idle(bool closing) const;
    /// They have given no name for too long, and are sent away.
    Step nameless() const;
    /// Others need the place of somebody who is in no room yet.
    Step others_wait() const;
    /// They are out of their room, and `words` tell them so. Until rejoined() what they say goes nowhere, and they are
    /// told the words again; or, where that `is_kept`, it is submitted all the same.
    Step room_down(std::string_view words, bool is_kept);
    /// The room has thrown them out. They are in no room until they join one. `why` is the end of a sentence.
    Step removed(std::string_view why);
    /// They are in that room again, under their name; or they cannot be. What they type then is no name: they mean it
    /// for the room.
    Step rejoined(const result<void, Why>& outcome);
    /// The connection ended: what is left to say to the engine.
    std::optional<Submission> hang_up();

    /// Empty until they have joined, and again when the room went down.
    const std::string& room() const { return room_; }
    const std::string& name() const { return name_; }

private:
    Step command(std::string_view typed);
    Step join(std::string_view room, std::string_view name);
    bool goes_nowhere() const { return !down_.empty() && !is_kept_; }
    /// The room that what they say is meant for.
    const std::string& meant() const { return down_.empty() ? room_ : down_; }

    PersonId person_;
    std::string lobby_;
    std::string name_;  // the last one asked for; their own once room_ is not empty
    std::string room_;
    std::string wanted_;      // the room of a Join whose outcome is open
    std::string down_;        // the room that went down, until rejoined()
    std::string down_words_;  // what they are told so long,
    bool is_kept_ = false;    // unless what they say is kept
    bool is_out_ = false;     // the room has thrown them out, and they have joined none since
    bool has_quit_ = false;   // they are in the room until their Leave is done
};

}  // namespace chat
