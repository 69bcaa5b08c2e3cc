// A room for telnets that knows /nick: yours.

#include "nick.hpp"

#include "telnet_room.hpp"

int main(int argc, char** argv) {
    TelnetRoom telnets;
    telnets.run(argc, argv, "/nick ", [&](chat::PersonId person, std::string_view name) {
        const auto told = nick(telnets.room, person, std::string(name));
        if (told) {
            telnets.tell_all(*told);
        } else {
            telnets.tell_refusal(person, told.error());
        }
    });
}
