#pragma once

#include "05_chat/room/room.hpp"
#include "listening.hpp"

#include <boost/asio.hpp>

#include <array>
#include <exception>
#include <map>
#include <string>
#include <string_view>

/// One of stage 05's rooms with a door for telnets: where a command of an exercise can be heard.
/// One loop, a coroutine for each person. The first line is the name; after that a line is speech, or the command.
class TelnetRoom {
public:
    chat::Limits limits;
    chat::Room room{limits};

    /// Waits for nobody: for whom the system's buffer is full, the chat is over.
    void tell(chat::PersonId person, std::string line) {
        line += "\r\n";
        const auto found = sockets_.find(person);
        if (found == sockets_.end()) return;
        const std::array bytes{boost::asio::const_buffer(boost::asio::buffer(line))};
        const auto sent = found->second->write_some(bytes);
        if (!sent || *sent < line.size()) found->second->shutdown(net::tcp::socket::shutdown_both);
    }
    void tell_all(const std::string& line) {
        for (const auto& [person, name] : room.people()) tell(person, line);
    }
    void tell_refusal(chat::PersonId person, chat::Refusal why) {
        tell(person, "ERROR " + std::string(chat::reason(why)));
    }

    /// `obey(person, words)` is called for each line that begins with `command`.
    template <class Obey>
    void run(int argc, char** argv, std::string_view command, Obey obey) {
        boost::asio::io_context loop;
        auto listener = listen_or_exit(loop, argc, argv);
        boost::asio::co_spawn(loop, accept_loop(loop, listener, command, obey), rethrow);
        loop.run();
    }

private:
    /// An exception is a mistake of ours: it is not to be swallowed.
    static void rethrow(const std::exception_ptr& exception) {
        if (exception) std::rethrow_exception(exception);
    }

    /// True: it was done, and all have heard of it.
    bool happens(chat::PersonId person, const chat::Request& request) {
        const auto line = room.apply(room.last() + 1, request);
        if (!line) {
            tell_refusal(person, line.error());
            return false;
        }
        tell_all(chat::words(*line));
        return true;
    }

    static std::string without_end(std::string_view line) {
        return std::string(line.substr(0, line.find_last_not_of("\r\n") + 1));
    }

    template <class Obey>
    net::awaitable<void> visit(net::AsyncSocket socket, chat::PersonId person, std::string_view command, Obey obey) {
        sockets_[person] = &socket;
        bool is_in = false;
        tell(person, "What is your name?");
        while (const auto line = co_await socket.recv()) {
            const std::string typed = without_end(*line);
            if (!is_in) {
                is_in = happens(person, chat::Join{person, typed});
            } else if (typed.starts_with(command)) {
                obey(person, std::string_view(typed).substr(command.size()));
            } else {
                happens(person, chat::Say{person, typed});
            }
        }
        sockets_.erase(person);
        if (is_in) happens(person, chat::Leave{person, {}});
    }

    template <class Obey>
    net::awaitable<void> accept_loop(boost::asio::io_context& loop, net::Listener& listener, std::string_view command,
                                     Obey obey) {
        for (chat::PersonId person = 1; auto client = co_await listener.async_accept(loop); ++person) {
            boost::asio::co_spawn(loop, visit(std::move(*client), person, command, obey), rethrow);
        }
    }

    std::map<chat::PersonId, net::AsyncSocket*> sockets_;
};
