#pragma once

#include "support/client.hpp"
#include "support/server.hpp"
#include "support/terminal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

/// What the tests of the chat share: the real program, and people at its doors.
namespace chat_tests {

using support::Client;
using support::eventually;
using support::exited;
using support::killed_by;
using support::patience;
using support::Terminal;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;
using namespace std::string_literals;

/// Long enough that a server which wanted to say something would have said it.
inline constexpr auto a_while = 200ms;

/// What people are told while the node that has their room is away, and whenever they type something: by a node that
/// waits for it (--rejoin), and by one that does not.
inline constexpr auto awaited = "The node that has this room is away: what you type is lost. Waiting for it.";
inline constexpr auto away = "The node that has this room is away: what you type is lost. /quit leaves.";

/// 05_chat, which reads people as fast as they type, unless the options say otherwise; and in which no sanitizer finds
/// anything.
class Server : public support::Server {
public:
    explicit Server(const std::vector<std::string>& options = {}, support::Command conditions = {})
        : support::Server("05_chat", with_defaults(options), std::move(conditions)) {}
    ~Server() {
        EXPECT_THAT(errors(), Not(HasSubstr("Sanitizer")));
        EXPECT_THAT(errors(), Not(HasSubstr("runtime error:")));
    }

    /// The port of its door for other C++ nodes.
    std::uint16_t node_port() { return port_at_end(wait_for_line("waits for links of other nodes on ")); }
    /// The port of its door for Erlang nodes.
    std::uint16_t dist_port() { return port_at_end(wait_for_line("waits for Erlang nodes as ")); }

    /// Ends it as an operator does.
    support::Exit terminate() {
        signal(SIGTERM);
        return wait_exit();
    }

private:
    static std::vector<std::string> with_defaults(const std::vector<std::string>& options) {
        std::vector<std::string> all = options;
        if (std::find(options.begin(), options.end(), "--rate") == options.end()) {
            all.insert(all.end(), {"--rate", "0"});
        }
        return all;
    }
    static std::uint16_t port_at_end(const std::string& line) {
        return static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':') + 1)));
    }
};

/// Somebody at the text door.
class Person {
public:
    explicit Person(const support::Server& server, const Client::Options& options = {})
        : client_(server.port(), options) {
        EXPECT_EQ(hear(), "Welcome! What is your name?");
    }
    /// Comes, gives this name, and is in the lobby, after as many lines of history.
    Person(const support::Server& server, const std::string& name, std::size_t history = 0) : Person(server) {
        come_in(name, history);
    }
    void come_in(const std::string& name, std::size_t history = 0) {
        say(name);
        for (std::size_t line = 0; line < history; ++line) hear();
        EXPECT_EQ(hear(), "You are in the room lobby as " + name + ". /help lists the commands.");
    }

    Client& client() { return client_; }

    void say(const std::string& line) { client_.send(line + "\r\n"); }
    /// The next line, without its ending.
    std::string hear() {
        const std::string line = client_.recv_line();
        EXPECT_TRUE(line.ends_with("\r\n")) << line;
        return line.substr(0, line.size() - std::min<std::size_t>(line.size(), 2));
    }
    /// The next lines, so many.
    std::vector<std::string> hear(std::size_t lines) {
        std::vector<std::string> heard;
        while (heard.size() < lines) heard.push_back(hear());
        return heard;
    }
    /// The lines up to and including this one.
    std::vector<std::string> hear_up_to(const std::string& last) {
        std::vector<std::string> heard;
        do heard.push_back(hear());
        while (heard.back() != last);
        return heard;
    }
    /// Says it, and it comes back as the next line.
    void chat(const std::string& name, const std::string& text) {
        say(text);
        EXPECT_EQ(hear(), name + " says: " + text);
    }
    void expect_silence() { client_.expect_silence(a_while); }
    void leave() { client_.close(); }

private:
    Client client_;
};

/// Does it again and again until the story tells of it: what may happen a thousand times a second is told seldom.
template <class Action>
void repeat_until_told(Server& server, const std::string& line, const Action& action) {
    const support::Deadline deadline(patience());
    for (;;) {
        action();
        try {
            server.wait_for_line(line, 1, 1100ms);
            return;
        } catch (const support::Failure&) {
            if (deadline.passed()) throw;
        }
    }
}

/// 05_chat as a program that ends by itself.
inline support::Finished run(const std::string& program, const std::vector<std::string>& options) {
    std::vector<std::string> words{support::path_of(program)};
    words.insert(words.end(), options.begin(), options.end());
    return support::run_to_end({.words = words});
}

/// The words of a shell command.
inline support::Command shell(const std::string& script) {
    return {.words = {"sh", "-c", script}};
}

}  // namespace chat_tests
