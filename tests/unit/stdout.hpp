#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

/// Standard output, caught in a pipe for as long as this lives: what a program's reader would get to see.
class CaughtStdout {
public:
    CaughtStdout() : before_(::dup(STDOUT_FILENO)) {
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[1]);
        read_end_ = ends[0];
    }
    ~CaughtStdout() {
        ::dup2(before_, STDOUT_FILENO);
        ::close(before_);
        close_reader();
    }
    CaughtStdout(const CaughtStdout&) = delete;
    CaughtStdout& operator=(const CaughtStdout&) = delete;

    /// All that has been written since the last call.
    std::string bytes() {
        std::string bytes;
        char buffer[4096];
        for (ssize_t size = 0; (size = ::read(read_end_, buffer, sizeof buffer)) > 0;) {
            bytes.append(buffer, static_cast<std::size_t>(size));
        }
        return bytes;
    }

    /// The same, line by line.
    std::vector<std::string> lines() {
        const std::string bytes = this->bytes();
        std::vector<std::string> lines;
        for (std::size_t start = 0; start < bytes.size();) {
            const auto end = bytes.find('\n', start);
            EXPECT_NE(end, bytes.npos) << "the last line has no end: " << bytes.substr(start);
            lines.push_back(bytes.substr(start, end - start));
            start = end == bytes.npos ? bytes.size() : end + 1;
        }
        return lines;
    }

    /// The one line that was written.
    std::string line() {
        const auto all = lines();
        EXPECT_EQ(all.size(), 1U);
        return all.empty() ? "" : all.front();
    }

    /// From now on nobody reads.
    void close_reader() {
        if (read_end_ >= 0) ::close(read_end_);
        read_end_ = -1;
    }

private:
    int before_;
    int read_end_ = -1;
};
