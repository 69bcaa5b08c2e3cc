#include "support/terminal.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <sys/ioctl.h>
#include <termios.h>

namespace support {

namespace {

Descriptor open_master() {
    Descriptor master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
    if (master.get() < 0 || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0) {
        throw std::system_error(errno, std::generic_category(), "cannot open a terminal");
    }
    return master;
}

std::string name_of_slave(const Descriptor& master) {
    std::array<char, 64> name{};
    if (::ptsname_r(master.get(), name.data(), name.size()) != 0) {
        throw std::system_error(errno, std::generic_category(), "ptsname");
    }
    return name.data();
}

Command in_a_dumb_terminal(Command command) {
    command.environment.try_emplace("TERM", "dumb");
    return command;
}

/// regcomp(3)'s; std::regex makes g++ 12 warn of itself under ASan.
class Pattern {
public:
    explicit Pattern(const std::string& text) {
        if (::regcomp(&compiled_, text.c_str(), REG_EXTENDED | REG_NEWLINE) != 0) {
            throw Failure("not a regular expression: " + text);
        }
    }
    ~Pattern() { ::regfree(&compiled_); }
    Pattern(const Pattern&) = delete;
    Pattern& operator=(const Pattern&) = delete;

    const regex_t* get() const { return &compiled_; }

private:
    regex_t compiled_{};
};

}  // namespace

Terminal::Terminal(Command command)
    : master_(open_master()),
      slave_(::open(name_of_slave(master_).c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC)),
      process_(in_a_dumb_terminal(std::move(command)), Process::Tty{name_of_slave(master_)}) {
    const winsize size{24, 132, 0, 0};  // wide enough that no program breaks our lines
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
}

void Terminal::type(std::string_view text) {
    const Deadline deadline(patience());
    while (!text.empty()) {
        const auto written = ::write(master_.get(), text.data(), text.size());
        if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
        if (written < 0 && errno != EAGAIN && errno != EINTR) {
            throw std::system_error(errno, std::generic_category(), "cannot type");
        }
        pollfd master{master_.get(), POLLOUT, 0};
        if (!text.empty() && ::poll(&master, 1, deadline.left_ms()) == 0) {
            throw Failure("nobody reads what is typed; the screen:\n" + screen());
        }
    }
}

void Terminal::enter(std::string_view line) {
    type(std::string(line) + '\r');
}

void Terminal::press_ctrl(char key) {
    constexpr int ctrl = 0x1F;
    type(std::string(1, static_cast<char>(std::toupper(static_cast<unsigned char>(key)) & ctrl)));
}

/// Adds what has come, after waiting for it so long. False when nothing did.
bool Terminal::receive(int wait_ms) {
    pollfd master{master_.get(), POLLIN, 0};
    if (::poll(&master, 1, wait_ms) <= 0) return false;
    std::array<char, 4096> bytes;
    const auto size = ::read(master_.get(), bytes.data(), bytes.size());
    if (size > 0) transcript_.append(bytes.data(), static_cast<std::size_t>(size));
    return size > 0;
}

std::string Terminal::wait_for(std::string_view text, std::chrono::milliseconds within) {
    const Deadline deadline(within);
    for (;;) {
        const auto all = screen();
        if (const auto found = all.find(text, seen_); found != std::string::npos) {
            const auto begin = std::exchange(seen_, found + text.size());
            return all.substr(begin, seen_ - begin);
        }
        if (!may_show_more(deadline)) throw Failure("no \"" + std::string(text) + "\" on the screen:\n" + all);
    }
}

std::string Terminal::wait_for_match(const std::string& pattern, std::chrono::milliseconds within) {
    const Pattern compiled(pattern);
    const Deadline deadline(within);
    for (;;) {
        const auto all = screen();
        if (regmatch_t match; ::regexec(compiled.get(), all.c_str() + seen_, 1, &match, 0) == 0) {
            const auto begin = seen_ + static_cast<std::size_t>(match.rm_so);
            seen_ += static_cast<std::size_t>(match.rm_eo);
            return all.substr(begin, seen_ - begin);
        }
        if (!may_show_more(deadline)) throw Failure("nothing that matches " + pattern + " on the screen:\n" + all);
    }
}

std::string Terminal::transcript() {
    while (receive(0)) {
    }
    return transcript_;
}

std::string Terminal::screen() {
    std::string text = transcript();
    std::erase(text, '\r');
    return text;
}

/// Waits for more. False when nothing came in time, or nothing can come because the program has ended.
bool Terminal::may_show_more(const Deadline& deadline) {
    // The master side cannot tell us of the program's end while our own slave descriptor is open.
    constexpr int look_again_ms = 5;
    while (!deadline.passed()) {
        const bool running = process_.is_running();
        if (receive(std::min(deadline.left_ms(), look_again_ms))) return true;
        if (!running) return false;
    }
    return false;
}

Exit Terminal::wait_exit(std::chrono::milliseconds within) {
    const Deadline deadline(within);
    // A program that writes while nobody reads could not end.
    while (may_show_more(deadline)) {
    }
    return process_.wait_exit(std::chrono::milliseconds(deadline.left_ms()));
}

bool Terminal::is_usable() const {
    termios settings{};
    ::tcgetattr(slave_.get(), &settings);
    const tcflag_t wanted = ECHO | ICANON | ISIG;
    return (settings.c_lflag & wanted) == wanted;
}

void Terminal::hang_up() {
    transcript();
    slave_.close();
    master_.close();
}

}  // namespace support
