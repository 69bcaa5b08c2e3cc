#include "stick_room.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace bench::stick {

namespace {

constexpr std::size_t max_backlog = 1024 * 1024;  // bytes that a member may be behind before it is cut off
constexpr int batch = 512;                        // events of one turn

}  // namespace

Room::Room(int listener) : listener_(listener), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    fcntl(listener_, F_SETFL, O_NONBLOCK);
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
}

void Room::watch(int operation, int fd, std::uint32_t events) const {
    epoll_event event{.events = events, .data = {.fd = fd}};
    epoll_ctl(epoll_, operation, fd, &event);
}

Room::Member* Room::find(int fd, std::uint64_t number) const {
    Member* const member = members_[static_cast<std::size_t>(fd)].get();
    return member != nullptr && member->number == number ? member : nullptr;
}

void Room::accept_all() {
    constexpr std::string_view question = "Welcome! What is your name?\r\n";
    for (int fd; (fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        if (members_.size() <= static_cast<std::size_t>(fd)) members_.resize(static_cast<std::size_t>(fd) + 1);
        members_[fd] = std::make_unique<Member>();
        members_[fd]->fd = fd;
        members_[fd]->number = ++entered_;
        watch(EPOLL_CTL_ADD, fd, EPOLLIN);
        send(fd, question.data(), question.size(), MSG_NOSIGNAL);
    }
}

void Room::leave(Member& member) {
    if (!member.name.empty()) {
        present_[member.slot] = present_.back();
        present_[member.slot]->slot = member.slot;
        present_.pop_back();
        log_.bytes.append(member.name).append(" has left the room\r\n");
    }
    const int fd = member.fd;
    close(fd);
    members_[fd].reset();
}

void Room::enter(Member& member, std::string_view name) {
    const std::string answer = "You are in the room lobby as " + std::string(name) + ".\r\n";
    send(member.fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    log_.bytes.append(name).append(" has joined the room\r\n");
    member.name = name;
    member.place = log_.end();
    member.slot = present_.size();
    present_.push_back(&member);
}

void Room::say(std::string_view name, std::string_view line, std::string& out) {
    out.append(name).append(" says: ").append(line).append("\r\n");
}

void Room::heard(Member& member, std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!member.name.empty()) return asked_to_say(member, line);
    if (!member.has_asked) asked_to_enter(member, line);
    member.has_asked = true;
}

// All whole lines that one read has brought. False: the member is gone.
bool Room::hear(Member& member) {
    const ssize_t got = recv(member.fd, in_.data(), in_.size(), 0);
    if (got < 0 && errno == EAGAIN) return true;
    if (got <= 0) return false;
    std::string_view bytes(in_.data(), static_cast<std::size_t>(got));
    if (!member.held.empty()) bytes = member.held.append(bytes);
    std::string_view rest = bytes;
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
        heard(member, rest.substr(0, end));
        rest.remove_prefix(end + 1);
    }
    if (rest.size() >= max_line) return false;
    if (!member.held.empty() || !rest.empty()) member.held = std::string(rest);
    return true;
}

// What lies ahead of the member, as far as the kernel takes it. False: the member is gone, or too far behind.
bool Room::tell(Member& member) {
    if (member.place < log_.begin) return false;
    const std::string_view ahead = std::string_view(log_.bytes).substr(member.place - log_.begin);
    const ssize_t taken = ahead.empty() ? 0 : send(member.fd, ahead.data(), ahead.size(), MSG_NOSIGNAL);
    if (taken < 0 && errno != EAGAIN) return false;
    if (taken > 0) member.place += static_cast<std::uint64_t>(taken);
    if (const bool blocked = member.place < log_.end(); blocked != member.blocked) {
        member.blocked = blocked;
        watch(EPOLL_CTL_MOD, member.fd, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
    return true;
}

// The log's front goes when it has grown to twice what anybody may be behind: each byte is moved once at the most.
void Room::forget() {
    if (log_.bytes.size() < 2 * max_backlog) return;
    const std::size_t gone = log_.bytes.size() - max_backlog;
    log_.bytes.erase(0, gone);
    log_.begin += gone;
}

// A member that is blocked waits for its own event, unless what it waits for is gone.
void Room::tell_all() {
    for (std::size_t i = 0; i < present_.size();) {
        Member& member = *present_[i];
        const bool due = member.blocked ? member.place < log_.begin : member.place < log_.end();
        if (due && !tell(member)) {
            leave(member);
        } else {
            ++i;
        }
    }
    forget();
}

void Room::serve() {
    epoll_event events[batch];
    for (;;) {
        const int count = epoll_wait(epoll_, events, batch, -1);
        for (int i = 0; i < count; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener_) {
                accept_all();
                continue;
            }
            if (members_.size() <= static_cast<std::size_t>(fd) || !members_[fd]) {
                other_event(fd);
                continue;
            }
            Member& member = *members_[fd];
            const bool there =
                (!(events[i].events & EPOLLOUT) || tell(member)) && (!(events[i].events & ~EPOLLOUT) || hear(member));
            if (!there) leave(member);
        }
        turned();
        tell_all();
    }
}

}  // namespace bench::stick
