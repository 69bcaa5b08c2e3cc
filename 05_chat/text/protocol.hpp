#pragma once

#include "05_chat/base/why.hpp"
#include "05_chat/room/listing.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>

/// The text door: what a person at a telnet, or a program that reads lines, says to the rooms and hears from them.
///
/// The first line is the person's name, also when it comes before the question has been read, so
/// `printf 'Michael\nHello!\n' | nc` works as well as a person does. After that a line is speech, and a line that
/// begins with `/` is a command. Pure; one thread at a time.
namespace chat {

/// What ends every line at this door (RFC 854: a telnet's line ends in CR LF).
inline constexpr std::string_view line_end = "\r\n";

/// The line as the text door's dialect has it: its words, and the end of the line.
void encode_text(const Line& line, std::string& out);

/// What a door is to do next: print, then carry out, then, at the end, say goodbye and close. One Submission or
/// Question at a time: what comes of it is there before the next line is read.
struct Step {
    std::string print;  // whole lines, for this person alone
    std::variant<std::monostate, Submission, Question> then;
    bool close = false;
};

class TextProtocol {
public:
    /// `person` is theirs for as long as the connection lasts; their first room is `lobby`.
    TextProtocol(PersonId person, std::string lobby) : person_(person), lobby_(std::move(lobby)) {}

    /// The question for the name: the first thing at this door.
    Step open() const;
    /// They typed this; without its line end. Not while a submission or a question is open.
    Step line(std::string_view typed);
    /// The Submission was carried out. After it they may be in another room (room()), whose lines they hear from here
    /// on.
    Step done();
    /// It was not, for this reason: the end of a sentence, "the name is taken".
    Step refused(std::string_view why);
    /// The answer to the Question.
    Step answer(std::string_view text) const;
    /// They typed nothing for a long time: are they still there? `closing` the second time.
    Step idle(bool closing) const;
    /// They have not given a name for so long that they are sent away.
    Step nameless() const;
    /// Others need the place of somebody who is in no room yet.
    Step others_wait() const;
    /// They are out of their room: until rejoined() what they type goes nowhere, and these words tell them so.
    Step room_down(std::string_view words);
    /// The room has thrown them out: they are in no room until they join one. `why` is the end of a sentence.
    Step removed(std::string_view why);
    /// They are in that room again, under their name; or they are not and will not be. What they type then is not taken
    /// for a name: it was meant for the room.
    Step rejoined(const result<void, Why>& outcome);
    /// The connection ended: what is left to say to the engine.
    std::optional<Submission> hang_up();

    /// Empty until they have joined, and again when the room went down.
    const std::string& room() const { return room_; }
    const std::string& name() const { return name_; }

private:
    Step command(std::string_view typed);
    Step join(std::string_view room, std::string_view name);

    PersonId person_;
    std::string lobby_;
    std::string name_;  // the last one asked for; their own once room_ is not empty
    std::string room_;
    std::string wanted_;      // the room of a Join whose outcome is open
    std::string down_;        // the room that went down, until rejoined()
    std::string down_words_;  // what they are told so long
    bool is_out_ = false;     // the room has thrown them out, and they have joined none since
};

}  // namespace chat
