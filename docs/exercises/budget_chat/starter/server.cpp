// A chat room: one loop, a coroutine for each member.

#include "listening.hpp"

#include <boost/asio.hpp>

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

/// One member, from their first line to their last.
net::awaitable<void> visit(net::AsyncSocket socket, Room& room) {
    // Here: so far it speaks the original's dialect, from here to the end of this function.
    const auto first = co_await socket.recv();
    if (!first) co_return;
    Member member{socket, without_end(*first)};
    tell_others(room, &member, member.name + " has joined the room");
    room.insert(&member);
    while (const auto line = co_await socket.recv()) {
        tell_others(room, nullptr, member.name + " says: " + without_end(*line));
    }
    room.erase(&member);
    tell_others(room, &member, member.name + " has left the room");
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
