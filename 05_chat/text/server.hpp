#pragma once

#include "05_chat/base/token_bucket.hpp"
#include "05_chat/text/arrivals.hpp"
#include "05_chat/text/backend.hpp"
#include "05_chat/text/memory_reserve.hpp"
#include "app/story.hpp"
#include "net/listener.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>

namespace chat {

/// What the text door asks of those who come.
struct SessionLimits {
    int rate = 2;                                     // --rate: lines a second; 0: no limit
    int burst = 5;                                    // --burst: lines at once
    std::chrono::milliseconds idle_timeout{900'000};  // --idle-timeout: then a question, then goodbye; 0: never
    std::size_t max_backlog = 1 << 20;                // --max-backlog: bytes of one who does not read
    std::size_t max_waiting = 64 << 20;               // --max-waiting: of all of them together
    std::chrono::milliseconds name_timeout{60'000};   // --name-timeout: for whoever has given no name yet; 0: no limit
};

/// So many may be there who have given no name yet: one more, and the oldest of them goes. A thousand who say nothing
/// must not shut the door.
inline constexpr std::size_t max_nameless = 250;

/// Descriptors that the text door leaves to the others: links, Erlang nodes, the program's own.
inline constexpr std::size_t reserved_descriptors = 64;

/// Whoever has more than this still to read is not read either.
inline constexpr std::size_t longest_unread = 64 * 1024;

/// Bytes of what one person types in one line. The room takes less (--max-line) and says so; a line over this cannot be
/// followed, and ends the connection.
inline constexpr std::size_t longest_typed = 64 * 1024;

/// How long an idle person has, after the question, to press a key; and how long somebody may read nothing while there
/// is something to be read.
std::chrono::milliseconds grace(std::chrono::milliseconds idle_timeout);

/// How long whoever leaves may take to read what they are still owed.
inline constexpr std::chrono::milliseconds farewell{2000};

/// One connection at the text door: the person behind it, and what the backend tells them.
class Session : public Participant {
public:
    Session(std::shared_ptr<Writer> writer, app::Who who, PersonId person, const std::string& lobby, Backend& backend,
            const SessionLimits& session_limits, Arrivals* arrivals);

    // server.cpp shows how these are used.
    net::AsyncSocket& socket() { return writer->socket(); }
    app::Who who() const { return who_; }
    Step open() const { return door_.open(); }
    Step typed(std::string_view line);
    /// Prints, does what is to be done, until the door has nothing more to do.
    net::awaitable<void> carry_out(Step step);
    /// The room hears that they are gone.
    net::awaitable<void> leave();
    bool is_leaving() const { return is_leaving_ || !writer->why_cut_off().empty(); }
    /// A line was read: whether they type faster than they may, or do not read, and are to wait() before the next one.
    bool is_too_fast();
    /// Over at once when they have gone.
    net::awaitable<void> wait();

    /// Looks whether they are idle at `now`, or have not given a name in time.
    void look(std::chrono::steady_clock::time_point now);
    const TextProtocol& door() const { return door_; }
    bool is_nameless() const { return !has_come_in_ && !is_leaving(); }
    /// Nameless, they go at once: others need the place.
    void make_place();
    /// The server stops: their stream ends here.
    void stop();

    void entered() override;
    void room_down(std::string_view words) override;
    void removed(std::string_view why) override;
    void rejoined(std::string_view refused) override;

private:
    void print(const Step& step) { writer->add(step.print); }
    net::awaitable<std::string> wait_to_come_in();
    void say_goodbye(const Step& step);

    app::Who who_;
    TextProtocol door_;
    Backend& backend_;
    TokenBucket bucket_;
    Arrivals* arrivals_;  // null: no limit
    net::Timer pause_;
    std::chrono::milliseconds idle_timeout_, name_timeout_;
    std::chrono::steady_clock::time_point came_;
    std::chrono::steady_clock::time_point active_;  // when they last typed something
    bool was_asked_ = false;                        // whether they are still there
    bool is_talking_ = false;                       // a submission or a question is open
    std::optional<std::string> went_down_;          // the room did, meanwhile: what they are to be told
    bool has_come_in_ = false;                      // somewhere, under a name
    bool is_leaving_ = false;
    std::optional<Step> entered_;  // what is left to do of entering a room, when they have been told that they are in
};

/// The text door: accepts people and lets each of them talk to the backend. The loop's thread only.
class TextServer {
public:
    /// `backend` and `backlog` must outlive all sessions: until the loop has ended.
    TextServer(boost::asio::io_context& loop, net::Listener listener, Backend& backend, std::string lobby,
               const SessionLimits& session_limits, Backlog& backlog, std::function<PersonId()> next_person);

    /// Beside the acceptor: looks for those who are idle, or read nothing.
    void start();
    /// Lets go of the port and of everybody; they are told. The acceptor ends.
    void stop();

    /// Those of our people who are in rooms, a line for each room, for the operator.
    std::string who_is_where() const;

    net::Listener& listener() { return listener_; }
    boost::asio::io_context& loop() { return loop_; }
    net::awaitable<void> wait(std::chrono::milliseconds time);
    /// Somebody has come: lets them in, or says why not.
    void welcome(net::AsyncSocket socket);

private:
    void look_around();
    std::string_view why_not();
    bool make_place(std::size_t nameless_allowed);

    boost::asio::io_context& loop_;
    net::Listener listener_;
    Backend& backend_;
    std::string lobby_;
    SessionLimits limits_;
    Backlog& backlog_;
    std::function<PersonId()> next_person_;
    Arrivals arrivals_;
    MemoryReserve reserve_;
    net::Timer shortage_;
    net::Timer next_look_;
    std::size_t max_sessions_;
    std::list<std::weak_ptr<Session>> sessions_;
    std::deque<std::weak_ptr<Session>> newcomers_;  // the oldest first; some of them have come in by now, or have gone
    std::uint64_t last_client_ = 0;
    bool is_stopping_ = false;
};

/// What server.cpp shows.
net::awaitable<void> hear_out(Session& session);
net::awaitable<void> session(std::shared_ptr<Session> session);
net::awaitable<void> acceptor(TextServer& server);

}  // namespace chat
