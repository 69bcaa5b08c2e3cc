// The measuring stick for 05: a chat room in one thread over epoll. Everything that is said goes into one log of bytes;
// a member is a place in that log, and is sent all that lies ahead of it in one write, once in each turn of the loop.
#include "stick.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace bench::stick;

namespace {

constexpr std::size_t max_backlog = 1024 * 1024;  // bytes that a member may be behind before it is cut off
constexpr int batch = 512;                        // events of one turn

struct Member {
    int fd;
    std::string name;         // empty until it has said it
    std::string held;         // the beginning of an unfinished line, shorter than max_line
    std::uint64_t place = 0;  // in the log; everything before it was sent
    std::size_t slot = 0;     // its index in `present`
    bool blocked = false;     // the kernel took less than there was: wait for EPOLLOUT
};

// A log whose front is thrown away now and then. Places count from its beginning.
struct Log {
    std::string bytes;
    std::uint64_t begin = 0;

    std::uint64_t end() const { return begin + bytes.size(); }
};

char in[read_size];
std::vector<std::unique_ptr<Member>> members;  // by descriptor
std::vector<Member*> present;                  // those who have a name
Log room;
int epoll;

void watch(int operation, int fd, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll, operation, fd, &event);
}

void accept_all(int listener) {
    constexpr std::string_view question = "Welcome! What is your name?\r\n";
    for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        if (members.size() <= static_cast<std::size_t>(fd)) members.resize(static_cast<std::size_t>(fd) + 1);
        members[fd] = std::make_unique<Member>();
        members[fd]->fd = fd;
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
        send(fd, question.data(), question.size(), MSG_NOSIGNAL);
    }
}

void leave(Member& member) {
    if (!member.name.empty()) {
        present[member.slot] = present.back();
        present[member.slot]->slot = member.slot;
        present.pop_back();
        room.bytes.append(member.name).append(" has left the room\r\n");
    }
    const int fd = member.fd;
    close(fd);
    members[fd].reset();
}

void enter(Member& member, std::string_view name) {
    const std::string answer = "You are in the room lobby as " + std::string(name) + ".\r\n";
    send(member.fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    room.bytes.append(name).append(" has joined the room\r\n");
    member.name = name;
    member.place = room.end();
    member.slot = present.size();
    present.push_back(&member);
}

void say(Member& member, std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (member.name.empty()) return enter(member, line);
    room.bytes.append(member.name).append(" says: ").append(line).append("\r\n");
}

// All whole lines that one read has brought. False: the member is gone.
bool hear(Member& member) {
    const ssize_t got = recv(member.fd, in, sizeof in, 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    std::string_view bytes(in, static_cast<std::size_t>(got));
    if (!member.held.empty()) bytes = member.held.append(bytes);
    std::string_view rest = bytes;
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
        say(member, rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    if (rest.size() >= max_line) return false;
    if (!member.held.empty() || !rest.empty()) member.held = std::string(rest);
    return true;
}

// What lies ahead of the member, as far as the kernel takes it. False: the member is gone, or too far behind.
bool tell(Member& member) {
    if (member.place < room.begin) return false;
    const std::string_view ahead = std::string_view(room.bytes).substr(member.place - room.begin);
    const ssize_t taken = ahead.empty() ? 0 : send(member.fd, ahead.data(), ahead.size(), MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) return false;
    if (taken > 0) member.place += static_cast<std::uint64_t>(taken);
    if (const bool blocked = member.place < room.end(); blocked != member.blocked) {
        member.blocked = blocked;
        watch(EPOLL_CTL_MOD, member.fd, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
}

// The log's front goes when it has grown to twice what anybody may be behind: each byte is moved once at the most.
void forget() {
    if (room.bytes.size() < 2 * max_backlog) return;
    const std::size_t gone = room.bytes.size() - max_backlog;
    room.bytes.erase(0, gone);
    room.begin += gone;
}

// A member that is blocked waits for its own event, unless what it waits for is gone.
void tell_all() {
    for (std::size_t i = 0; i < present.size();) {
        Member& member = *present[i];
        const bool due = member.blocked ? member.place < room.begin : member.place < room.end();
        if (due && !tell(member)) {
            leave(member);
        } else {
            ++i;
        }
    }
    forget();
}

}  // namespace

int main(int argc, char** argv) {
    const int listener = start(argc, argv, "A chat room, one thread over epoll").socket;
    fcntl(listener, F_SETFL, O_NONBLOCK);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    watch(EPOLL_CTL_ADD, listener, EPOLLIN);
    epoll_event events[batch];
    for (;;) {
        const int count = epoll_wait(epoll, events, batch, -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener) {
                accept_all(listener);
                continue;
            }
            Member& member = *members[fd];
            const bool there =
                (!(events[i].events & EPOLLOUT) || tell(member)) && (!(events[i].events & ~EPOLLOUT) || hear(member));
            if (!there) leave(member);
        }
        tell_all();
    }
}
