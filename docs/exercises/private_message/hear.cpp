// A room for telnets that knows /msg: yours.

#include "whisper.hpp"

#include "telnet_room.hpp"

int main(int argc, char** argv) {
    TelnetRoom telnets;
    telnets.run(argc, argv, "/msg ", [&](chat::PersonId person, std::string_view words) {
        const auto space = words.find(' ');
        const auto text = space == words.npos ? std::string_view() : words.substr(space + 1);
        const auto told = whisper(telnets.room, telnets.limits, person, words.substr(0, space), text);
        if (told) {
            telnets.tell(told->to, told->line);
        } else {
            telnets.tell_refusal(person, told.error());
        }
    });
}
