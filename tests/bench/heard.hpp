#pragma once

#include "chat_words.hpp"
#include "stream.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// What a room has said, as the member that has heard most knows it. All others must hear the same bytes: so every line
/// comes to everybody once, and in one order. And whatever is new must be the next line of one of the senders.
///
/// Remembers what somebody has not heard yet, no more. One thread.
class Heard {
public:
    /// A member, and how far it has heard. Positions are bytes since the room's beginning.
    struct Ear {
        std::uint64_t position = 0;
        std::uint64_t lines = 0;  // whole lines before it
    };
    using Clock = std::chrono::steady_clock;

    /// `size`: of a line as the sender counts it, its "\n" included. `acknowledged`: it is done when its sender has
    /// heard it, who is the member with the same number; otherwise when all have. Senders have the numbers `first`,
    /// `first` + `step`, and so on, for there are other rooms for those in between.
    Heard(Dialect dialect, std::size_t senders, std::size_t size, bool acknowledged = false, std::size_t first = 0,
          std::size_t step = 1);

    /// One more member: all before it will hear of it, and it hears everything after that.
    Ear join(std::size_t member);
    /// One more whom the members hear of, but whom nobody waits for, and who may leave at any moment.
    void join_deaf(std::size_t member);

    /// The bytes with which the sender says its next line.
    void say(std::size_t sender, std::string& out);
    /// The sender's lines that are not done.
    std::uint64_t under_way(std::size_t sender) const { return said_[place(sender)] - complete_[place(sender)]; }

    /// A member has heard more. Returns how many said lines that completes for it, or, where lines are acknowledged,
    /// how many of its own; throws WrongAnswer if they are not what they must be. Calls `done(sender, when it was
    /// said)` for each line that is done with it.
    template <typename Done>
    std::uint64_t hear(std::size_t member, Ear& ear, std::string_view bytes, Done done);

    /// Whether the member has heard everything there was.
    bool is_up_to_date(const Ear& ear) const { return ear.lines == first_line_ + lines_.size() && to_come_ == 0; }

private:
    static constexpr std::size_t nobody = ~std::size_t{0};

    struct Line {
        std::uint64_t end;    // position after it
        std::size_t sender;   // or nobody: of somebody's coming or going
        std::size_t waiting;  // members who have not heard it
        Clock::time_point since;
    };

    std::size_t place(std::size_t sender) const { return (sender - first_) / step_; }
    void check(std::size_t member, const Ear& ear, std::string_view bytes);
    void parse(std::size_t member);
    void parse_said(std::size_t member, std::string_view line);
    void parse_left(std::size_t member, std::string_view line);
    std::string text(std::size_t sender, std::uint64_t number);
    void forget();

    Dialect dialect_;
    bool acknowledged_;
    std::size_t first_;
    std::size_t step_;
    Stream stream_;
    std::size_t text_size_;
    std::size_t line_size_;  // of a line that is said, as it is heard
    std::size_t members_ = 0;
    std::vector<std::size_t> deaf_;                     // who are still there
    std::vector<std::uint64_t> said_;                   // by sender's place: lines, so far
    std::vector<std::uint64_t> heard_;                  // of those, heard by anybody
    std::vector<std::uint64_t> complete_;               // and done
    std::vector<std::deque<Clock::time_point>> since_;  // when those were said that nobody has heard yet
    std::uint64_t to_come_ = 0;                         // lines said that nobody has heard

    std::string bytes_;  // from begin_ on
    std::uint64_t begin_ = 0;
    std::uint64_t parsed_ = 0;  // up to this position they are whole lines
    std::uint64_t passed_ = 0;  // everybody has heard what is before this position
    std::deque<Line> lines_;    // that end after passed_; the first is number first_line_
    std::uint64_t first_line_ = 0;
};

template <typename Done>
std::uint64_t Heard::hear(std::size_t member, Ear& ear, std::string_view bytes, Done done) {
    check(member, ear, bytes);
    ear.position += bytes.size();
    std::uint64_t count = 0;
    for (; ear.lines < first_line_ + lines_.size(); ++ear.lines) {
        Line& line = lines_[ear.lines - first_line_];
        if (line.end > ear.position) break;
        const bool is_last = --line.waiting == 0;
        if (line.sender == nobody) continue;
        const bool is_done = acknowledged_ ? line.sender == member : is_last;
        if (is_done || !acknowledged_) ++count;
        if (!is_done) continue;
        ++complete_[place(line.sender)];
        done(line.sender, line.since);
    }
    forget();
    return count;
}

}  // namespace bench
