// A ticker: what one client says goes to all of them.

#include "listening.hpp"

#include <boost/asio.hpp>

#include <exception>
#include <memory>
#include <set>

namespace {

namespace asio = boost::asio;

/// How far behind a member may be, in bytes, beyond what the system's buffers hold.
[[maybe_unused]] constexpr std::size_t max_backlog = 1 << 20;

struct Member {
    net::AsyncSocket socket;
};

using Members = std::set<std::shared_ptr<Member>>;

net::awaitable<void> tell_all(const Members& members, std::string line) {
    // A copy: while we wait for one, others come and go.
    const Members all = members;
    for (const auto& member : all) {
        // Here: this waits for each of them.
        member->socket.put({line});
        co_await member->socket.flush();
    }
}

/// One member: what they say goes to everybody, themselves too.
net::awaitable<void> listen_to(std::shared_ptr<Member> member, Members& members) {
    members.insert(member);
    while (const auto line = co_await member->socket.recv()) co_await tell_all(members, std::string(*line));
    members.erase(member);
    member->socket.shutdown(net::tcp::socket::shutdown_both);
}

/// An exception is a mistake of ours: it is not to be swallowed.
void rethrow(const std::exception_ptr& exception) {
    if (exception) std::rethrow_exception(exception);
}

net::awaitable<void> accept_loop(asio::io_context& loop, net::Listener& listener, Members& members) {
    while (auto client = co_await listener.async_accept(loop)) {
        const auto member = std::make_shared<Member>(Member{std::move(*client)});
        asio::co_spawn(loop, listen_to(member, members), rethrow);
    }
}

}  // namespace

int main(int argc, char** argv) {
    asio::io_context loop;
    auto listener = listen_or_exit(loop, argc, argv);
    Members members;
    asio::co_spawn(loop, accept_loop(loop, listener, members), rethrow);
    loop.run();
}
