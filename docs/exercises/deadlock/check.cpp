// Moves people between two rooms, first one after the other, then from both sides at once.

#include "rooms.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

TEST(Rooms, ThereAndBackIsNoDeadlock) {
    Room lobby, tea;
    lobby.people = {"Michael"};
    // One after the other: nothing can hang here, but ThreadSanitizer notes in which order mutexes are locked.
    std::thread([&] { EXPECT_TRUE(move("Michael", lobby, tea)); }).join();
    std::thread([&] { EXPECT_TRUE(move("Michael", tea, lobby)); }).join();
    EXPECT_EQ(lobby.people, std::set<std::string>{"Michael"});
    EXPECT_TRUE(tea.people.empty());
}

TEST(Rooms, WhoIsNotThereIsNotMoved) {
    Room lobby, tea;
    tea.people = {"Mikey"};
    EXPECT_FALSE(move("Mikey", lobby, tea)) << "Mikey is in the tea room";
    EXPECT_EQ(tea.people.count("Mikey"), 1u);
}

TEST(Rooms, TheRoomWhereHeIsAlready) {
    Room lobby;
    lobby.people = {"Michael"};
    EXPECT_TRUE(move("Michael", lobby, lobby));
    EXPECT_EQ(lobby.people.count("Michael"), 1u) << "he has vanished";
    EXPECT_FALSE(move("Mikey", lobby, lobby)) << "he was never there";
}

TEST(Rooms, FromBothSidesAtOnceAndAlwaysInExactlyOne) {
    constexpr int moves = 2000;
    Room lobby, tea;
    lobby.people = {"Michael"};
    tea.people = {"Mikey"};
    std::atomic<bool> over = false;
    int wrong = 0;
    std::thread watcher([&] {
        do {
            const std::scoped_lock both(lobby.mutex, tea.mutex);
            for (const char* name : {"Michael", "Mikey"}) {
                if (lobby.people.count(name) + tea.people.count(name) != 1) ++wrong;
            }
        } while (!over);
    });
    std::thread there([&] {
        for (int i = 0; i < moves; ++i) i % 2 == 0 ? move("Michael", lobby, tea) : move("Michael", tea, lobby);
    });
    std::thread back([&] {
        for (int i = 0; i < moves; ++i) i % 2 == 0 ? move("Mikey", tea, lobby) : move("Mikey", lobby, tea);
    });
    there.join();
    back.join();
    over = true;
    watcher.join();
    EXPECT_EQ(wrong, 0) << "so often somebody was in neither room, or in both";
}
