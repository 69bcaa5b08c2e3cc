#pragma once

#include "support/process.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string_view>
#include <thread>

namespace support {

/// A running program whose output is collected as it comes, so that it never waits for us to read it. stdin is empty.
/// One thread at a time.
class Program {
public:
    explicit Program(const Command& command);
    /// Kills it, if it still runs.
    ~Program();

    Process& process() { return process_; }
    const Process& process() const { return process_; }

    /// The lines of stdout so far, without their line feeds.
    std::vector<std::string> lines() const;

    /// Everything on stderr so far; after wait_exit(), all of it.
    std::string errors() const;

    /// Waits for the `count`th line, counted from the start, that is wanted, or contains `part`. Returns that line.
    /// Failure, with all lines so far, when it does not come in time, or stdout ends.
    std::string wait_for_line(const std::function<bool(std::string_view)>& is_wanted, std::size_t count = 1,
                              std::chrono::milliseconds within = patience());
    std::string wait_for_line(std::string_view part, std::size_t count = 1,
                              std::chrono::milliseconds within = patience());

    /// How many lines so far contain `part`.
    std::size_t count_lines(std::string_view part) const;

    void signal(int number) const { process_.signal(number); }

    /// Waits until it ends, and until all that it wrote has arrived.
    Exit wait_exit(std::chrono::milliseconds within = patience());

    /// From now on nobody reads its stdout and stderr: its writes fail.
    void close_output();

private:
    struct Pipe {
        Pipe();
        Descriptor read_end, write_end;
    };

    static Process start(const Command& command, Pipe& out, Pipe& err);
    void read_all();
    std::string what_was_seen() const;

    Pipe out_, err_, stop_;
    Process process_;
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<std::string> lines_;
    std::string unfinished_;  // the last line, as long as its line feed is missing
    std::string errors_;
    bool ended_ = false;  // nothing more is read
    std::thread reader_;
};

/// What a program that ends by itself has written, and how it ended.
struct Finished {
    Exit exit;
    std::vector<std::string> lines;
    std::string errors;
};
Finished run_to_end(const Command& command, std::chrono::milliseconds within = patience());

}  // namespace support
