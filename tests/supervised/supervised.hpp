#pragma once

#include "support/client.hpp"
#include "support/server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/json.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

/// What the tests of supervised servers share: who sits where, and people who notice when anything goes wrong.
namespace supervised {

using support::Client;
using support::Deadline;
using support::eventually;
using support::exited;
using support::killed_by;
using support::patience;
using testing::HasSubstr;
using testing::IsEmpty;
using namespace std::chrono_literals;

/// 04_supervised, or another program under its root, telling its story as JSON and obeying faults.
class Server : public support::Server {
public:
    explicit Server(const std::vector<std::string>& options = {}, const std::string& program = "04_supervised")
        : support::Server(program, with_defaults(options)) {}
    ~Server() {
        EXPECT_THAT(errors(), Not(HasSubstr("ThreadSanitizer")));
        EXPECT_THAT(errors(), Not(HasSubstr("runtime error:")));
        EXPECT_THAT(errors(), Not(HasSubstr("LeakSanitizer")));
    }

    /// Waits for the `count`th such event with these fields, `{"child":"worker-2"}` without the braces.
    boost::json::object wait_for_event(const std::string& name, const std::vector<std::string>& fields = {},
                                       std::size_t count = 1) {
        const Event wanted(name, fields);
        const auto is_it = [&](std::string_view line) { return wanted.is(line); };
        return boost::json::parse(wait_for_line(is_it, count)).as_object();
    }

    std::size_t count_events(const std::string& name, const std::vector<std::string>& fields = {}) const {
        const Event wanted(name, fields);
        const auto all = lines();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [&](const std::string& line) { return wanted.is(line); }));
    }

    /// The worker that serves this client.
    std::string worker_of(const Client& client) {
        const auto event = wait_for_event("got_client_connection", {field("peer", client.name())});
        return "worker-" + std::to_string(event.at("worker").to_number<int>());
    }

    /// The process of its `life`th life, as soon as that has begun.
    pid_t pid_of(const std::string& worker, std::size_t life = 1) {
        return wait_for_event("supervisor_progress", {field("child", worker)}, life).at("pid").to_number<pid_t>();
    }

    /// How many lives it has had.
    std::size_t lives_of(const std::string& worker) const {
        return count_events("supervisor_progress", {field("child", worker)});
    }

    /// The processes that live, as the kernel sees it.
    std::vector<pid_t> workers() const {
        const auto pid = std::to_string(process().pid());
        std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
        return {std::istream_iterator<pid_t>(children), std::istream_iterator<pid_t>()};
    }

    /// A client of that worker. The kernel decides who gets whom, so this may take some.
    std::unique_ptr<Client> client_of(const std::string& worker) {
        const Deadline deadline(patience());
        std::vector<std::unique_ptr<Client>> others;  // kept until then: a worker that has clients is not more eager
        while (!deadline.passed()) {
            auto client = std::make_unique<Client>(port());
            if (worker_of(*client) == worker) return client;
            others.push_back(std::move(client));
        }
        throw support::Failure("no client came to " + worker);
    }

    static std::string field(const std::string& name, const std::string& value) {
        return "\"" + name + "\":\"" + value + "\"";
    }

private:
    static std::vector<std::string> with_defaults(const std::vector<std::string>& options) {
        // Without a watchdog, but where it is what a test is about: a busy machine can make a worker look hung.
        std::vector<std::string> all{"--log", "json", "--faults", "--workers", "2", "--watchdog-ms", "0"};
        all.insert(all.end(), options.begin(), options.end());
        return all;
    }

    /// What a line has to hold. Made once for many lines: while they are looked through, no new ones are read.
    class Event {
    public:
        Event(const std::string& name, std::vector<std::string> fields) : parts_(std::move(fields)) {
            parts_.insert(parts_.begin(), field("event", name));
        }
        bool is(std::string_view line) const {
            return std::all_of(parts_.begin(), parts_.end(),
                               [&](const std::string& part) { return line.find(part) != line.npos; });
        }

    private:
        std::vector<std::string> parts_;
    };
};

inline std::string field(const std::string& name, const std::string& value) {
    return Server::field(name, value);
}

/// Suspends a process, and waits until each of its threads stands still: what a signal has begun takes a moment.
inline void suspend(pid_t pid) {
    ::kill(pid, SIGSTOP);
    const auto stands_still = [](const std::filesystem::path& thread) {
        std::ifstream status(thread / "status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("State:")) return line.find("T (stopped)") != line.npos;
        }
        return false;
    };
    const auto all_stand_still = [&] {
        const std::filesystem::directory_iterator threads("/proc/" + std::to_string(pid) + "/task");
        return std::all_of(begin(threads), end(threads), [&](const auto& thread) { return stands_still(thread); });
    };
    if (!eventually(all_stand_still)) throw support::Failure("process " + std::to_string(pid) + " does not stop");
}

/// Throws where the line is not answered.
inline void ask(Client& client, const std::string& line = "hello") {
    client.send(line + "\r\n");
    const auto reply = client.recv_line();
    if (reply != "ECHO " + line + "\r\n") throw support::Failure("asked " + line + ", got " + reply);
}

/// Does the same again and again in a thread of its own; the first failure ends it, and is kept.
class Loop {
public:
    explicit Loop(std::function<void()> what) : thread_([this, what = std::move(what)] { run(what); }) {}
    ~Loop() { stop(); }

    /// Ends it. What went wrong; empty: nothing.
    std::string stop() {
        stop_ = true;
        if (thread_.joinable()) thread_.join();
        return failure_;
    }

    std::size_t rounds() const { return rounds_; }

    /// Waits until it has done some more.
    void wait_for_rounds(std::size_t more) const {
        const auto wanted = rounds_ + more;
        if (!eventually([&] { return rounds_ >= wanted || failed_; })) throw support::Failure("the load stands still");
    }

private:
    void run(const std::function<void()>& what) {
        try {
            for (; !stop_; ++rounds_) what();
        } catch (const std::exception& error) {
            failure_ = "after " + std::to_string(rounds_) + " rounds: " + error.what();
            failed_ = true;
        }
    }

    std::atomic<bool> stop_ = false, failed_ = false;
    std::atomic<std::size_t> rounds_ = 0;
    std::string failure_;
    std::thread thread_;
};

}  // namespace supervised
