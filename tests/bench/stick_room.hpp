#pragma once

#include "stick.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench::stick {

/// A chat room in one thread over epoll. Everything that is said goes into one log of bytes; a member is a place in
/// that log, and is sent all that lies ahead of it in one write, once in each turn of the loop.
class Room {
public:
    struct Member {
        int fd;
        std::uint64_t number;     // which no other member ever has
        std::string name;         // empty until it is in
        std::string held;         // the beginning of an unfinished line, shorter than max_line
        std::uint64_t place = 0;  // in the log; everything before it was sent
        std::size_t slot = 0;     // its index in `present_`
        bool has_asked = false;   // to come in
        bool blocked = false;     // the kernel took less than there was: wait for EPOLLOUT
    };

    explicit Room(int listener);
    virtual ~Room() = default;
    [[noreturn]] void serve();

protected:
    /// Somebody has said their name, or a line. The room does it at once.
    virtual void asked_to_enter(Member& member, std::string_view name) { enter(member, name); }
    virtual void asked_to_say(Member& member, std::string_view line) { say(member.name, line, log_.bytes); }
    /// Something has come on a descriptor that is no member's.
    virtual void other_event(int) {}
    /// At the end of a turn, before the members are told.
    virtual void turned() {}

    void watch(int operation, int fd, std::uint32_t events) const;
    /// The member with this descriptor, if it is still the same.
    Member* find(int fd, std::uint64_t number) const;
    void enter(Member& member, std::string_view name);
    void append(std::string_view bytes) { log_.bytes += bytes; }
    static void say(std::string_view name, std::string_view line, std::string& out);

private:
    // A log whose front is thrown away now and then. Places count from its beginning.
    struct Log {
        std::string bytes;
        std::uint64_t begin = 0;

        std::uint64_t end() const { return begin + bytes.size(); }
    };

    void accept_all();
    void leave(Member& member);
    void heard(Member& member, std::string_view line);
    bool hear(Member& member);
    bool tell(Member& member);
    void tell_all();
    void forget();

    int listener_;
    int epoll_;
    std::string in_ = std::string(read_size, '\0');
    std::vector<std::unique_ptr<Member>> members_;  // by descriptor
    std::vector<Member*> present_;                  // those who have a name
    std::uint64_t entered_ = 0;                     // how many have ever come
    Log log_;
};

}  // namespace bench::stick
