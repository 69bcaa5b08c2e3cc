#include "05_chat/text/server.hpp"

#include "05_chat/room/listing.hpp"
#include "app/events.hpp"

#include <boost/asio.hpp>

#include <algorithm>
#include <map>

#include <sys/resource.h>

namespace chat {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

namespace {

/// The server looks at its sessions this often within the shortest of their timeouts, so each is kept to an eighth.
constexpr int looks_a_timeout = 8;
constexpr std::chrono::milliseconds shortest_look{1};
constexpr std::chrono::milliseconds longest_look{1000};

/// How many descriptors this process may have.
std::size_t max_descriptors() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

}  // namespace

TextServer::TextServer(asio::io_context& loop, net::Listener listener, Backend& backend, std::string lobby,
                       const SessionLimits& limits, Backlog& backlog, std::function<PersonId()> next_person)
    : loop_(loop),
      listener_(std::move(listener)),
      backend_(backend),
      lobby_(std::move(lobby)),
      limits_(limits),
      backlog_(backlog),
      next_person_(std::move(next_person)),
      reserve_(loop.get_executor(), [this] { backlog_.cut_off_since(Clock::now()); }),
      next_look_(loop),
      max_sessions_(max_descriptors() - std::min(reserved_descriptors, max_descriptors() / 2)),
      stopped_(loop.get_executor()) {
    look_around();
}

void TextServer::welcome(net::AsyncSocket socket) {
    const app::Who who{"handler", ++last_client_};
    if (const auto free = has_a_place(); !free) {
        app::tell_rejected(who, socket, free.error().words);
        return socket.refuse(free.error().words);
    }
    app::tell_serves(who, socket);
    const PersonId person = next_person_();
    auto writer = std::make_shared<Writer>(std::move(socket), person, backlog_);
    auto session = std::make_shared<Session>(std::move(writer), who, person, lobby_, backend_, limits_,
                                             limits_.rate > 0 ? &arrivals_ : nullptr);
    make_place(max_nameless - 1);
    newcomers_.push_back(session);
    sessions_.push_back(session);
    asio::co_spawn(loop_, serve(std::move(session)),
                   [this, who, place = std::prev(sessions_.end())](const std::exception_ptr& crash) {
                       app::tell_crash(who, crash);
                       sessions_.erase(place);
                       if (sessions_.empty() && left_) std::exchange(left_, {})();
                   });
}

/// Whether somebody else can be let in.
result<void, Why> TextServer::has_a_place() {
    if (!reserve_.is_there()) return because("the server is short of memory: try again later");
    if (sessions_.size() >= max_sessions_ && !make_place(0)) {
        return because("the server has no place left: try again later");
    }
    return {};
}

/// Where more than so many sessions are nameless, ends the oldest of them; returns whether it did.
bool TextServer::make_place(std::size_t nameless_allowed) {
    if (newcomers_.size() <= nameless_allowed) return false;
    std::erase_if(newcomers_, [](const std::weak_ptr<Session>& entry) {
        const auto session = entry.lock();
        return !session || !session->is_nameless();
    });
    if (newcomers_.size() <= nameless_allowed) return false;
    newcomers_.front().lock()->give_up_place();
    newcomers_.pop_front();
    return true;
}

void TextServer::stop() {
    if (std::exchange(is_stopping_, true)) return;
    if (!is_retired_) app::tell({"server"}, app::events::stops_accepting);
    listener_.close();
    next_look_.cancel();
    patience_.reset();
    stopped_.notify();
    say_goodbye();
}

void TextServer::say_goodbye() {
    for (const auto& entry : sessions_) {
        if (const auto session = entry.lock()) session->stop();
    }
}

void TextServer::retire(std::chrono::milliseconds patience, std::function<void()> left) {
    if (is_stopping_ || std::exchange(is_retired_, true)) return;
    app::tell({"server"}, app::events::drains);
    listener_.close();
    if (sessions_.empty()) return left();
    left_ = std::move(left);
    patience_.emplace(loop_.get_executor(), patience, [this] { say_goodbye(); });
}

void TextServer::tell_who_is_behind() {
    for (const auto& entry : sessions_) {
        if (const auto session = entry.lock()) session->tell_lag(backlog_.max_backlog());
    }
}

std::string TextServer::who_is_where() const {
    std::map<std::string, Listing> rooms;
    for (const auto& entry : sessions_) {
        const auto session = entry.lock();
        if (session && !session->protocol().room().empty())
            rooms[session->protocol().room()].add(session->protocol().name());
    }
    std::string lines;
    for (const auto& [room, names] : rooms) lines += "    room " + room + ": " + names.text() + "\n";
    return lines;
}

/// Looks at all sessions now and then. A timer for each session would have to be set again for each line.
void TextServer::look_around() {
    const auto now = Clock::now();
    const auto patience = grace(limits_.idle_timeout);
    for (const auto& entry : sessions_) {
        if (const auto session = entry.lock()) session->check_idle(now);
    }
    backlog_.cut_off_since(now - patience);
    reserve_.take_back();
    const auto shortest = limits_.name_timeout.count() > 0 ? std::min(patience, limits_.name_timeout) : patience;
    next_look_.expires_after(std::clamp(shortest / looks_a_timeout, shortest_look, longest_look));
    next_look_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled && !is_stopping_) look_around();
    });
}

}  // namespace chat
