#pragma once

#include "05_chat/token_bucket.hpp"
#include "05_chat/venue.hpp"
#include "app/story.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>

namespace chat {

/// What the text door asks of those who come.
struct Manners {
    int rate = 2;                                     // --rate: lines a second; 0: no limit
    int burst = 5;                                    // --burst: lines at once
    std::chrono::milliseconds idle_timeout{900'000};  // --idle-timeout: then a question, then goodbye; 0: never
    std::size_t max_backlog = 1 << 20;                // --max-backlog: bytes of one who does not read
};

/// Bytes of what one person types in one line. The room takes less (--max-line) and says so; a line over this cannot be
/// followed, and ends the connection.
inline constexpr std::size_t longest_typed = 64 * 1024;

/// How long an idle person has, after the question, to press a key.
std::chrono::milliseconds grace(std::chrono::milliseconds idle_timeout);

/// How long whoever leaves may take to read what he is still owed.
inline constexpr std::chrono::milliseconds farewell{2000};

/// One connection at the text door: the person behind it, and what the venue tells him.
class Visit : public Visitor {
public:
    Visit(std::shared_ptr<Wire> wire, app::Who who, PersonId person, const std::string& lobby, Venue& venue,
          const Manners& manners);

    // server.cpp shows how these are used.
    net::Socket& socket() { return wire->socket(); }
    app::Who who() const { return who_; }
    Step open() const { return door_.open(); }
    Step typed(std::string_view line) { return door_.line(line); }
    /// Prints, does what is to be done, until the door has nothing more to do.
    net::awaitable<void> carry_out(Step step);
    /// The room hears that he is gone.
    net::awaitable<void> leave();
    bool is_leaving() const { return is_leaving_ || !wire->why_cut_off().empty(); }
    /// A line was read: whether he types faster than he may, and is to pause() before the next one.
    bool is_too_fast();
    net::awaitable<void> pause();

    /// Looks whether he is idle at `now`.
    void look(std::chrono::steady_clock::time_point now);
    /// The server stops: his stream ends here.
    void stop();

    void entered() override;
    void room_down(std::string_view words) override;
    void removed(std::string_view why) override;
    void rejoined(std::string_view refused) override;

private:
    void print(const Step& step) { wire->add(step.print); }

    app::Who who_;
    TextDoor door_;
    Venue& venue_;
    TokenBucket bucket_;
    net::Timer pause_;
    std::chrono::milliseconds idle_timeout_;
    std::chrono::steady_clock::time_point active_;  // when he last typed something
    bool was_asked_ = false;                        // whether he is still there
    bool is_talking_ = false;                       // a submission or a question is open
    std::optional<std::string> went_down_;          // the room did, meanwhile: what they are to be told
    bool is_leaving_ = false;
    std::optional<Step> entered_;  // what is left to do of entering a room, when he has been told that he is in
};

/// The text door: accepts people and lets each of them talk to the venue. The loop's thread only.
class TextServer {
public:
    /// `venue` must outlive all visits: until the loop has ended.
    TextServer(boost::asio::io_context& loop, net::Listener listener, Venue& venue, std::string lobby,
               const Manners& manners, std::function<PersonId()> next_person);

    /// Beside the acceptor: looks for those who are idle.
    void start();
    /// Lets go of the port and of everybody; they are told. The acceptor ends.
    void stop();

    net::Listener& listener() { return listener_; }
    boost::asio::io_context& loop() { return loop_; }
    net::awaitable<void> wait(std::chrono::milliseconds time);
    void welcome(net::Socket socket);

private:
    void look_for_idle();

    boost::asio::io_context& loop_;
    net::Listener listener_;
    Venue& venue_;
    std::string lobby_;
    Manners manners_;
    std::function<PersonId()> next_person_;
    net::Timer shortage_;
    net::Timer idle_;
    std::list<std::weak_ptr<Visit>> visits_;
    std::uint64_t last_client_ = 0;
    bool is_stopping_ = false;
};

/// What server.cpp shows.
net::awaitable<void> hear_out(Visit& visit);
net::awaitable<void> session(std::shared_ptr<Visit> visit);
net::awaitable<void> acceptor(TextServer& server);

}  // namespace chat
