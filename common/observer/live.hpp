#pragma once

#include "observer/child.hpp"
#include "observer/kernel.hpp"
#include "observer/model.hpp"
#include "observer/web.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace observer {

/// A server that runs: reads what it tells, writes it as text on stdout, and keeps the model. One thread.
class Live : public Pictures {
public:
    /// `record`: where the story is kept; empty: nowhere. std::system_error where it cannot be.
    Live(boost::asio::io_context& loop, const std::string& record);

    /// Runs the server until both have been told to end; returns its exit status. std::system_error where it cannot be
    /// started.
    int run(std::vector<std::string> command);

    /// Reads a story from stdin, and shows how it ended until SIGINT or SIGTERM.
    int read_stdin();

    std::shared_ptr<const std::string> now() override;
    std::shared_ptr<const std::string> at(std::int64_t after) override;
    std::uint64_t version() const override { return model_.version(); }

private:
    void read();
    bool take_what_is_there();
    void take(std::string_view bytes);
    void take_line(std::string_view line, std::string& text);
    void add(std::string_view event, boost::json::object fields);
    void wait_for_end();
    void server_has_ended();
    void wait_for_signal();
    void obey(int signal, bool is_from_terminal);
    void look();
    bool is_over() const { return !child_ || end_; }

    boost::asio::io_context& loop_;
    boost::asio::posix::stream_descriptor story_, pidfd_, signals_;
    boost::asio::steady_timer look_timer_;
    std::vector<char> buffer_;
    std::string unfinished_;  // the last line, until its end comes
    bool is_too_long_ = false;
    std::ofstream record_;

    Model model_;
    std::unique_ptr<Child> child_;
    std::optional<Kernel> kernel_;
    std::string last_door_;
    unsigned looks_ = 0;
    std::optional<End> end_;
    bool is_asked_to_end_ = false;

    std::shared_ptr<const std::string> picture_;
    std::chrono::steady_clock::time_point painted_{};
};

}  // namespace observer
