#pragma once

#include "support/process.hpp"

#include <string_view>

namespace support {

/// A terminal with a program in it, and a person before it: what is typed goes through the terminal's line editing, and
/// the screen shows what a person would see. TERM is `dumb`, so that no program draws.
/// One thread at a time.
class Terminal {
public:
    explicit Terminal(Command command);
    ~Terminal() = default;

    Process& process() { return process_; }

    /// Types, without Enter.
    void type(std::string_view text);
    /// Types a line, and Enter.
    void enter(std::string_view line);
    /// Holds Ctrl and presses a key: press_ctrl('C'), press_ctrl(']').
    void press_ctrl(char key);

    /// Waits until the screen shows it, after what was waited for before: each of two equal lines is waited for once.
    /// Returns what the screen showed up to its end since the last wait. Failure, with the screen, when it does not
    /// come, or the program has ended without it.
    std::string wait_for(std::string_view text, std::chrono::milliseconds within = patience());
    /// The same for a POSIX extended regular expression, as `grep -E` takes it; returns what matched.
    std::string wait_for_match(const std::string& pattern, std::chrono::milliseconds within = patience());

    /// Everything that the program, and the terminal's echo, have written so far: the bytes, and the same with each
    /// line's ending as one line feed. After wait_exit(), all of it.
    std::string transcript();
    std::string screen();

    /// Waits until the program ends, and until all that it wrote is in the transcript.
    Exit wait_exit(std::chrono::milliseconds within = patience());

    /// Whether the terminal is as a shell wants it: it echoes, edits lines, and ^C interrupts.
    bool is_usable() const;

    /// Closes the terminal's window: the program gets SIGHUP. Afterwards only wait_exit() and the transcript are left.
    void hang_up();

private:
    bool receive(int wait_ms);
    bool may_show_more(const Deadline& deadline);

    Descriptor master_;
    Descriptor slave_;  // ours, beside the program's: the terminal's settings stay readable when the program has ended
    Process process_;
    std::string transcript_;
    std::size_t seen_ = 0;  // of the screen, by wait_for()
};

}  // namespace support
