// Whispers in a room of three.

#include "whisper.hpp"

#include "checking.hpp"

using namespace chat;
using namespace checking;
using namespace std::string_literals;

namespace {

constexpr PersonId michael = 1, mikey = 2, maria = 3, nobody = 9;

struct Whispers {
    Whispers() {
        for (const auto& [id, name] :
             {std::pair(michael, "Michael"), std::pair(mikey, "Mikey"), std::pair(maria, "Мария")}) {
            (void)room.apply(room.last() + 1, Join{id, name});
        }
    }
    boost::system::result<Whisper, Refusal> to(std::string_view name, std::string_view text, PersonId from = michael) {
        return whisper(room, limits, from, name, text);
    }
    void must_reach(PersonId hearer, std::string_view name, std::string_view text, const std::string& line,
                    PersonId from = michael, const std::string& hint = {}) {
        const auto delivered = to(name, text, from);
        const auto who = "a whisper to " + std::string(name);
        if (!delivered) wrong(who + ": " + shown(line), "a refusal: " + std::string(reason(delivered.error())), hint);
        must_be("the id of who hears " + who, delivered->to, hearer, "The hearer is that person alone.");
        must_be(who, delivered->line, line, hint);
    }
    void must_be_refused(Refusal why, std::string_view name, std::string_view text, const std::string& because,
                         PersonId from = michael) {
        const auto delivered = to(name, text, from);
        const auto expected = "a refusal: " + std::string(reason(why)) + ", because " + because;
        if (delivered) wrong(expected, "it was delivered: " + shown(delivered->line));
        if (delivered.error() != why) wrong(expected, "another one: " + std::string(reason(delivered.error())));
    }
    Limits limits{.max_line = 20, .history = 5, .max_people = 5, .max_rooms = 2};
    Room room{limits};
};

}  // namespace

int main() {
    step("a whisper reaches one person alone",
         [] { Whispers{}.must_reach(mikey, "Mikey", "psst", "Michael whispers: psst"); });
    step("it is not in the history", [] {
        Whispers in;
        const auto before = in.room.last();
        (void)in.to("Mikey", "psst");
        if (!in.room.history().empty()) {
            wrong("that a newcomer is not shown it", "a newcomer is shown: " + words(in.room.history().front()),
                  "Do not ask the room to say it: what it says goes to everybody.");
        }
        must_be("the last place in the room's order", in.room.last(), before,
                "A whisper is nothing that has happened in the room.");
    });
    step("names have no case", [] {
        Whispers in;
        in.must_reach(mikey, "mIKEY", "psst", "Michael whispers: psst", michael, "Compare chat::folded of both names.");
        in.must_reach(maria, "Мария", "привет", "Mikey whispers: привет", mikey);
    });
    step("a whisper to somebody who is not here is refused", [] {
        Whispers in;
        in.must_be_refused(Refusal::not_here, "Nobody", "psst", "nobody has that name");
        in.must_be_refused(Refusal::not_here, "", "psst", "nobody has an empty name");
        in.must_be_refused(Refusal::not_here, "Mike", "psst", "Mike is not Mikey");
        (void)in.room.apply(in.room.last() + 1, Leave{mikey, {}});
        in.must_be_refused(Refusal::not_here, "Mikey", "psst", "Mikey has left");
    });
    step("and so is one from somebody who is not here",
         [] { Whispers{}.must_be_refused(Refusal::not_here, "Mikey", "psst", "nobody has the id 9", nobody); });
    step("what is whispered is fit for a terminal", [] {
        Whispers in;
        in.must_reach(mikey, "Mikey", "\x1b[2Jboo\a", "Michael whispers: [2Jboo", michael,
                      "Control characters must be taken out: chat::without_controls.");
        in.must_be_refused(Refusal::text_not_utf8, "Mikey", "\xff", "it is no UTF-8");
        in.must_reach(mikey, "Mikey", std::string(20, 'x'), "Michael whispers: " + std::string(20, 'x'));
        in.must_be_refused(Refusal::text_too_long, "Mikey", std::string(21, 'x'), "20 bytes are allowed here");
    });
    step("a whisper to oneself is strange, but allowed",
         [] { Whispers{}.must_reach(michael, "Michael", "remember it", "Michael whispers: remember it"); });
}
