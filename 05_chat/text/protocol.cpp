#include "05_chat/text/protocol.hpp"

#include "app/text.hpp"

#include <utility>

namespace chat {

namespace {

constexpr std::string_view help =
    "/who        who is in the room\r\n"
    "/rooms      which rooms there are\r\n"
    "/join ROOM  go to another room, or open one\r\n"
    "/me waves   everybody reads your name and what you do\r\n"
    "/quit       leave\r\n"
    "/help       this list\r\n"
    "Everything else you type is said to the room.\r\n";

constexpr std::string_view in_no_room = "You are in no room, and nobody hears you. /join ROOM goes to one.";

Step print(std::string_view text) {
    return {std::string(text) + std::string(line_end), {}, false};
}

Step goodbye(std::string_view text) {
    Step step = print(text);
    step.close = true;
    return step;
}

std::string sentence(std::string_view reason) {
    std::string text(reason);
    if (!text.empty() && text.front() >= 'a' && text.front() <= 'z')
        text.front() = static_cast<char>(text.front() - 'a' + 'A');
    return text;
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    return first == text.npos ? std::string_view() : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

void encode_text(const Line& line, std::string& out) {
    append_words(line, out);
    out += line_end;
}

Step TextProtocol::open() const {
    return print("Welcome! What is your name?");
}

Step TextProtocol::line(std::string_view typed) {
    // A web page may make its visitors' browsers send "POST / HTTP/1.1" here. It must not speak in their names.
    if (name_.empty() && typed.find(" HTTP/") != typed.npos)
        return goodbye("This is a chat, and no web server. Goodbye!");
    if (typed.starts_with('/')) return command(typed);
    if (goes_nowhere()) return print(down_words_);
    if (is_out_) return print(in_no_room);
    if (meant().empty()) return join(lobby_, trimmed(typed));
    // People press Enter on an empty line to see whether anybody is there. That is nothing to say.
    if (trimmed(typed).empty()) return {};
    return {{}, Submission{meant(), Say{person_, std::string(typed)}}, false};
}

Step TextProtocol::command(std::string_view typed) {
    typed = trimmed(typed);
    const std::size_t space = typed.find_first_of(" \t");
    const std::string_view verb = typed.substr(0, space);
    const std::string_view argument = space == typed.npos ? std::string_view() : trimmed(typed.substr(space));
    if (verb == "/help") return {std::string(help), {}, false};
    if (verb == "/rooms") return {{}, Question{Question::About::rooms, room_}, false};
    if (verb == "/quit") {
        Step step = print("Goodbye!");
        if (!room_.empty()) step.then = Submission{room_, Leave{person_, {}}};
        has_quit_ = step.close = true;
        return step;
    }
    if (verb != "/who" && verb != "/join" && verb != "/me") {
        return print("There is no command " + app::text::visible(verb, max_name) + "; /help lists them.");
    }
    if (goes_nowhere()) return print(down_words_);
    if (meant().empty() && !is_out_) return print("First tell me your name.");
    if (is_out_ && verb != "/join") return print(in_no_room);
    if (verb == "/who") return {{}, Question{Question::About::people, meant()}, false};
    if (verb == "/me") {
        if (argument.empty()) return print("What do you do? /me waves");
        return {{}, Submission{meant(), Say{person_, std::string(action) + std::string(argument)}}, false};
    }
    if (!down_.empty()) return print("You are out of the room. Ask again when you are back.");
    if (argument.empty()) return print("Which room? /join ROOM");
    if (folded(argument) == folded(room_)) return print("You are in that room already.");
    return join(argument, name_);
}

Step TextProtocol::join(std::string_view room, std::string_view name) {
    wanted_ = room;
    if (room_.empty()) name_ = name;
    return {{}, Submission{wanted_, Join{person_, name_}}, false};
}

Step TextProtocol::refused(std::string_view why) {
    const bool joining = !std::exchange(wanted_, {}).empty();
    return print(sentence(why) + (joining && room_.empty() && !is_out_ ? ". What is your name?" : "."));
}

Step TextProtocol::done() {
    const std::string wanted = std::exchange(wanted_, {});
    if (has_quit_) room_.clear();
    if (wanted.empty()) return {};
    Step step = print("You are in the room " + wanted + " as " + name_ + ". /help lists the commands.");
    if (!room_.empty()) step.then = Submission{room_, Leave{person_, {}}};
    room_ = wanted;
    is_out_ = false;
    return step;
}

Step TextProtocol::answer(std::string_view text) const {
    return print(text);
}

Step TextProtocol::idle(bool closing) const {
    if (!closing) return print("Are you still there? Press Enter, or I shall say goodbye.");
    return goodbye("Goodbye!");
}

Step TextProtocol::nameless() const {
    return goodbye("You have not told me your name. Goodbye!");
}

Step TextProtocol::others_wait() const {
    return goodbye("You are in no room yet, and others need the place. Goodbye!");
}

Step TextProtocol::room_down(std::string_view words, bool is_kept) {
    if (!room_.empty()) down_ = std::exchange(room_, {});  // else it has gone down a second time
    down_words_ = words;
    is_kept_ = is_kept;
    wanted_.clear();
    return print(down_words_);
}

Step TextProtocol::removed(std::string_view why) {
    is_out_ = true;
    const std::string room = std::exchange(room_, {});
    return print("You are no longer in the room " + room + ": " + std::string(why) + ". /join " + room +
                 " asks to be let in again.");
}

Step TextProtocol::rejoined(const result<void, Why>& outcome) {
    if (outcome) {
        wanted_ = std::exchange(down_, {});
        return done();
    }
    is_kept_ = false;
    down_words_ = sentence(outcome.error().words) +
                  ": you are out of the room, and what you type is lost. /quit, and come in anew.";
    return print(down_words_);
}

std::optional<Submission> TextProtocol::hang_up() {
    if (room_.empty()) return std::nullopt;
    return Submission{std::exchange(room_, {}), Leave{person_, {}}};
}

}  // namespace chat
