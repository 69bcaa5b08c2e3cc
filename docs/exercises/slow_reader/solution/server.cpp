// A ticker: what one client says goes to all of them.

#include "listening.hpp"

#include <boost/asio.hpp>

#include <array>
#include <exception>
#include <memory>
#include <set>

namespace {

namespace asio = boost::asio;

/// How far behind a member may be, in bytes, beyond what the system's buffers hold.
constexpr std::size_t max_backlog = 1 << 20;

struct Member {
    net::AsyncSocket socket;
    net::Timer news;          // the writer waits for it while there is nothing to write; cancelled when there is
    std::string backlog;      // what the writer has not sent yet
    bool is_cut_off = false;  // nothing more is sent
};

using Members = std::set<std::shared_ptr<Member>>;

/// Ends both of a member's coroutines.
void cut_off(Member& member) {
    member.is_cut_off = true;
    member.backlog = {};
    member.socket.shutdown(net::tcp::socket::shutdown_both);
    member.news.cancel();
}

void tell_all(const Members& members, std::string_view line) {
    for (const auto& member : members) {
        if (member->is_cut_off) continue;
        if (member->backlog.size() + line.size() > max_backlog) {
            cut_off(*member);
            continue;
        }
        member->backlog += line;
        member->news.cancel();
    }
}

/// Sends one member's backlog, as fast as they read.
net::awaitable<void> write_to(std::shared_ptr<Member> member) {
    while (!member->is_cut_off) {
        if (member->backlog.empty()) {
            member->news.expires_at(net::Timer::time_point::max());
            co_await member->news.async_wait(net::outcome);
            continue;
        }
        const std::array bytes{asio::const_buffer(asio::buffer(member->backlog))};
        const auto sent = member->socket.write_some(bytes);
        if (sent) {
            member->backlog.erase(0, *sent);
        } else if (sent.error() != asio::error::would_block || !co_await member->socket.writable()) {
            cut_off(*member);
        }
    }
}

/// One member: what they say goes to everybody, themselves too.
net::awaitable<void> listen_to(std::shared_ptr<Member> member, Members& members) {
    members.insert(member);
    while (const auto line = co_await member->socket.recv()) tell_all(members, *line);
    members.erase(member);
    cut_off(*member);
}

/// An exception is a mistake of ours: it is not to be swallowed.
void rethrow(const std::exception_ptr& exception) {
    if (exception) std::rethrow_exception(exception);
}

net::awaitable<void> accept_loop(asio::io_context& loop, net::Listener& listener, Members& members) {
    while (auto client = co_await listener.async_accept(loop)) {
        const auto member = std::make_shared<Member>(Member{std::move(*client), net::Timer(loop), {}, false});
        asio::co_spawn(loop, listen_to(member, members), rethrow);
        asio::co_spawn(loop, write_to(member), rethrow);
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
