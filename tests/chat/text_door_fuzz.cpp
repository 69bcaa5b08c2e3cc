#include "05_chat/fanout/shared_log.hpp"
#include "05_chat/text/protocol.hpp"
#include "chat/ordered_rooms.hpp"

#include "app/text.hpp"

#include <cstdlib>
#include <variant>

// Three people type lines: the first byte of each says who it is (and now and then, that they hang up). Whatever they
// type, what the others' terminals get is UTF-8 without control characters but line ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace chat;
    OrderedRooms rooms(Limits{.max_line = 64, .history = 2, .max_people = 2, .max_rooms = 3}, "lobby");
    TextProtocol doors[] = {{1, "lobby"}, {2, "lobby"}, {3, "lobby"}};
    const auto check = [](std::string_view printed) {
        if (!app::text::is_utf8(printed)) std::abort();
        while (const auto character = app::text::take_utf8(printed)) {
            if (app::text::is_control(*character) && *character != '\r' && *character != '\n') std::abort();
        }
    };
    const auto run = [&](TextProtocol& door, Step step) {
        for (;;) {
            check(step.print);
            const auto* submission = std::get_if<Submission>(&step.then);
            if (!submission) return;
            const auto result = rooms.submit(submission->room, submission->request);
            if (result) {
                std::string line;
                encode_text(*result, line);
                check(line);
            }
            step = result ? door.done() : door.refused(reason(result.error()));
        }
    };
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end);
        rest = end == rest.npos ? std::string_view() : rest.substr(end + 1);
        if (line.empty()) continue;
        TextProtocol& door = doors[static_cast<unsigned char>(line[0]) % 3];
        if (line[0] == '!') {
            if (const auto farewell = door.hang_up()) rooms.submit(farewell->room, farewell->request);
        } else if (line[0] == '?') {
            if (!door.room().empty()) {
                const std::string room = door.room();
                check(door.room_down("The room is away.", false).print);
                rooms.submit(room, Leave{static_cast<PersonId>(&door - doors + 1), {}});
                const auto back = rooms.submit(room, Join{static_cast<PersonId>(&door - doors + 1), door.name()});
                run(door, door.rejoined(back ? result<void, Why>() : because(reason(back.error()))));
            }
        } else {
            run(door, door.line(line.substr(1)));
        }
        check(answer(rooms, Question{Question::About::rooms, {}}));
        if (rooms.all().size() > 3) std::abort();
    }
    return 0;
}
