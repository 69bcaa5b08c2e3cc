#pragma once

#include "05_chat/base/lag.hpp"
#include "05_chat/base/token_bucket.hpp"
#include "05_chat/engine/backend.hpp"
#include "05_chat/text/arrivals.hpp"
#include "05_chat/text/protocol.hpp"
#include "app/story.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace chat {

/// The limits of a session.
struct SessionLimits {
    int rate = 2;                                     // --rate: lines a second; 0: no limit
    int burst = 5;                                    // --burst: lines at once
    std::chrono::milliseconds idle_timeout{900'000};  // --idle-timeout: then a question, then goodbye; 0: never
    std::chrono::milliseconds name_timeout{60'000};   // --name-timeout: as long as no name is given; 0: no limit
};

/// A session with more bytes than this still to be written is not read.
inline constexpr std::size_t longest_unread = 64 * 1024;

/// Bytes of one line as it is typed. The room takes less (--max-line) and says so. A longer line ends the connection,
/// because nobody knows where the next one begins.
inline constexpr std::size_t longest_typed = 64 * 1024;

/// After the question whether they are there, idle people have this long to press a key. For the same time a peer may
/// read nothing while something waits for it.
std::chrono::milliseconds grace(std::chrono::milliseconds idle_timeout);

/// How long people who leave may take to read what they are owed.
inline constexpr std::chrono::milliseconds farewell{2000};

/// One connection at the text door, and the participant behind it. The loop's thread only.
class Session : public Participant {
public:
    /// `arrivals` may be null: no limit.
    Session(std::shared_ptr<Writer> writer, app::Who who, PersonId person, const std::string& lobby, Backend& backend,
            const SessionLimits& limits, Arrivals* arrivals);

    // server.cpp shows how these are used.

    net::AsyncSocket& socket() { return writer->socket(); }
    app::Who who() const { return who_; }
    TextProtocol& protocol() { return protocol_; }
    Backend& backend() { return backend_; }
    /// With --faults, obeys a fault command. True: the line is dealt with, and not for the protocol.
    bool obeys(std::string_view line);
    /// Prints the step. True: the step asks the backend for something; call outcome() or answered() when it has
    /// answered.
    bool begin(const Step& step);
    /// They have been in no room yet. Everybody hears of newcomers, so they come in one after the other.
    bool is_new() const { return !has_come_in_; }
    net::awaitable<result<void, Why>> wait_to_come_in();
    /// The backend has carried out a submission, or answered a question: what is to be done next.
    Step outcome(const Submission& submission, const result<void, Why>& outcome);
    Step answered(const result<std::string, Why>& answer);
    /// The room hears that they are gone. What throws is told, and they are forgotten all the same.
    net::awaitable<void> leave();
    bool is_leaving() const { return is_leaving_ || !writer->why_cut_off().empty(); }
    /// A line was read, so they are there. Whether they must wait() before the next one: they type faster than they
    /// may, or do not read.
    bool is_too_fast();
    /// Comes back early when they have gone.
    net::awaitable<void> wait();

    // For the server.

    const TextProtocol& protocol() const { return protocol_; }
    /// They have never been in a room, and are not on their way out.
    bool is_nameless() const { return !has_come_in_ && !is_leaving(); }
    /// Sends them away where they have been idle, or nameless, for too long at `now`.
    void check_idle(std::chrono::steady_clock::time_point now);
    /// See Door::tell_who_is_behind().
    void tell_lag(std::size_t most) { lag_.tell(who_, writer->behind(), most); }
    /// Sends them away at once: others need the place.
    void give_up_place();
    /// Sends them away: the server stops.
    void stop();

    // For the backend.

    void tell(std::string_view line) override { writer->add(std::string(line) + std::string(line_end)); }
    void entered() override;
    void room_down(std::string_view words, bool is_kept) override;
    void removed(std::string_view why) override;
    void rejoined(const result<void, Why>& outcome) override;

private:
    struct Down {
        std::string words;
        bool is_kept;
    };
    void print(const Step& step) { writer->add(step.print); }
    Step done();
    void go_down(const Down& down);
    void say_goodbye(const Step& step);

    app::Who who_;
    TextProtocol protocol_;
    Backend& backend_;
    SessionLimits limits_;
    TokenBucket bucket_;
    Arrivals* arrivals_;
    net::Timer pause_;
    Lag lag_;
    std::chrono::steady_clock::time_point came_;
    std::chrono::steady_clock::time_point active_;  // when they last typed something
    bool was_asked_ = false;                        // whether they are still there
    bool is_waiting_ = false;                       // for the backend's answer
    std::optional<Step> entered_;                   // meanwhile they entered the room; what is left to be done of it
    std::optional<Down> went_down_;                 // meanwhile the room went down, which the protocol is to know
    bool has_come_in_ = false;                      // they have been in a room
    bool is_leaving_ = false;
};

}  // namespace chat
