#include "support/program.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>

namespace support {

Program::Pipe::Pipe() {
    int ends[2];
    // Close-on-exec: a program that held another's pipe open would keep it from ending.
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    read_end = Descriptor(ends[0]);
    write_end = Descriptor(ends[1]);
}

Process Program::start(const Command& command, Pipe& out, Pipe& err) {
    if (command.words[0].find('/') != std::string::npos && ::access(command.words[0].c_str(), X_OK) != 0) {
        throw Failure(command.words[0] + " cannot be run: has it been built?");
    }
    const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    return Process(command, Process::Streams{nothing.get(), out.write_end.get(), err.write_end.get()});
}

Program::Program(const Command& command) : process_(start(command, out_, err_)) {
    out_.write_end.close();
    err_.write_end.close();
    reader_ = std::thread([this] { read_all(); });
}

Program::~Program() {
    if (process_.is_running()) process_.signal(SIGKILL);
    close_output();
}

void Program::close_output() {
    stop_.write_end.close();
    if (reader_.joinable()) reader_.join();
    out_.read_end.close();
    err_.read_end.close();
}

/// The reader thread: until both streams have ended, or close_output() is called.
void Program::read_all() {
    std::array<pollfd, 3> all{pollfd{out_.read_end.get(), POLLIN, 0}, pollfd{err_.read_end.get(), POLLIN, 0},
                              pollfd{stop_.read_end.get(), POLLIN, 0}};
    auto& [out, err, stop] = all;
    while ((out.fd >= 0 || err.fd >= 0) && stop.revents == 0) {
        if (::poll(all.data(), all.size(), -1) < 0) continue;
        for (auto* const stream : {&out, &err}) {
            if (stream->fd < 0 || stream->revents == 0) continue;
            std::array<char, 64 * 1024> bytes;
            const auto size = ::read(stream->fd, bytes.data(), bytes.size());
            if (size <= 0) {
                stream->fd = -1;  // poll(2) passes negative descriptors over
                continue;
            }
            const std::lock_guard lock(mutex_);
            const std::string_view news(bytes.data(), static_cast<std::size_t>(size));
            if (stream == &err) {
                errors_ += news;
                continue;
            }
            unfinished_ += news;
            std::size_t begin = 0;
            for (auto end = unfinished_.find('\n'); end != std::string::npos; end = unfinished_.find('\n', begin)) {
                lines_.push_back(unfinished_.substr(begin, end - begin));
                begin = end + 1;
            }
            unfinished_.erase(0, begin);
            arrived_.notify_all();
        }
    }
    const std::lock_guard lock(mutex_);
    if (!unfinished_.empty()) lines_.push_back(std::exchange(unfinished_, ""));
    ended_ = true;
    arrived_.notify_all();
}

std::vector<std::string> Program::lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
}

std::string Program::errors() const {
    const std::lock_guard lock(mutex_);
    return errors_;
}

std::string Program::what_was_seen() const {
    constexpr std::size_t shown = 50;
    std::string text = "stdout:\n";
    for (std::size_t i = lines_.size() - std::min(lines_.size(), shown); i < lines_.size(); ++i) {
        text += "  " + lines_[i] + "\n";
    }
    return text + "stderr:\n  " + errors_;
}

std::string Program::wait_for_line(const std::function<bool(std::string_view)>& is_wanted, std::size_t count,
                                   std::chrono::milliseconds within) {
    const Deadline deadline(within);
    std::unique_lock lock(mutex_);
    for (std::size_t looked_at = 0;;) {
        while (looked_at < lines_.size()) {
            const auto& line = lines_[looked_at++];
            if (is_wanted(line) && --count == 0) return line;
        }
        if (ended_) throw Failure("the program's output ended without the line; " + what_was_seen());
        if (deadline.passed()) {
            throw Failure("the line did not come within " + std::to_string(within.count()) + " ms; " + what_was_seen());
        }
        arrived_.wait_until(lock, deadline.at());
    }
}

std::string Program::wait_for_line(std::string_view part, std::size_t count, std::chrono::milliseconds within) {
    const auto contains = [part](std::string_view line) { return line.find(part) != line.npos; };
    try {
        return wait_for_line(contains, count, within);
    } catch (const Failure& failure) {
        throw Failure("waiting for \"" + std::string(part) + "\": " + failure.what());
    }
}

std::size_t Program::count_lines(std::string_view part) const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count_if(lines_.begin(), lines_.end(), [part](const std::string& line) {
        return line.find(part) != std::string::npos;
    }));
}

Exit Program::wait_exit(std::chrono::milliseconds within) {
    const Deadline deadline(within);
    const Exit exit = process_.wait_exit(within);
    // A process of its own that has outlived it may hold the pipes open, so this too has an end.
    std::unique_lock lock(mutex_);
    arrived_.wait_until(lock, deadline.at(), [this] { return ended_; });
    return exit;
}

Finished run_to_end(const Command& command, std::chrono::milliseconds within) {
    Program program(command);
    const Exit exit = program.wait_exit(within);
    return {exit, program.lines(), program.errors()};
}

}  // namespace support
