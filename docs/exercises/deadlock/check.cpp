// Moves people between two rooms, first one after the other, then from both sides at once.

#include "rooms.hpp"

#include "checking.hpp"

using namespace checking;

namespace {

using People = std::set<std::string>;
constexpr auto one_step = "Change nothing before both rooms are locked, and unlock neither in between.";

void must_move(const char* name, Room& from, Room& to) {
    must_be(std::string("that ") + name + " is moved", move(name, from, to), true);
}

}  // namespace

int main() {
    step("there and back, one after the other", [] {
        Room lobby, tea;
        lobby.people = {"Michael"};
        // Nothing can hang here, but ThreadSanitizer notes in which order mutexes are locked.
        std::thread([&] { must_move("Michael", lobby, tea); }).join();
        std::thread([&] { must_move("Michael", tea, lobby); }).join();
        must_be("the people in the lobby", lobby.people, People{"Michael"});
        must_be("the people in the tea room", tea.people, People{});
    });
    step("a person who is not there is not moved", [] {
        Room lobby, tea;
        tea.people = {"Mikey"};
        must_be("whether Mikey is moved from the lobby, while in the tea room", move("Mikey", lobby, tea), false);
        must_be("the people in the tea room", tea.people, People{"Mikey"});
    });
    step("to the room where somebody is already", "Two names, one room: is its one mutex locked twice?", [] {
        Room lobby;
        lobby.people = {"Michael"};
        must_move("Michael", lobby, lobby);
        must_be("the people in the lobby", lobby.people, People{"Michael"});
        must_be("whether Mikey is moved, who was never there", move("Mikey", lobby, lobby), false);
    });
    step("from both sides at once, and always in exactly one room", [] {
        constexpr int moves = 2000;
        Room lobby, tea;
        lobby.people = {"Michael"};
        tea.people = {"Mikey"};
        std::atomic<bool> over = false;
        int looks = 0;
        int torn = 0;
        std::thread watcher([&] {
            do {
                const std::scoped_lock both(lobby.mutex, tea.mutex);
                for (const char* name : {"Michael", "Mikey"}) {
                    if (lobby.people.count(name) + tea.people.count(name) != 1) ++torn;
                }
                ++looks;
            } while (!over);
        });
        std::thread there([&] {
            for (int i = 0; i < moves; i += 2) {
                move("Michael", lobby, tea);
                move("Michael", tea, lobby);
            }
        });
        std::thread back([&] {
            for (int i = 0; i < moves; i += 2) {
                move("Mikey", tea, lobby);
                move("Mikey", lobby, tea);
            }
        });
        there.join();
        back.join();
        over = true;
        watcher.join();
        if (torn != 0) {
            wrong("that everybody is in exactly one room, for whoever holds both locks",
                  "in " + shown(looks) + " looks somebody was " + shown(torn) + " times in neither room, or in both",
                  one_step);
        }
    });
    // Whichever of the two is locked, the mover waits for it; and whoever gets hold of the other as well sees everybody
    // exactly once. (A mover that locks in the order of addresses may hold the other: then there is nothing to see.)
    step("it waits for a locked room, quietly, and nobody is missing meanwhile", [] {
        for (const bool from_is_locked : {true, false}) {
            Room lobby, tea;
            lobby.people = {"Michael"};
            Room& locked = from_is_locked ? lobby : tea;
            Room& other = from_is_locked ? tea : lobby;
            std::unique_lock lock(locked.mutex);
            std::thread mover([&] { must_move("Michael", lobby, tea); });
            must_wait_quietly("that a mover waits quietly for a room that is locked",
                              "try_lock in a loop asks a million times. std::scoped_lock sleeps until it is told.");
            if (std::unique_lock both(other.mutex, std::try_to_lock); both) {
                must_be("the rooms that Michael is in, during the move",
                        lobby.people.count("Michael") + tea.people.count("Michael"), 1U, one_step);
            }
            lock.unlock();
            mover.join();
            must_be("the people in the tea room", tea.people, People{"Michael"});
        }
    });
}
