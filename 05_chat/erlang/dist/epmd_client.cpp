#include "05_chat/erlang/dist/epmd_client.hpp"

#include "05_chat/erlang/dist/epmd.hpp"
#include "05_chat/erlang/dist/identity.hpp"
#include "app/events.hpp"

#include <boost/asio.hpp>

namespace erlang {

namespace {

namespace asio = boost::asio;
namespace events = app::events;
constexpr app::Who us{"server"};

net::awaitable<net::result<net::AsyncSocket>> connect(asio::io_context& loop, std::string host) {
    net::SocketOptions raw;
    raw.packet = net::Packet::raw;
    return net::async_connect(loop, std::move(host), epmd_port(), raw, epmd_patience);
}

/// Sends a request and reads until `read` says that the answer is whole.
template <class Read>
net::awaitable<decltype(std::declval<Read>()(std::string_view()))> exchange(net::AsyncSocket& socket,
                                                                            std::string request, Read read) {
    const chat::Deadline deadline(socket.executor(), epmd_patience,
                                  [&socket] { socket.shutdown(net::tcp::socket::shutdown_both); });
    socket.put({request});
    std::string answer;
    auto result = read(answer);
    if (!co_await socket.flush()) co_return result;
    while (result.answer == epmd::Answer::incomplete && answer.size() <= epmd::max_answer) {
        auto packets = co_await socket.recv_all();
        if (!packets) break;
        for (const auto bytes : *packets) answer += bytes;
        result = read(answer);
    }
    co_return result;
}

}  // namespace

net::awaitable<chat::result<std::uint16_t, chat::Why>> find_node(asio::io_context& loop, std::string host,
                                                                 std::string name) {
    auto socket = co_await connect(loop, host);
    if (!socket) {
        co_return chat::because("no epmd at " + net::host_and_port(host, epmd_port()) + " (" +
                                net::reason(socket.error()) + "); a port after the node's name needs none");
    }
    const auto found = co_await exchange(*socket, epmd::lookup_request(name), epmd::read_found);
    if (found.answer == epmd::Answer::no) co_return chat::because("the epmd of " + host + " knows no node " + name);
    if (found.answer != epmd::Answer::yes) co_return chat::because("the epmd of " + host + " does not answer");
    if (!found.speaks_version_6) co_return chat::because("the node " + name + " is older than OTP 23");
    co_return found.port;
}

EpmdRegistration::EpmdRegistration(asio::io_context& loop, std::string name, std::uint16_t port)
    : loop_(loop), name_(std::move(name)), port_(port), again_(loop) {}

void EpmdRegistration::start() {
    if (!connection_) app::tell(us, events::is_unknown_to_epmd, why_unknown_);
    asio::co_spawn(loop_, stay_known(), [](const std::exception_ptr& crash) { app::tell_crash(us, crash); });
}

void EpmdRegistration::stop() {
    is_stopping_ = true;
    again_.cancel();
    if (connection_) connection_->shutdown(net::tcp::socket::shutdown_both);
}

net::awaitable<EpmdRegistration::Outcome> EpmdRegistration::try_once() {
    auto socket = co_await connect(loop_, "127.0.0.1");
    const std::string port = std::to_string(epmd_port());
    why_unknown_ = "port " + port + " does not answer as epmd would";
    if (socket.error() == boost::system::errc::connection_refused) why_unknown_ = "there is none on port " + port;
    if (!socket) co_return Outcome::unknown;
    const auto answer = co_await exchange(*socket, epmd::register_request(name_, port_), epmd::read_registered);
    if (answer.answer == epmd::Answer::no) co_return Outcome::name_taken;
    if (answer.answer != epmd::Answer::yes) co_return Outcome::unknown;
    connection_.emplace(std::move(*socket));
    co_return Outcome::known;
}

/// Waits as long as epmd lives, which says nothing more.
net::awaitable<void> EpmdRegistration::stay_connected() {
    app::tell(us, events::is_known_to_epmd, epmd_port());
    for (bool is_there = true; is_there;) {
        const auto packets = co_await connection_->recv_all();
        is_there = packets.has_value();
    }
    connection_.reset();
}

net::awaitable<void> EpmdRegistration::stay_known() {
    while (!is_stopping_) {
        if (connection_) {
            co_await stay_connected();
            if (is_stopping_) co_return;
            app::tell(us, events::is_unknown_to_epmd, "epmd has gone");
        }
        again_.expires_after(epmd_patience);
        co_await again_.async_wait(net::outcome);
        if (is_stopping_) co_return;
        const Outcome outcome = co_await try_once();
        if (outcome == Outcome::name_taken) {
            app::tell_seldom(us, events::is_unknown_to_epmd, "the name is taken");
        }
    }
    connection_.reset();
}

}  // namespace erlang
