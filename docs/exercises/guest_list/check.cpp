// Four threads come and go, under one name and under many, while a fifth looks.

#include "guests.hpp"

#include "checking.hpp"

#include <vector>

using namespace checking;
using namespace std::chrono_literals;

namespace {

constexpr int clients = 4;
constexpr std::size_t most = 2;

/// What all clients do for a while. A gap is only seen by whoever comes in the one wrong moment.
template <class Body>
void all_at_once(Body body) {
    std::vector<std::thread> threads;
    for (int client = 0; client < clients; ++client) {
        threads.emplace_back([body, client] {
            const auto until = std::chrono::steady_clock::now() + 700ms;
            while (std::chrono::steady_clock::now() < until) body("client " + shown(client));
        });
    }
    for (auto& thread : threads) thread.join();
}

}  // namespace

int main() {
    step("one after the other", [] {
        Guests guests(most);
        must_be("whether Ann may come in", guests.enter("Ann"), true);
        must_be("whether another Ann may", guests.enter("Ann"), false);
        must_be("whether Ben may", guests.enter("Ben"), true);
        must_be("whether Carla may, where two are allowed", guests.enter("Carla"), false);
        guests.leave("Ann");
        must_be("whether Carla may, when Ann has left", guests.enter("Carla"), true);
        must_be("who is here", guests.names(), std::set<std::string>{"Ben", "Carla"});
    });
    step("four threads want the same name", [] {
        Guests guests(most);
        std::atomic<int> holders = 0;
        all_at_once([&](const std::string&) {
            if (!guests.enter("Ann")) return;
            if (const int now = ++holders; now != 1) {
                wrong("that one of them is Ann at any time", shown(now) + " were Ann at the same time",
                      "The question and the answer are one step: take the lock before, and keep it until after.");
            }
            --holders;
            guests.leave("Ann");
        });
    });
    step("somebody looks while others come and go", [] {
        Guests guests(most);
        std::atomic<bool> over = false;
        std::thread watcher([&] {
            while (!over) {
                const auto here = guests.names();
                if (here.size() > most) {
                    wrong("two people at most", shown(here), "To count and to come in is one step.");
                }
            }
        });
        all_at_once([&](const std::string& name) {
            if (guests.enter(name)) guests.leave(name);
        });
        over = true;
        watcher.join();
        must_be("who is here in the end", guests.names(), std::set<std::string>{});
    });
}
