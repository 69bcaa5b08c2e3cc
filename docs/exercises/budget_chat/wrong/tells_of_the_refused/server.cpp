// Wrong: whoever is refused was never in the room, and yet the others hear that they leave.
// A chat room: one loop, a coroutine for each member.

#include "listening.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <set>
#include <string>
#include <string_view>

namespace {

namespace asio = boost::asio;

struct Member {
    net::AsyncSocket& socket;
    std::string name;
};

/// Those who have said their names.
using Room = std::set<Member*>;

/// A line for one. Waits for nobody: for whom the system's buffer is full, the chat is over.
void tell(net::AsyncSocket& socket, std::string line) {
    line += '\n';
    const std::array bytes{asio::const_buffer(asio::buffer(line))};
    const auto sent = socket.write_some(bytes);
    if (!sent || *sent < line.size()) socket.shutdown(net::tcp::socket::shutdown_both);
}

void tell_others(const Room& room, const Member* who, const std::string& line) {
    for (const Member* const member : room) {
        if (member != who) tell(member->socket, line);
    }
}

std::string without_end(std::string_view line) {
    return std::string(line.substr(0, line.find_last_not_of("\r\n") + 1));
}

/// Bytes. The dialect demands 16; without a bound a name could be as long as a line.
constexpr std::size_t max_name = 32;

/// ASCII letters and digits, whatever the locale says: nobody can look like one of the server's own lines.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= max_name && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

std::string names_of(const Room& room) {
    std::string names;
    for (const Member* const member : room) names += (names.empty() ? "" : ", ") + member->name;
    return names;
}

/// One member, from the question for their name to their last line.
net::awaitable<void> visit(net::AsyncSocket socket, Room& room) {
    tell(socket, "Welcome! What is your name?");
    const auto first = co_await socket.recv();
    if (!first) co_return;
    Member member{socket, without_end(*first)};
    if (!is_name(member.name)) {
        tell(socket, "A name has letters and digits only, and at most 32 of them.");
        tell_others(room, &member, "* " + member.name + " has left the room");
        co_return;
    }
    tell(socket, "* The room contains: " + names_of(room));
    tell_others(room, &member, "* " + member.name + " has entered the room");
    room.insert(&member);
    while (const auto line = co_await socket.recv()) {
        tell_others(room, &member, "[" + member.name + "] " + without_end(*line));
    }
    room.erase(&member);
    tell_others(room, &member, "* " + member.name + " has left the room");
}

/// An exception is a mistake of ours: it is not to be swallowed.
void rethrow(const std::exception_ptr& exception) {
    if (exception) std::rethrow_exception(exception);
}

net::awaitable<void> accept_loop(asio::io_context& loop, net::Listener& listener, Room& room) {
    while (auto client = co_await listener.async_accept(loop)) {
        asio::co_spawn(loop, visit(std::move(*client), room), rethrow);
    }
}

}  // namespace

int main(int argc, char** argv) {
    asio::io_context loop;
    auto listener = listen_or_exit(loop, argc, argv);
    Room room;
    asio::co_spawn(loop, accept_loop(loop, listener, room), rethrow);
    loop.run();
}
