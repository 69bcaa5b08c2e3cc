// A chat room that makes one mistake, so that the tests see the load notice it.
#include "stick.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include <string>
#include <vector>

using namespace bench;

namespace {

constexpr std::size_t victim = 1;  // the member whom most mistakes happen to

struct Member {
    int socket;
    std::string name, received;
};

class Room {
public:
    Room(std::string mistake, std::size_t at) : mistake_(std::move(mistake)), at_(at) {}

    void enter(int socket) {
        members_.push_back({socket, {}, {}});
        tell(members_.back(), "Welcome! What is your name?\r\n");
    }
    // False: the member has left.
    bool hear(std::size_t index) {
        char bytes[4096];
        const ssize_t got = recv(members_[index].socket, bytes, sizeof bytes, 0);
        if (got <= 0) return false;
        std::string& received = members_[index].received;
        received.append(bytes, static_cast<std::size_t>(got));
        for (std::size_t end; (end = received.find('\n')) != received.npos;) {
            const std::string line = received.substr(0, end);
            received.erase(0, end + 1);
            if (members_[index].name.empty()) {
                join(index, line);
            } else {
                say(members_[index].name + " says: " + line + "\r\n");
            }
        }
        return true;
    }
    void leave(std::size_t index) {
        if (mistake_ == "extra" && index + 1 == members_.size())
            tell(members_[index], "m000000 says: and one more\r\n");
        close(members_[index].socket);
        members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(index));
    }
    std::vector<pollfd> sockets(int listener) const {
        std::vector<pollfd> all{{listener, POLLIN, 0}};
        for (const Member& member : members_) all.push_back({member.socket, POLLIN, 0});
        return all;
    }

private:
    static void tell(const Member& member, const std::string& bytes) {
        send(member.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    void join(std::size_t index, const std::string& name) {
        for (const Member& other : members_) {
            if (!other.name.empty()) tell(other, name + " has joined the room\r\n");
        }
        members_[index].name = name;
        tell(members_[index], "You are in the room lobby as " + name + ".\r\n");
    }
    void say(const std::string& line) {
        const bool now = said_++ == at_;
        if (now && mistake_ == "news") {
            for (const Member& member : members_) tell(member, "The rooms wait for etcd.\r\n");
        }
        if (now && mistake_ == "swap for all") {
            held_ = line;
            return;
        }
        for (std::size_t i = 0; i < members_.size(); ++i) {
            const bool other_way = i == victim || mistake_ == "change for all";
            tell(members_[i], now && other_way ? wrong(line) : line);
            if (i == victim && !now && mistake_ == "swap") tell(members_[i], std::exchange(held_, {}));
        }
        if (mistake_ != "swap for all" || held_.empty()) return;
        for (const Member& member : members_) tell(member, held_);
        held_.clear();
    }
    std::string wrong(std::string line) {
        if (mistake_ == "drop") line.clear();
        if (mistake_ == "double") line += line;
        if (mistake_.starts_with("change")) line[line.size() / 2] ^= 1;
        if (mistake_ == "swap") held_.swap(line);
        return line;
    }

    std::string mistake_;
    std::size_t at_;  // the line it happens at, counted from 0
    std::size_t said_ = 0;
    std::string held_;  // a line that is told later
    std::vector<Member> members_;
};

}  // namespace

int main(int argc, char** argv) {
    std::string mistake = "none";
    std::size_t at = 5;
    CLI::App app;
    app.allow_extras();  // --port, which is read by the sticks' own code
    app.add_option("--mistake", mistake);
    app.add_option("--at", at);
    CLI11_PARSE(app, argc, argv);
    std::vector<std::string> rest = app.remaining();
    std::vector<char*> arguments{argv[0]};
    for (std::string& word : rest) arguments.push_back(word.data());
    const int listener = stick::start(static_cast<int>(arguments.size()), arguments.data(), "wrong").socket;
    Room room(mistake, at);
    for (;;) {
        auto sockets = room.sockets(listener);
        poll(sockets.data(), sockets.size(), -1);
        for (std::size_t i = sockets.size(); --i > 0;) {
            if (sockets[i].revents != 0 && !room.hear(i - 1)) room.leave(i - 1);
        }
        if (sockets[0].revents != 0) room.enter(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
    }
}
