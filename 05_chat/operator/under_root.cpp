#include "05_chat/operator/under_root.hpp"

#include "04_supervised/process/worker_process.hpp"

#include <boost/asio.hpp>

#include <csignal>
#include <cstdlib>
#include <future>
#include <sstream>

namespace chat {

namespace asio = boost::asio;
using process::Message;

namespace {

/// Each line one step further to the right: it stands below a worker, which stands below the root.
std::string indented(const std::string& lines) {
    std::istringstream in(lines);
    std::string out;
    for (std::string line; std::getline(in, line);) out += "    " + line + "\n";
    return out;
}

}  // namespace

UnderRoot::UnderRoot(asio::io_context& loop, const Settings& settings)
    : loop_(loop),
      listener_(process::adopt_listener(loop, settings.socket)),
      is_up_(settings.again),
      may_accept_(loop.get_executor()),
      root_(root_loop_, process::Descriptor(process::channel_descriptor)),
      sigterm_(root_loop_, SIGTERM) {
    wait_for_sigterm();
    process::become_worker(settings.name);
    root_.start([this](const Message& message) { in_loop([this, message] { receive(message); }); },
                [] { std::_Exit(EXIT_FAILURE); });
    if (is_up_) root_.send(Message::Kind::ready);
    thread_ = std::thread([this] { root_loop_.run(); });
}

UnderRoot::~UnderRoot() {
    root_loop_.stop();
    thread_.join();
}

void UnderRoot::last_words(const std::string& why) {
    std::promise<void> sent;
    asio::post(root_loop_, [&] {
        root_.send(Message::Kind::fails, why);
        sent.set_value();
    });
    sent.get_future().wait();
}

net::awaitable<void> UnderRoot::ready(const net::Listener&) {
    if (!std::exchange(is_up_, true)) send(Message::Kind::ready);
    co_await may_accept_.notified();
}

void UnderRoot::obey(Orders orders) {
    orders_ = std::move(orders);
}

void UnderRoot::nobody_is_left() {
    send(Message::Kind::drained);
}

int UnderRoot::exit_status() const {
    return process::exit_shutdown;
}

// ---- what the root says ---------------------------------------------------------------------------------------------

void UnderRoot::receive(const Message& message) {
    switch (message.kind) {
        case Message::Kind::start_accepting: return may_accept_.notify();
        case Message::Kind::heartbeat: return send(Message::Kind::alive);
        case Message::Kind::stop: return stop();
        case Message::Kind::retire: return retire();
        case Message::Kind::get_tree:
            return send(Message::Kind::tree, orders_ ? indented(orders_->tree()) : indented("    comes up\n"));
        case Message::Kind::ready:
        case Message::Kind::alive:
        case Message::Kind::drained:
        case Message::Kind::tree:
        case Message::Kind::changed:
        case Message::Kind::fails: return;  // only workers say this
    }
}

void UnderRoot::wait_for_sigterm() {
    sigterm_.async_wait([this](boost::system::error_code, int) { in_loop([this] { stop(); }); });
}

void UnderRoot::stop() {
    if (is_ending_) return;
    if (!orders_) std::_Exit(process::exit_shutdown);  // nobody was let in yet
    orders_->stop();
}

void UnderRoot::retire() {
    if (is_ending_) return;
    if (!orders_) return nobody_is_left();
    orders_->retire();
}

void UnderRoot::send(Message::Kind kind, std::string text) {
    asio::post(root_loop_, [this, kind, text = std::move(text)] { root_.send(kind, text); });
}

void UnderRoot::in_loop(std::function<void()> what) {
    asio::post(loop_, std::move(what));
}

}  // namespace chat
