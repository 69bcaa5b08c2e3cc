#pragma once

#include "limits/limits.hpp"
#include "support/client.hpp"
#include "support/etcd.hpp"
#include "support/server.hpp"

#include <memory>
#include <vector>

/// Somebody who speaks with a stage, be it an echo or a chat.
namespace limits {

class Guest {
public:
    /// Connects, and gives a name where one is asked for. `number`: nobody else's at this server.
    Guest(std::uint16_t port, bool chats, int number);

    /// Types one line.
    void say(const std::string& words);

    /// Says something new, and waits until it is answered: by an echo, or by the room. False when nothing comes in
    /// time, or the connection ends.
    bool is_answered(std::chrono::milliseconds within);

    /// The same for whoever is the first, or alone: one whom a server that works answers. Else NotAsked.
    void begin();

    /// Waits for a line that contains `words`; what comes before is read and forgotten. The line, or nothing.
    std::string hear(const std::string& words, std::chrono::milliseconds within);

    /// Whether the server ends the connection within that time.
    bool is_ended(std::chrono::milliseconds within);

    support::Client& client() { return client_; }

private:
    support::Client client_;
    int number_;
    int said_ = 0;
};

using Guests = std::vector<std::unique_ptr<Guest>>;

/// A server to which guests come; with an etcd of its own, where it needs one.
class House {
public:
    /// NotAsked where that does not come up.
    House(const Trial& trial, const std::vector<std::string>& options, const support::Command& conditions = {});

    support::Server& server() { return server_; }
    std::unique_ptr<Guest> guest();
    Guests guests(int number);

    /// Everybody's answer, one after another.
    bool all_are_answered(const Guests& guests, std::chrono::milliseconds within_each);

private:
    std::vector<std::string> with_its_own(std::vector<std::string> options) const;

    bool chats_;
    int guests_ = 0;
    std::unique_ptr<support::Etcd> etcd_;
    support::Server server_;
};

}  // namespace limits
